/**
 * The verifier of `gcp-cs` evidence: a token of Google Confidential Space in compact form, with Google's key set as collateral. The one nonce in
 * it binds it to an Offer, its audience to the purpose that a contract names.
 */
import { authenticEvidence } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { entryFor } from '../reference-values.js'
import { authenticateServiceToken, demandSigner } from '../token/service-token.js'
import { appraiseConfidentialSpace } from './appraise.js'
import { confidentialSpaceClaimsSchema, imageDigestOf, nonceOf, readConfidentialSpace } from './claims.js'
import { confidentialSpaceIssuer } from './production.js'

/** Tokens whose keys a contract names. */
export const confidentialSpaceVerifier: EvidenceVerifier = {
  kind: 'gcp-cs',
  authenticate: (evidence, context) =>
    new Promise((resolve) => {
      resolve(authenticate(evidence, context))
    }),
  appraise: ({ claims }, reference, { checklist }) => {
    const entry = entryFor(reference, 'gcp-cs')
    demandSigner(claims, { issuer: confidentialSpaceIssuer, keys: entry.keys }, checklist.ofClaims)
    appraiseConfidentialSpace(confidentialSpaceClaimsSchema.parse(claims), entry, checklist)
  },
}

function authenticate(evidence: Evidence, context: VerifierContext): AuthenticEvidence {
  const what = 'Confidential Space token'
  const { token, signer, issuedAt, vouchedUntil } = authenticateServiceToken(evidence, what, context)
  return authenticEvidence({
    kind: 'gcp-cs',
    reportData: nonceOf(token.claims),
    carriage: 'nonce',
    measurement: imageDigestOf(token.claims),
    chip: null,
    issuedAt,
    vouchedUntil,
    claims: { ...signer, ...readConfidentialSpace(token.claims) },
  })
}
