import { judgeConfidentialSpace } from '#libs/attestation'
import { optionalTextOf, type EvidenceAdapter } from './adapter.js'
import { tokenOf, tokenTrustOf } from './token.js'

/** Cases of kind `gcp-cs`. */
export const gcpCs: EvidenceAdapter = (inputs) =>
  judgeConfidentialSpace(
    tokenOf(inputs),
    { audience: optionalTextOf(inputs, 'audience') ?? null, nonce: optionalTextOf(inputs, 'nonce') ?? null },
    tokenTrustOf(inputs),
  )
