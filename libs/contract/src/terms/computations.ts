/** What may run, who may ask for it, how often, and what of it leaves to whom. */
import { z } from 'zod'
import { controlSchema } from './controls.js'
import { lineSchema, namedSchema, nameSchema, textSchema } from './names.js'
import { distinct, labels, someLabels } from './parties.js'
import { dateSchema, decimalSchema, positiveSchema, timestampSchema } from './quantities.js'

const parameterText = lineSchema(1000)

/** A parameter of a computation. It has a bound of some kind: what has none is refused. */
export const parameterSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('string'),
      maxLength: z.int().min(1).max(1000).optional(),
      oneOf: distinct(parameterText, 1000).min(1).optional(),
    })
    .refine((parameter) => parameter.maxLength !== undefined || parameter.oneOf !== undefined, 'unbounded'),
  z
    .strictObject({
      type: z.literal('int'),
      min: z.int().optional(),
      max: z.int().optional(),
      oneOf: distinct(z.int(), 1000).min(1).optional(),
    })
    .refine(
      (parameter) =>
        parameter.oneOf !== undefined || (parameter.min !== undefined && parameter.max !== undefined),
      'unbounded',
    ),
  z.strictObject({ type: z.literal('double'), min: decimalSchema, max: decimalSchema }),
  z.strictObject({ type: z.literal('bool') }),
  z.strictObject({ type: z.literal('date'), min: dateSchema, max: dateSchema }),
  z.strictObject({ type: z.literal('timestamp'), min: timestampSchema, max: timestampSchema }),
])

export const outputSchema = z.strictObject({
  recipients: labels.default([]),
  /** In this order, inside the enclave. Without controls nothing leaves. */
  controls: z.array(controlSchema).min(1).max(20),
  /** The recipient sees only what rests on this party's own rows. */
  rowsOf: nameSchema.optional(),
})

export const approvalsSchema = z.strictObject({ from: someLabels, count: positiveSchema })

const computation = {
  requesters: someLabels,
  limit: z.int().min(1).max(1_000_000_000),
  /** Spends without a completed Receipt; filled from `runs.failures`. */
  failures: positiveSchema.max(1000),
  approvals: approvalsSchema.optional(),
  parameters: namedSchema(parameterSchema, 0, 100).default({}),
  outputs: namedSchema(outputSchema, 1, 100),
  /** The datasets it reads; of a reviewed query filled from the names in its text. */
  over: someLabels,
}

export const algorithms = [
  'linear-regression',
  'logistic-regression',
  'gradient-boosting',
  'mlp',
  'k-means',
] as const

export const sqlSchema = z.strictObject({ kind: z.literal('sql'), query: textSchema(20_000), ...computation })
export const sqlAggregateSchema = z.strictObject({ kind: z.literal('sql-aggregate'), ...computation })
export const trainSchema = z.strictObject({
  kind: z.literal('train'),
  algorithm: z.enum(algorithms),
  target: nameSchema.optional(),
  features: distinct(nameSchema, 2000).min(1),
  ...computation,
})
export const inferSchema = z.strictObject({
  kind: z.literal('infer'),
  /** A dataset of kind model, or `computation.output` of this contract. */
  model: z.string().max(129),
  ...computation,
})

export const computationSchema = z.discriminatedUnion('kind', [
  sqlSchema,
  sqlAggregateSchema,
  trainSchema,
  inferSchema,
])
