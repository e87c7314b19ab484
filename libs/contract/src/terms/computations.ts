/** What may run, who may ask for it, how often, and what of it leaves to whom. */
import { z } from 'zod'
import { controlSchema } from './controls.js'
import { lineSchema, namedSchema, nameSchema, textSchema } from './names.js'
import { distinct, labels, someLabels } from './parties.js'
import {
  compareDecimals,
  dateSchema,
  decimalSchema,
  positiveDecimalSchema,
  positiveSchema,
  timestampSchema,
} from './quantities.js'

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

/** What is done to a feature before it is learned from. Its statistics, over the training rows, are part of the model. */
export const preprocessingSchema = z.strictObject({
  /** A text becomes one column of zeros and ones for each of these; any other text, and none, is zero in all of them. */
  oneHot: distinct(lineSchema(200), 200).min(1).optional(),
  /** `standard`: centred, and divided by its standard deviation. */
  scale: z.enum(['standard', 'none']).default('standard'),
  /** What stands for a missing number. Where nothing is named, rows that miss it are left out. */
  impute: z.union([z.literal('mean'), decimalSchema]).optional(),
})

/** Units are held out by a hash of their id that begins with the seed, so that no choice is left to whoever runs it. */
export const splitSchema = z.strictObject({
  test: positiveDecimalSchema.refine((part) => compareDecimals(part, '1') < 0),
  seed: lineSchema(100),
})

/** What a training gives; an output of another name is refused. */
export const trainingOutputs = ['model', 'coefficients', 'metrics', 'confusion', 'calibration'] as const

export const trainSchema = z.strictObject({
  kind: z.literal('train'),
  algorithm: z.enum(algorithms),
  /** Gives one row for each privacy unit; the rows stay inside. */
  query: textSchema(20_000),
  target: nameSchema.optional(),
  features: distinct(nameSchema, 2000).min(1),
  preprocessing: namedSchema(preprocessingSchema, 0, 2000).default({}),
  /** λ of the loss Σ loss + λ/2 · ‖coefficients‖². */
  l2: decimalSchema.refine((lambda) => compareDecimals(lambda, '0') >= 0).default('1'),
  split: splitSchema.optional(),
  ...computation,
})
export const inferSchema = z.strictObject({
  kind: z.literal('infer'),
  /** A dataset of kind model, or `computation.output` of this contract. */
  model: z.string().max(129),
  /** Gives the rows that are scored; filled with the features of the one dataset of `over` where it is left out. */
  query: textSchema(20_000),
  /** Columns of the query, dealt out to the model's inputs in their order. */
  features: distinct(nameSchema, 2000).min(1),
  ...computation,
})

export const computationSchema = z.discriminatedUnion('kind', [
  sqlSchema,
  sqlAggregateSchema,
  trainSchema,
  inferSchema,
])
