/** The verifier of `sev-snp` evidence: a report, with its certificates as collateral `vek`, `chain` and `crl`. */
import { toHex } from '#libs/canonical'
import { authenticEvidence, neededCollateral } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { entryFor, type ReferenceValues } from '../reference-values.js'
import { appraiseSnpClaims } from './appraise.js'
import { authenticateSnpReport } from './authenticate.js'
import { snpClaimsOf, snpClaimsSchema } from './claims.js'
import { amdRoots, type AmdRoots } from './generations.js'

/** A verifier that trusts these roots; AMD's own unless told otherwise. */
export function sevSnpVerifierWith(roots: AmdRoots): EvidenceVerifier {
  return {
    kind: 'sev-snp',
    authenticate: (evidence, context) =>
      new Promise((resolve) => {
        resolve(authenticate(evidence, context, roots))
      }),
    appraise,
  }
}

/** The verifier that trusts AMD. */
export const sevSnpVerifier = sevSnpVerifierWith(amdRoots)

function authenticate(
  evidence: Evidence,
  { now, checklist }: VerifierContext,
  roots: AmdRoots,
): AuthenticEvidence {
  const authentic = authenticateSnpReport(
    {
      report: evidence.bytes,
      vek: neededCollateral(evidence, 'vek'),
      chain: neededCollateral(evidence, 'chain'),
      crl: neededCollateral(evidence, 'crl'),
    },
    { at: now, roots, revocationList: 'demanded' },
  )
  const claims = snpClaimsOf(authentic)
  const signer = `${claims.generation} ${claims.signingKey}`
  checklist.held({
    stage: 'authenticate',
    check: 'signature',
    expected: 'signed by a key that AMD certifies',
    seen: `signed by a ${signer} certified until ${claims.certificatesUntil}`,
  })
  return authenticEvidence({
    kind: 'sev-snp',
    reportData: authentic.report.reportData,
    measurement: toHex(authentic.report.measurement),
    chip: claims.chipId,
    issuedAt: null,
    vouchedUntil: authentic.vouchedUntil,
    claims,
  })
}

function appraise(
  evidence: AuthenticEvidence,
  reference: ReferenceValues,
  { checklist }: VerifierContext,
): void {
  appraiseSnpClaims(snpClaimsSchema.parse(evidence.claims), entryFor(reference, 'sev-snp'), checklist)
}
