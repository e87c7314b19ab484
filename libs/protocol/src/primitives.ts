/** The small types of which statements and messages are made. All are strict: foreign text is never trimmed, padded or coerced. */
import { z } from 'zod'
import type { PublicKey } from '#libs/canonical'

/** SHA-256 as 64 lower-case hexadecimal characters. */
export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal characters')

/** RFC 7638 thumbprint: SHA-256 as 43 characters of base64url. */
export const thumbprintSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected a 43-character thumbprint')

/** Unpadded base64url of exactly `bytes` bytes. */
export function bytesSchema(bytes: number): z.ZodString {
  const length = Math.ceil((bytes * 4) / 3)
  return z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`), `expected ${bytes} bytes of base64url`)
}

/** Unpadded base64url of at most `bytes` bytes. */
export function boundedBytesSchema(bytes: number): z.ZodString {
  return z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/, 'expected base64url')
    .max(Math.ceil((bytes * 4) / 3), `expected at most ${bytes} bytes of base64url`)
}

/** ISO 8601, UTC, milliseconds: one spelling per instant. */
export const timeSchema = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'expected a time like 2026-11-01T09:30:00.000Z')
  .refine((text) => new Date(text).getTime() >= 0 && new Date(text).toISOString() === text, 'no such time')

/** A name that a contract gives: ASCII identifier, or NFC letters of one script (checked by the contract's own schema). */
export const nameSchema = z.string().min(1).max(64)

/** A count that JSON and JavaScript hold exactly. */
export const countSchema = z.int().min(0)

/** Text written by a person. */
export const textSchema = z.string().max(2000)

export const publicKeySchema = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: bytesSchema(32),
}) satisfies z.ZodType<PublicKey>

/** An HPKE public key with its suite: X-Wing, HKDF-SHA256, AES-256-GCM (RFC 9180; KEM 0x647a). */
export const sealingKeySchema = z.strictObject({
  suite: z.literal('xwing-hkdf-sha256-aes256gcm'),
  publicKey: bytesSchema(1216),
})

/** A 32-byte key sealed by HPKE in single shot. */
export const sealedKeySchema = z.strictObject({
  encapsulated: bytesSchema(1120),
  ciphertext: bytesSchema(48),
})

/** Integer units: runs and rows as counts, ε and δ in millionths and in 10⁻¹² parts. */
export const amountsSchema = z.strictObject({
  runs: countSchema,
  rows: countSchema,
  epsilonMicro: countSchema,
  deltaPico: countSchema,
})

export type Amounts = z.infer<typeof amountsSchema>
export type SealingPublicKey = z.infer<typeof sealingKeySchema>
export type SealedKeyMessage = z.infer<typeof sealedKeySchema>

/** How a worker confines its engines; `process` means that user namespaces or bubblewrap were missing. */
export const sandboxSchema = z.enum(['bubblewrap', 'process'])

/** What a refusal says: which rule, what it wanted, what it saw, who can change that. Never data. */
export const refusalReasonSchema = z.strictObject({
  rule: z.string().min(1).max(100),
  expected: z.string().max(500),
  seen: z.string().max(500),
  who: z.string().max(200),
  text: z.string().max(1000),
})

export type RefusalReason = z.infer<typeof refusalReasonSchema>

/** Kinds of TEE and of their evidence, as contracts and statements name them. */
export const teeSchema = z.enum([
  'simulated',
  'sev-snp',
  'tdx',
  'nitro',
  'az-snp-vtpm',
  'az-tdx-vtpm',
  'maa-snp',
  'maa-tdx',
  'gcp-cs',
])
