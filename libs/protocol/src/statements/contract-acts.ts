import { z } from 'zod'
import {
  countSchema,
  digestSchema,
  nameSchema,
  textSchema,
  thumbprintSchema,
  timeSchema,
} from '../primitives.js'
import { statementKind, statementSchema } from './envelope.js'

/** The coordinator records that every signatory has signed; it must be in the log before the proposal expires. */
export const activationSchema = statementSchema('activation', {
  contract: digestSchema,
  signatures: z
    .array(z.strictObject({ signatory: thumbprintSchema, statement: digestSchema }))
    .min(1)
    .max(100),
})

/**
 * A sealed version of a dataset: where its ciphertext is, never a digest of plaintext. A table has columns, a unit and segments that
 * hold its columns; a model has none of these, and one segment, the file.
 */
export const manifestSchema = statementSchema('manifest', {
  contract: digestSchema,
  dataset: nameSchema,
  sequence: countSchema.min(1),
  previous: digestSchema.nullable(),
  kind: z.enum(['table', 'model']),
  columns: z
    .array(
      z.strictObject({
        name: nameSchema,
        type: z.enum(['string', 'int', 'double', 'bool', 'date', 'timestamp']),
        nullable: z.boolean(),
      }),
    )
    .max(2000),
  unit: nameSchema.nullable(),
  /** the dataset version that the chunked-encryption context of every segment names */
  version: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  segments: z
    .array(
      z.strictObject({
        name: nameSchema,
        columns: z.array(nameSchema).max(2000),
        ciphertextDigest: digestSchema,
        size: countSchema.min(1),
      }),
    )
    .min(1)
    .max(2000),
}).refine(isWhole, 'a table without columns or unit, or a model with any')

function isWhole({
  kind,
  columns,
  unit,
  segments,
}: {
  readonly kind: 'table' | 'model'
  readonly columns: readonly unknown[]
  readonly unit: string | null
  readonly segments: readonly { readonly columns: readonly string[] }[]
}): boolean {
  if (kind === 'table')
    return columns.length > 0 && unit !== null && segments.every((segment) => segment.columns.length > 0)
  return columns.length === 0 && unit === null && segments.length === 1 && segments[0]?.columns.length === 0
}

/** What stops, from when. Earlier runs are flagged, not invalidated. */
export const revocationSchema = statementSchema('revocation', {
  contract: digestSchema,
  subject: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('contract') }),
    z.strictObject({ kind: z.literal('build'), measurement: z.string().regex(/^(?:[0-9a-f]{2}){16,64}$/) }),
    z.strictObject({ kind: z.literal('chip'), chip: z.string().min(1).max(200) }),
  ]),
  from: timeSchema,
  reason: textSchema,
})

/** An owner takes its data out, at once and alone; `manifest` null means every version. */
export const withdrawalSchema = statementSchema('withdrawal', {
  contract: digestSchema,
  dataset: nameSchema,
  manifest: digestSchema.nullable(),
  from: timeSchema,
  reason: textSchema,
})

export type Activation = z.infer<typeof activationSchema>
export type Manifest = z.infer<typeof manifestSchema>
export type Revocation = z.infer<typeof revocationSchema>
export type Withdrawal = z.infer<typeof withdrawalSchema>
export const activationKind = statementKind('activation', activationSchema)
export const manifestKind = statementKind('manifest', manifestSchema)
export const revocationKind = statementKind('revocation', revocationSchema)
export const withdrawalKind = statementKind('withdrawal', withdrawalSchema)
