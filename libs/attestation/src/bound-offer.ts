/**
 * The fields of an Offer on which its binding to evidence rests, read from the very bytes that evidence covers, so that
 * no caller can check one Offer and use another. The rest of the Offer is the protocol's.
 */
import { z } from 'zod'
import { CodedError, parseCanonical, type JsonValue } from '#libs/canonical'
import { AttestationError } from './errors.js'
import { timeSchema } from './time.js'

const boundFields = z.looseObject({
  type: z.literal('offer'),
  enclave: z.int().min(0),
  issuedAt: timeSchema,
  build: z.looseObject({ measurement: z.string().regex(/^[0-9a-f]+$/) }),
  gpuEvidence: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(64)
    .nullable(),
})

/** What the verdict needs of an Offer. */
export interface BoundOffer {
  /** Index of the contract's `enclaves` entry that the enclave claims to meet. */
  readonly enclave: number
  /** In milliseconds. The measured code takes it from times that data owners signed. */
  readonly issuedAt: number
  readonly measurement: string
  readonly gpuEvidence: readonly string[] | null
  /** The payload as signed. */
  readonly payload: Uint8Array
  readonly value: Readonly<Record<string, JsonValue>>
}

/**
 * Reads an Offer's payload bytes.
 * @throws AttestationError `OFFER_MALFORMED`.
 */
export function parseBoundOffer(payload: Uint8Array): BoundOffer {
  const value = parseJson(payload)
  const result = boundFields.safeParse(value)
  if (!result.success) {
    const field = result.error.issues[0]?.path.join('.') ?? 'offer'
    throw malformed(`the Offer's ${field || 'payload'} is not as it must be`, field, result.error)
  }
  const { enclave, issuedAt, build, gpuEvidence } = result.data
  return {
    enclave,
    issuedAt: Date.parse(issuedAt),
    measurement: build.measurement,
    gpuEvidence,
    payload,
    value: value as Readonly<Record<string, JsonValue>>,
  }
}

function parseJson(payload: Uint8Array): JsonValue {
  try {
    return parseCanonical(payload)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(`an Offer is canonical JSON: ${cause.message}`, 'offer', cause)
  }
}

function malformed(message: string, field: string, cause: unknown): AttestationError {
  return new AttestationError('OFFER_MALFORMED', message, { stage: 'parse', field, cause })
}
