/**
 * Verifies evidence of the simulated TEE. Guards that the simulator whose key the contract names made it, for this
 * measurement. Says nothing about protection: there is none. That a contract may use it at all is checked in
 * verify-enclave.ts.
 */
import { CodedError, fromBase64url, fromHex, thumbprintOf, verifyBytes } from '#libs/canonical'
import { authenticEvidence } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { AttestationError } from '../errors.js'
import { entryFor, type ReferenceValues } from '../reference-values.js'
import { parseSimulatedReport, simulatedMessage, type SignedSimulatedReport } from './report.js'

/** The verifier of `simulated` evidence. */
export const simulatedVerifier: EvidenceVerifier = { kind: 'simulated', authenticate, appraise }

async function authenticate(evidence: Evidence, { checklist }: VerifierContext): Promise<AuthenticEvidence> {
  const signed = parseSimulatedReport(evidence.bytes)
  const { report } = signed
  const key = thumbprintOf(report.key)
  const ok = await isSigned(signed)
  checklist.demand({
    stage: 'authenticate',
    check: 'signature',
    expected: `signed by ${key}`,
    seen: ok ? `signed by ${key}` : 'not signed by that key',
    ok,
    code: 'SIGNATURE_INVALID',
  })
  return authenticEvidence({
    kind: 'simulated',
    reportData: fromHex(report.reportData),
    measurement: report.measurement,
    chip: null,
    vouchedUntil: null,
    issuedAt: Date.parse(report.issuedAt),
    claims: { key },
  })
}

function appraise(
  evidence: AuthenticEvidence,
  reference: ReferenceValues,
  { checklist }: VerifierContext,
): void {
  const { key } = entryFor(reference, 'simulated')
  const seen = evidence.claims['key']
  checklist.demand({
    stage: 'appraise',
    check: 'key',
    expected: key,
    seen: typeof seen === 'string' ? seen : 'none',
    ok: seen === key,
    code: 'KEY_MISMATCH',
  })
}

async function isSigned({ report, signature }: SignedSimulatedReport): Promise<boolean> {
  try {
    return await verifyBytes(report.key, simulatedMessage(report), fromBase64url(signature))
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new AttestationError(
      'MALFORMED',
      `simulated evidence has an unusable key or signature: ${cause.message}`,
      {
        stage: 'authenticate',
        field: 'report.key',
        cause,
      },
    )
  }
}
