/** Who takes part, who governs, and which log records it. */
import { z } from 'zod'
import { nameSchema, textSchema } from './names.js'
import { dateSchema, digestSchema, positiveSchema, secretSchema, thumbprintSchema } from './quantities.js'

/** What a party may be to a contract. `data` owns datasets, `model` owns models. */
export const roles = ['data', 'recipient', 'approver', 'requester', 'auditor', 'model'] as const
export type Role = (typeof roles)[number]

/** A list in which nothing stands twice. */
export function distinct<Item extends z.ZodType>(item: Item, maximum = 100) {
  return z
    .array(item)
    .max(maximum)
    .refine((items) => new Set(items).size === items.length, 'each at most once')
}

export const labels = distinct(nameSchema)
export const someLabels = labels.min(1)

export const partySchema = z.strictObject({
  key: thumbprintSchema,
  roles: distinct(z.enum(roles)).min(1),
})

export const governanceSchema = z.strictObject({
  signatories: someLabels,
  proposalExpires: dateSchema,
  /** Who must sign an amendment: every signatory of this contract, or at least so many of them. */
  amend: z.union([z.literal('all'), z.strictObject({ count: positiveSchema })]).default('all'),
  /** Who may end the contract, or revoke builds and chips for everybody. */
  revokers: labels.default([]),
  supersedes: digestSchema.optional(),
})

/** A host and path without scheme, as signed notes name a log. */
const originSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9._/:-]{0,198}[a-z0-9])?$/)

/** A raw Ed25519 key in base64url, or a verifier key of a signed note (name+hash+base64). */
const logKeySchema = z
  .string()
  .regex(/^(?:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]|[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{20,200}={0,2})$/)

export const logSchema = z.strictObject({
  origin: originSchema,
  key: logKeySchema,
  coordinator: thumbprintSchema,
  /** Under it the pseudonyms in log leaves are made; known to the parties, auditors and the coordinator. */
  secret: secretSchema,
  witnesses: someLabels,
  quorum: positiveSchema.max(100),
  checkpoint: textSchema(8192),
})

/** Limits of every run. All have defaults; the signed form holds them all. */
export const runsSchema = z.strictObject({
  leaseSeconds: z.int().min(5).max(3600).default(60),
  timeGridMilliseconds: z.int().min(1).max(60_000).default(100),
  recordWaitSeconds: z.int().min(1).max(3600).default(60),
  maximumSeconds: z.int().min(1).max(604_800).default(3600),
  failures: z.int().min(1).max(1000).default(5),
  reuse: z.enum(['never', 'sameContract']).default('never'),
})
