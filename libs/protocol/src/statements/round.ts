import { z } from 'zod'
import {
  amountsSchema,
  bytesSchema,
  countSchema,
  digestSchema,
  nameSchema,
  publicKeySchema,
  refusalReasonSchema,
  sandboxSchema,
  sealedKeySchema,
  sealingKeySchema,
  teeSchema,
  thumbprintSchema,
  timeSchema,
} from '../primitives.js'
import { statementKind, statementSchema } from './envelope.js'

const runFields = { contract: digestSchema, run: digestSchema, round: countSchema.min(1) }

/** Fresh bytes of one owner for one round, so that no Offer can have been made before it. */
export const nonceSchema = statementSchema('nonce', {
  ...runFields,
  place: countSchema,
  nonce: bytesSchema(32),
})

/** What runs in the enclave: a name and version for people, the measurement for evidence. */
export const buildSchema = z.strictObject({
  name: z.string().min(1).max(100),
  version: z.string().min(1).max(100),
  measurement: z.string().regex(/^(?:[0-9a-f]{2}){16,64}$/),
})

/**
 * An enclave's fresh keys for one round of one run, and everything they are bound to. Signed by the receipt key in it;
 * what makes it believable is the evidence over its payload bytes.
 */
export const offerSchema = statementSchema('offer', {
  ...runFields,
  enclave: countSchema,
  place: countSchema,
  places: countSchema.min(1),
  hpkeKey: sealingKeySchema,
  receiptKey: publicKeySchema,
  nonces: z.record(thumbprintSchema, bytesSchema(32)),
  identities: z.record(thumbprintSchema, digestSchema),
  shareHolders: z.array(thumbprintSchema).max(100),
  build: buildSchema,
  sandbox: sandboxSchema,
  gpuEvidence: z.array(digestSchema).max(64).nullable(),
  expiresAt: timeSchema,
})

/** Names the hardware's bytes for an Offer; the bytes are kept beside the log. */
export const evidenceSchema = statementSchema('evidence', {
  ...runFields,
  offer: digestSchema,
  kind: teeSchema,
  evidenceDigest: digestSchema,
})

/** An owner has verified the Offers of a round itself and would release for them. */
export const acceptSchema = statementSchema('accept', {
  ...runFields,
  offers: digestSchema,
  manifests: z.array(digestSchema).min(1).max(1000),
  evidence: z.array(digestSchema).min(1).max(64),
  collateral: z.array(digestSchema).max(64),
  expiresAt: timeSchema,
})

/** One link of the chain of what an owner has spent of a dataset. Durable, then in the log, before any key is handed over. */
export const spendSchema = statementSchema('spend', {
  contract: digestSchema,
  run: digestSchema,
  dataset: nameSchema,
  amounts: amountsSchema,
  sequence: countSchema.min(1),
  total: amountsSchema,
  previous: digestSchema.nullable(),
})

/** The segment keys that the computation reads, and the request key, sealed to one Offer; a lease until the time named. */
export const keyReleaseSchema = statementSchema('key-release', {
  ...runFields,
  offers: digestSchema,
  offer: digestSchema,
  place: countSchema,
  dataset: nameSchema,
  manifest: digestSchema,
  spend: digestSchema,
  segmentKeys: z
    .array(z.strictObject({ segment: nameSchema, key: sealedKeySchema }))
    .min(1)
    .max(2000),
  requestKey: sealedKeySchema,
  leaseUntil: timeSchema,
})

/** An owner says no, and why. */
export const refusalSchema = statementSchema('refusal', {
  contract: digestSchema,
  run: digestSchema,
  round: countSchema,
  step: z.enum(['request', 'nonce', 'accept', 'spend', 'release']),
  reasons: z.array(refusalReasonSchema).min(1).max(50),
})

/** An owner's lease goes on. Holds no key, is no release, is not logged. */
export const renewalSchema = statementSchema('renewal', {
  ...runFields,
  offers: digestSchema,
  sequence: countSchema.min(1),
  leaseUntil: timeSchema,
})

export type Nonce = z.infer<typeof nonceSchema>
export type Build = z.infer<typeof buildSchema>
export type Offer = z.infer<typeof offerSchema>
export type EvidenceStatement = z.infer<typeof evidenceSchema>
export type Accept = z.infer<typeof acceptSchema>
export type Spend = z.infer<typeof spendSchema>
export type KeyRelease = z.infer<typeof keyReleaseSchema>
export type Refusal = z.infer<typeof refusalSchema>
export type Renewal = z.infer<typeof renewalSchema>
export const nonceKind = statementKind('nonce', nonceSchema)
export const offerKind = statementKind('offer', offerSchema)
export const evidenceKind = statementKind('evidence', evidenceSchema)
export const acceptKind = statementKind('accept', acceptSchema)
export const spendKind = statementKind('spend', spendSchema)
export const keyReleaseKind = statementKind('key-release', keyReleaseSchema)
export const refusalKind = statementKind('refusal', refusalSchema)
export const renewalKind = statementKind('renewal', renewalSchema)
