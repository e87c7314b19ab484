/**
 * The evidence of the simulated TEE: a report in canonical JSON with a detached Ed25519 signature over it, under a domain
 * tag of its own. It has the shape of hardware's evidence and none of its protection.
 */
import { z } from 'zod'
import {
  CodedError,
  canonicalBytes,
  concatBytes,
  domains,
  parseCanonical,
  utf8,
  type JsonValue,
} from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { timeSchema } from '../time.js'

/** Longer evidence is refused before it is parsed. */
export const maximumSimulatedLength = 4096

const reportSchema = z.strictObject({
  tee: z.literal('simulated'),
  measurement: z.string().regex(/^[0-9a-f]{64}$/),
  reportData: z.string().regex(/^[0-9a-f]{128}$/),
  issuedAt: timeSchema,
  key: z.strictObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  }),
})

const signedReportSchema = z.strictObject({
  report: reportSchema,
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
})

/** What the simulator states. */
export type SimulatedReport = Readonly<z.infer<typeof reportSchema>>

/** The report with its signature, unverified. */
export type SignedSimulatedReport = Readonly<z.infer<typeof signedReportSchema>>

/** The bytes that the simulator signs: tag ‖ canonical report. */
export function simulatedMessage(report: SimulatedReport): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8(domains.simulatedEvidence), canonicalBytes(report))
}

/**
 * Reads evidence bytes; nothing is verified.
 * @throws AttestationError `EVIDENCE_TOO_LARGE`, `MALFORMED`, naming the field.
 */
export function parseSimulatedReport(bytes: Uint8Array): SignedSimulatedReport {
  if (bytes.length > maximumSimulatedLength)
    throw new AttestationError(
      'EVIDENCE_TOO_LARGE',
      `simulated evidence has ${bytes.length} bytes; expected at most ${maximumSimulatedLength}`,
      { stage: 'parse', field: 'evidence' },
    )
  const result = signedReportSchema.safeParse(parseJson(bytes))
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.join('.') ?? ''
  throw malformed(`simulated evidence has no valid ${field || 'report'}`, field || 'evidence', result.error)
}

function parseJson(bytes: Uint8Array): JsonValue {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(`simulated evidence is not canonical JSON: ${cause.message}`, 'evidence', cause)
  }
}

function malformed(message: string, field: string, cause: unknown): AttestationError {
  return new AttestationError('MALFORMED', message, { stage: 'parse', field, cause })
}
