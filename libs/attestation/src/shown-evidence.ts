/**
 * Evidence as it is kept beside its statement: the bytes of the CPU's hardware as they are or, where the Offer names GPUs, canonical JSON
 * with those of all. Bounds what is read; says nothing about whether any of it is genuine.
 */
import { z } from 'zod'
import { canonicalBytes, CodedError, fromBase64url, parseCanonical, toBase64url } from '#libs/canonical'
import { AttestationError } from './errors.js'
import type { Evidence } from './evidence.js'

/** The bytes of all hardware behind one Offer. */
export type EvidenceBytes = Required<Pick<Evidence, 'bytes' | 'gpu'>>

const textSchema = z.string().regex(/^[A-Za-z0-9_-]+$/)
const compositeSchema = z.strictObject({ cpu: textSchema, gpu: z.array(textSchema).min(1).max(64) })

/** What goes beside an Evidence statement. */
export function writeShownEvidence({ bytes, gpu = [] }: Pick<Evidence, 'bytes' | 'gpu'>): Uint8Array {
  if (gpu.length === 0) return bytes
  return canonicalBytes({ cpu: toBase64url(bytes), gpu: gpu.map(toBase64url) })
}

/**
 * Reads what {@link writeShownEvidence} wrote, or what anyone says it did.
 * @param gpuEvidence - What the Offer names of GPUs: it alone says which of the two forms this is.
 * @throws AttestationError `MALFORMED`.
 */
export function parseShownEvidence(shown: Uint8Array, gpuEvidence: readonly string[] | null): EvidenceBytes {
  if (gpuEvidence === null) return { bytes: shown, gpu: [] }
  try {
    const { cpu, gpu } = compositeSchema.parse(parseCanonical(shown))
    return { bytes: fromBase64url(cpu), gpu: gpu.map((text) => fromBase64url(text)) }
  } catch (cause) {
    if (!(cause instanceof CodedError || cause instanceof z.ZodError)) throw cause
    throw new AttestationError('MALFORMED', 'evidence of CPU and GPUs is not canonical JSON of both', {
      stage: 'parse',
      field: 'evidence',
      cause,
    })
  }
}
