/** What the owners seal: tables with typed columns and what each column may be used for, or models. */
import { z } from 'zod'
import { lineSchema, namedSchema, nameSchema } from './names.js'
import { distinct, someLabels } from './parties.js'
import {
  dateSchema,
  decimalSchema,
  digestSchema,
  positiveDecimalSchema,
  positiveSchema,
  timestampSchema,
} from './quantities.js'

export const columnTypes = ['string', 'int', 'double', 'bool', 'date', 'timestamp'] as const
export type ColumnType = (typeof columnTypes)[number]

/** Where a column may stand in a query; uses add up, none implies another, and none at all means never. */
export const columnUses = [
  'join',
  'dimension',
  'filter',
  'count',
  'sum',
  'avg',
  'stddev',
  'variance',
  'quantile',
] as const
export type ColumnUse = (typeof columnUses)[number]

const any = { nullable: z.boolean().default(false), use: distinct(z.enum(columnUses)).default([]) }

/** Bounds are whole numbers for `int`, decimal strings for `double`, dates and instants for the others. */
export const columnSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('string'), ...any }),
  z.strictObject({ type: z.literal('bool'), ...any }),
  z.strictObject({ type: z.literal('int'), ...any, min: z.int().optional(), max: z.int().optional() }),
  z.strictObject({
    type: z.literal('double'),
    ...any,
    min: decimalSchema.optional(),
    max: decimalSchema.optional(),
  }),
  z.strictObject({ type: z.literal('date'), ...any, min: dateSchema.optional(), max: dateSchema.optional() }),
  z.strictObject({
    type: z.literal('timestamp'),
    ...any,
    min: timestampSchema.optional(),
    max: timestampSchema.optional(),
  }),
])

export const minimumsSchema = z.strictObject({ minimumGroupSize: z.int().min(1).max(1_000_000_000) })

export const resealSchema = z
  .strictObject({ afterReleases: positiveSchema.optional(), afterDays: positiveSchema.optional() })
  .refine((reseal) => reseal.afterReleases !== undefined || reseal.afterDays !== undefined, 'empty')

const sharedFields = {
  owners: someLabels,
  /** What each owner demands of every output that rests on its rows; the largest holds for all. */
  minimums: namedSchema(minimumsSchema, 0, 100).default({}),
  reseal: resealSchema.optional(),
  /** Owner to the id of the only Manifest that runs may name. */
  pins: namedSchema(digestSchema, 0, 100).default({}),
}

export const tableSchema = z.strictObject({
  kind: z.literal('table'),
  ...sharedFields,
  unit: nameSchema,
  columns: namedSchema(columnSchema, 1, 2000),
  /** Column groups sealed each under its own key; left out, each column is one. */
  segments: namedSchema(distinct(nameSchema, 2000).min(1), 1, 2000).optional(),
})

/** Whatever made the model chose these names: a line of text, no name of this contract. */
const modelNameSchema = lineSchema(200)

/** Element types that scored columns can be given to a model in. */
export const modelInputTypes = ['float32', 'float64', 'int64'] as const
export type ModelInputType = (typeof modelInputTypes)[number]

/** Columns of one row that go into an input, or come out of the output. */
const modelColumns = z.int().min(1).max(2000)

/**
 * A model: its weights are sealed, its face is in the contract. What is opened must have exactly these inputs; of its outputs only the
 * one that stands here is ever given.
 */
export const modelSchema = z.strictObject({
  kind: z.literal('model'),
  ...sharedFields,
  format: z.enum(['onnx']),
  /** In the order in which a computation deals its features out to them. */
  inputs: z
    .array(
      z.strictObject({
        name: modelNameSchema,
        type: z.enum(modelInputTypes),
        columns: modelColumns.default(1),
      }),
    )
    .min(1)
    .max(1000)
    .refine((inputs) => new Set(inputs.map(({ name }) => name)).size === inputs.length, 'each at most once'),
  /** One number, or so many, for each row. */
  output: z.strictObject({
    name: modelNameSchema,
    type: z.enum(['float32', 'float64']),
    columns: modelColumns.default(1),
  }),
})

export const datasetSchema = z.discriminatedUnion('kind', [tableSchema, modelSchema])

export const budgetSchema = z.strictObject({ epsilon: positiveDecimalSchema, delta: decimalSchema })
