/**
 * The verifier of `tdx` evidence: a quote, with what Intel publishes for its platform as collateral (see
 * dcap/collateral.ts).
 */
import { authenticateQuote } from '../dcap/authenticate.js'
import { intelRoots } from '../dcap/roots.js'
import { authenticEvidence } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { entryFor, type ReferenceValues } from '../reference-values.js'
import { appraiseTdxClaims } from './appraise.js'
import { tdxClaimsOf, tdxClaimsSchema } from './claims.js'

/** A verifier that trusts these roots, by SHA-256 of their DER. */
export function tdxVerifierWith(roots: readonly string[]): EvidenceVerifier {
  return {
    kind: 'tdx',
    authenticate: (evidence, context) =>
      new Promise((resolve) => {
        resolve(authenticate(evidence, context, roots))
      }),
    appraise,
  }
}

/** The verifier that trusts Intel. */
export const tdxVerifier = tdxVerifierWith(intelRoots)

function authenticate(
  { bytes, collateral }: Evidence,
  { now, checklist }: VerifierContext,
  roots: readonly string[],
): AuthenticEvidence {
  const evidence = { quote: bytes, collateral: collateral ?? null }
  const authentic = authenticateQuote(evidence, 'tdx', { at: now, roots })
  const claims = tdxClaimsOf(authentic)
  checklist.held({
    stage: 'authenticate',
    check: 'signature',
    expected: 'signed by a quoting enclave on a platform that Intel certifies',
    seen: `signed on a platform of ${claims.fmspc}, by collateral valid until ${claims.collateralUntil}`,
  })
  return authenticEvidence({
    kind: 'tdx',
    reportData: authentic.quote.body.reportData,
    measurement: claims.mrTd,
    chip: authentic.platform.ppid,
    issuedAt: null,
    vouchedUntil: authentic.validUntil,
    claims,
  })
}

function appraise(
  evidence: AuthenticEvidence,
  reference: ReferenceValues,
  { checklist }: VerifierContext,
): void {
  appraiseTdxClaims(tdxClaimsSchema.parse(evidence.claims), entryFor(reference, 'tdx'), checklist)
}
