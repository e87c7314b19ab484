/**
 * What a recipient finds when it opens an output: the table, what it belongs to, and what was done to it before it left. Row
 * counts and the effect of controls stand here, inside the seal, and nowhere outside (design: invariant 3).
 */
import { z } from 'zod'
import { countSchema, digestSchema, nameSchema } from './primitives.js'

/** One value. An int beyond ±(2^53 − 1) is a decimal string, a date `2025-01-31`, a timestamp `2025-01-31 00:00:00[.ffffff]`. */
const valueSchema = z.union([z.null(), z.boolean(), z.number(), z.string()])

/** A table in columns: `values[c][r]` is row r of column c. */
export const releasedTableSchema = z
  .strictObject({
    columns: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(200),
          type: z.enum(['string', 'int', 'double', 'bool', 'date', 'timestamp']),
        }),
      )
      .min(1)
      .max(2000),
    rows: countSchema,
    values: z.array(z.array(valueSchema)).max(2000),
  })
  .refine(
    ({ columns, rows, values }) =>
      values.length === columns.length && values.every((column) => column.length === rows),
    'every column has one value per row',
  )

/** One control as it was applied: what it promises, in words, and what it did. */
const appliedControlSchema = z.strictObject({
  control: z.string().min(1).max(100),
  says: z.string().max(4000),
  rowsBefore: countSchema,
  rowsAfter: countSchema,
  columnsAfter: countSchema,
  /** Values that it changed. */
  changedCells: countSchema,
})

const outputFields = {
  contract: digestSchema,
  run: digestSchema,
  output: nameSchema,
  table: releasedTableSchema,
  /** In the order in which they were applied. */
  controls: z.array(appliedControlSchema).min(1).max(50),
  /** True: the enclave was simulated, and nothing protected the data. */
  simulated: z.boolean(),
} as const

/** What a query gave. */
const queryOutputSchema = z.strictObject({ type: z.literal('sealroom/output/v1'), ...outputFields })

/** How a training ended, and how its model is fed. The Receipt vouches for it, as for all that its outputs hold. */
const trainingCardSchema = z.strictObject({
  algorithm: z.string().min(1).max(100),
  status: z.string().min(1).max(100),
  target: z.string().max(200),
  input: z.strictObject({
    name: z.string().min(1).max(100),
    terms: z
      .array(z.strictObject({ name: z.string().max(200), level: z.string().max(200).nullable() }))
      .max(10_000),
  }),
  output: z.string().min(1).max(100),
  l2: z.string().max(100),
  heldOut: z.string().max(100),
})

/** What a training gave: a table, its card and, where the output is the model, the model's file. */
const trainingOutputSchema = z.strictObject({
  type: z.literal('sealroom/training/v1'),
  ...outputFields,
  card: trainingCardSchema,
  /** An ONNX file in unpadded base64url, and the SHA-256 of its bytes. */
  model: z
    .strictObject({
      onnx: z
        .string()
        .regex(/^[A-Za-z0-9_-]+$/)
        .max(32_000_000),
      sha256: digestSchema,
    })
    .nullable(),
})

/** The content of a sealed output, as canonical JSON, padded before it is sealed. */
export const releasedOutputSchema = z.discriminatedUnion('type', [queryOutputSchema, trainingOutputSchema])

export type ReleasedTable = z.infer<typeof releasedTableSchema>
export type ReleasedOutput = z.infer<typeof releasedOutputSchema>
