/**
 * What stands in the log: that a statement of a kind was made, by whose pseudonym, for which run's pseudonym. Bodies are
 * kept beside the log. Guards: a reader of the log learns that acts happen, not who acts across contracts.
 */
import { z } from 'zod'
import {
  CodedError,
  canonicalBytes,
  domains,
  keyedDigest,
  parseCanonical,
  statementTypes,
  utf8,
} from '#libs/canonical'
import type { Digest, JsonValue, Thumbprint } from '#libs/canonical'
import { TranslogError } from './errors.js'

/** Longer leaves are refused before they are parsed. */
export const maximumLeafLength = 1024

/** Bytes in a contract's log secret. */
export const logSecretLength = 32

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal characters')

const leafSchema = z.strictObject({
  version: z.literal(1),
  type: z.enum(statementTypes),
  digest: digestSchema,
  signer: digestSchema.nullable(),
  run: digestSchema.nullable(),
})

/**
 * One record of the log. `digest` is that of the whole JWS; `signer` is null where the statement belongs to no contract,
 * `run` where it belongs to no run.
 */
export type LogLeaf = Readonly<z.infer<typeof leafSchema>>

/**
 * The bytes of a leaf.
 * @throws TranslogError `LEAF_MALFORMED` where our own record is not one.
 */
export function encodeLeaf(leaf: LogLeaf): Uint8Array<ArrayBuffer> {
  return canonicalBytes(checkLeaf(leaf))
}

/**
 * Reads a leaf; the bytes must be the canonical form of a record with exactly these fields.
 * @throws TranslogError `LEAF_MALFORMED`.
 */
export function parseLeaf(bytes: Uint8Array): LogLeaf {
  if (bytes.length > maximumLeafLength)
    throw new TranslogError(
      'LEAF_MALFORMED',
      `a leaf has ${bytes.length} bytes; expected at most ${maximumLeafLength}`,
    )
  return checkLeaf(parseJson(bytes))
}

/**
 * The name of a signer in the leaves of one contract: HMAC under the contract's secret, so that only those who hold the
 * contract can tell, and no two contracts show that they share a party.
 * @throws TranslogError `SECRET_MALFORMED` where the secret is not 32 bytes.
 */
export function signerPseudonym(secret: Uint8Array, signer: Thumbprint): Digest {
  return keyedDigest(domains.signerPseudonym, expectSecret(secret), utf8(signer))
}

/** The name of a run in the leaves of its contract. @throws TranslogError `SECRET_MALFORMED`. */
export function runPseudonym(secret: Uint8Array, run: Digest): Digest {
  return keyedDigest(domains.runPseudonym, expectSecret(secret), utf8(run))
}

function parseJson(bytes: Uint8Array): JsonValue {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new TranslogError('LEAF_MALFORMED', `a leaf is not canonical JSON: ${cause.message}`, { cause })
  }
}

function checkLeaf(value: unknown): LogLeaf {
  const result = leafSchema.safeParse(value)
  if (result.success) return result.data
  const fields = result.error.issues.map((issue) => `${issue.path.join('.') || 'leaf'}: ${issue.message}`)
  throw new TranslogError('LEAF_MALFORMED', fields.slice(0, 5).join('; '), { cause: result.error })
}

function expectSecret(secret: Uint8Array): Uint8Array {
  if (secret.length !== logSecretLength)
    throw new TranslogError(
      'SECRET_MALFORMED',
      `a log secret has ${secret.length} bytes; expected ${logSecretLength}`,
    )
  return secret
}
