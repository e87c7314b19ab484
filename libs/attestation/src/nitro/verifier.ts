/**
 * The verifier of `nitro` evidence: a document that carries its own certificates. Its user data are the report data that bind it to
 * an Offer, all 64 bytes of them.
 */
import { toHex } from '#libs/canonical'
import { authenticEvidence } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { entryFor, type ReferenceValues } from '../reference-values.js'
import { authenticateNitroDocument, awsNitroRoots } from './authenticate.js'

const reportDataLength = 64
const zero = '00'.repeat(48)

/** A verifier that trusts these roots; AWS's own unless told otherwise. */
export function nitroVerifierWith(roots: readonly string[]): EvidenceVerifier {
  return {
    kind: 'nitro',
    authenticate: (evidence, context) =>
      new Promise((resolve) => {
        resolve(authenticate(evidence, context, roots))
      }),
    appraise,
  }
}

/** The verifier that trusts AWS. */
export const nitroVerifier = nitroVerifierWith(awsNitroRoots)

function authenticate(
  evidence: Evidence,
  { now, checklist }: VerifierContext,
  roots: readonly string[],
): AuthenticEvidence {
  const document = authenticateNitroDocument(evidence.bytes, { at: now, roots })
  checklist.held({
    stage: 'authenticate',
    check: 'signature',
    expected: 'signed by a key that AWS certifies',
    seen: `signed by the hypervisor of ${document.moduleId}`,
  })
  const { userData } = document
  checklist.demand({
    stage: 'authenticate',
    check: 'user_data',
    expected: `${reportDataLength} bytes`,
    seen: `${userData?.length ?? 0} bytes`,
    ok: userData?.length === reportDataLength,
    code: 'BINDING_MISMATCH',
  })
  const pcrs = [...document.pcrs].map(([index, value]) => [`pcr${index}`, toHex(value)] as const)
  return authenticEvidence({
    kind: 'nitro',
    reportData: userData ?? new Uint8Array(),
    measurement: toHex(document.pcrs.get(0) ?? new Uint8Array()),
    issuedAt: document.timestamp,
    vouchedUntil: document.certificatesUntil,
    chip: null,
    claims: { moduleId: document.moduleId, ...Object.fromEntries(pcrs) },
  })
}

/** Compares measurements; that of the image, PCR0, is compared by verify-enclave.ts. */
function appraise(
  { claims, measurement }: AuthenticEvidence,
  reference: ReferenceValues,
  { checklist }: VerifierContext,
): void {
  const demand = checklist.ofClaims
  const { role, instance, signer = [zero] } = entryFor(reference, 'nitro')
  const isDebug = measurement === zero
  demand('debug', 'off', isDebug ? 'on: PCR0 is zero' : 'off', !isDebug, 'IMAGE_NOT_PRODUCTION')
  for (const [name, expected] of [
    ['pcr3', role],
    ['pcr4', instance],
    ['pcr8', signer],
  ] as const) {
    if (expected === undefined) continue
    const seen = claims[name]
    const text = typeof seen === 'string' ? seen : 'missing'
    demand(name, expected.join(' or '), text, expected.includes(text))
  }
}
