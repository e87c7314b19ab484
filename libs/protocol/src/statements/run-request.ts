import { z } from 'zod'
import {
  countSchema,
  digestSchema,
  nameSchema,
  sealedKeySchema,
  sealingKeySchema,
  textSchema,
  thumbprintSchema,
  timeSchema,
} from '../primitives.js'
import { statementKind, statementSchema } from './envelope.js'

/** One input of a run: the exact version of one owner's part of a dataset. */
export const inputSchema = z.strictObject({
  dataset: nameSchema,
  owner: thumbprintSchema,
  manifest: digestSchema,
})

/**
 * Asks for one run of a computation that the contract names. Its id is the run's id. The sealed part (parameters, later
 * the text of a free query) is encrypted under a request key, which is sealed to every data owner, approver and auditor.
 */
export const runRequestSchema = statementSchema('run-request', {
  contract: digestSchema,
  computation: nameSchema,
  inputs: z.array(inputSchema).min(1).max(1000),
  purpose: textSchema.min(1),
  expiresAt: timeSchema,
  sealed: z.strictObject({
    digest: digestSchema,
    size: countSchema.min(1).max(1_048_576),
    keys: z
      .array(z.strictObject({ party: thumbprintSchema, identity: digestSchema, key: sealedKeySchema }))
      .min(1)
      .max(200),
  }),
  resultKey: sealingKeySchema.nullable(),
})

const released = z.strictObject({ output: nameSchema, recipient: thumbprintSchema }).nullable()

/** A person of an approver says yes, to a run or (later) to the release of one output to one recipient. */
export const approvalSchema = statementSchema('approval', {
  contract: digestSchema,
  run: digestSchema,
  release: released,
  expiresAt: timeSchema,
})

/** A person of an approver says no. */
export const denialSchema = statementSchema('denial', {
  contract: digestSchema,
  run: digestSchema,
  release: released,
  expiresAt: timeSchema,
  reason: textSchema,
})

/** What the sealed part of a request holds once opened. Its length is padded before sealing. */
export const requestPartSchema = z.strictObject({
  parameters: z.record(nameSchema, z.union([z.string(), z.int(), z.boolean(), z.null()])),
  query: z.string().max(20_000).nullable(),
})

export type RunInput = z.infer<typeof inputSchema>
export type RunRequest = z.infer<typeof runRequestSchema>
export type Approval = z.infer<typeof approvalSchema>
export type Denial = z.infer<typeof denialSchema>
export type RequestPart = z.infer<typeof requestPartSchema>
export const runRequestKind = statementKind('run-request', runRequestSchema)
export const approvalKind = statementKind('approval', approvalSchema)
export const denialKind = statementKind('denial', denialSchema)
