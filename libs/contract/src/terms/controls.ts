/** What must happen to an output before it is sealed. Each control is an object with one member, its name. */
import { z } from 'zod'
import type { DeepReadonly } from './deep-readonly.js'
import { lineSchema, namedSchema, nameSchema } from './names.js'
import { distinct, someLabels } from './parties.js'
import { compareDecimals, decimalSchema, positiveDecimalSchema, positiveSchema } from './quantities.js'

const rangeSchema = z
  .strictObject({ min: decimalSchema, max: decimalSchema })
  .refine((range) => compareDecimals(range.min, range.max) <= 0, 'min is above max')

const delta = decimalSchema.refine(
  (decimal) => compareDecimals(decimal, '0') >= 0 && compareDecimals(decimal, '1') < 0,
)

/** By name, what each control takes. */
export const controlShapes = {
  /** Each row rests on at least so many distinct units of every owner whose data is read. */
  minimumGroupSize: z.int().min(1).max(1_000_000_000),
  /** Column to the step to which its numbers are rounded. */
  roundTo: namedSchema(positiveDecimalSchema, 1, 2000),
  clamp: namedSchema(rangeSchema, 1, 2000),
  /** Column to the value above which every value is shown as this one. */
  topCode: namedSchema(decimalSchema, 1, 2000),
  maxRows: positiveSchema,
  /** Only these columns leave. */
  columns: distinct(nameSchema, 2000).min(1),
  differentialPrivacy: z.strictObject({
    epsilon: positiveDecimalSchema,
    delta,
    mechanism: z.enum(['discrete-laplace', 'discrete-gaussian']),
  }),
  releaseApproval: z.strictObject({ from: someLabels, count: positiveSchema }),
  keep: z.literal('sealed'),
  /** Released as computed, for the reason that its signatories read and accept. */
  uncontrolled: lineSchema(500),
} as const

type Shapes = typeof controlShapes
export type ControlName = keyof Shapes
export const controlNames = Object.keys(controlShapes) as ControlName[]

type ControlValue<Name extends ControlName> = DeepReadonly<z.output<Shapes[Name]>>

/** One control: an object with exactly one member. */
export type Control = { [Name in ControlName]: Readonly<Record<Name, ControlValue<Name>>> }[ControlName]

const loose = z.strictObject({
  minimumGroupSize: controlShapes.minimumGroupSize.optional(),
  roundTo: controlShapes.roundTo.optional(),
  clamp: controlShapes.clamp.optional(),
  topCode: controlShapes.topCode.optional(),
  maxRows: controlShapes.maxRows.optional(),
  columns: controlShapes.columns.optional(),
  differentialPrivacy: controlShapes.differentialPrivacy.optional(),
  releaseApproval: controlShapes.releaseApproval.optional(),
  keep: controlShapes.keep.optional(),
  uncontrolled: controlShapes.uncontrolled.optional(),
} satisfies Record<ControlName, z.ZodType>)

export const controlSchema = loose
  .refine((control) => Object.keys(control).length === 1, 'one control each')
  .transform((control) => control as unknown as Control)

/** The name of a control. */
export function controlName(control: Control): ControlName {
  return Object.keys(control)[0] as ControlName
}

/** The value of a control of a name in a list, if it is there. */
export function controlValue<Name extends ControlName>(
  controls: readonly Control[],
  name: Name,
): ControlValue<Name> | undefined {
  for (const control of controls)
    if (name in control) return (control as unknown as Record<Name, ControlValue<Name>>)[name]
  return undefined
}
