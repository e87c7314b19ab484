import { z } from 'zod'
import {
  countSchema,
  digestSchema,
  nameSchema,
  sandboxSchema,
  sealedKeySchema,
  thumbprintSchema,
  timeSchema,
} from '../primitives.js'
import { statementKind, statementSchema } from './envelope.js'
import { inputSchema } from './run-request.js'
import { buildSchema } from './round.js'

const runFields = { contract: digestSchema, run: digestSchema, round: countSchema.min(1) }

/** How a run that started can have ended: all that leaves about a failure. */
export const outcomes = [
  'completed',
  'inputUnreadable',
  'inputMismatch',
  'requestInvalid',
  'queryFailed',
  'modelRefused',
  'modelFailed',
  'outOfMemory',
  'timedOut',
  'resultTooLarge',
  'engineFailed',
] as const

export type Outcome = (typeof outcomes)[number]

/** The worker has everything it needs and begins. */
export const startSchema = statementSchema('start', {
  ...runFields,
  offers: z.array(digestSchema).min(1).max(64),
  releases: z.array(digestSchema).min(1).max(1000),
})

/** What the enclave did: on which inputs, under which releases, with which controls, and what it sealed for whom. */
export const receiptSchema = statementSchema('receipt', {
  ...runFields,
  offers: z.array(digestSchema).min(1).max(64),
  evidence: z.array(digestSchema).min(1).max(64),
  build: buildSchema,
  sandbox: sandboxSchema,
  start: digestSchema,
  releases: z.array(digestSchema).min(1).max(1000),
  renewals: z.array(z.strictObject({ owner: thumbprintSchema, renewal: digestSchema.nullable() })).max(1000),
  inputs: z
    .array(inputSchema.extend({ spend: digestSchema }))
    .min(1)
    .max(1000),
  computation: nameSchema,
  engine: z.strictObject({ name: z.string().max(100), version: z.string().max(100) }),
  outputs: z
    .array(
      z.strictObject({
        name: nameSchema,
        digest: digestSchema,
        size: countSchema.min(1),
        recipients: z
          .array(z.strictObject({ party: thumbprintSchema, identity: digestSchema.nullable() }))
          .min(1)
          .max(100),
        controls: z.array(z.string().max(100)).min(1).max(50),
      }),
    )
    .max(100),
  startedAt: timeSchema,
  finishedAt: timeSchema,
  outcome: z.enum(outcomes),
  simulated: z.boolean(),
})

/** The keys of the outputs, each sealed to its recipient; signed only when the Receipt is recorded. `identity` null means the request's one-time key. */
export const outputKeysSchema = statementSchema('output-keys', {
  ...runFields,
  receipt: digestSchema,
  checkpoint: z.strictObject({ size: countSchema.min(1), root: digestSchema }),
  keys: z
    .array(
      z.strictObject({
        output: nameSchema,
        recipient: thumbprintSchema,
        identity: digestSchema.nullable(),
        key: sealedKeySchema,
      }),
    )
    .max(1000),
})

/** A recipient takes an output. */
export const fetchSchema = statementSchema('fetch', {
  contract: digestSchema,
  run: digestSchema,
  output: nameSchema,
})

export type Start = z.infer<typeof startSchema>
export type Receipt = z.infer<typeof receiptSchema>
export type OutputKeys = z.infer<typeof outputKeysSchema>
export type Fetch = z.infer<typeof fetchSchema>
export const startKind = statementKind('start', startSchema)
export const receiptKind = statementKind('receipt', receiptSchema)
export const outputKeysKind = statementKind('output-keys', outputKeysSchema)
export const fetchKind = statementKind('fetch', fetchSchema)
