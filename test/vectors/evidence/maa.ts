import { judgeMaa } from '#libs/attestation'
import type { EvidenceAdapter } from './adapter.js'
import { tokenOf, tokenTrustOf } from './token.js'

/** Cases of kind `maa`. */
export const maa: EvidenceAdapter = (inputs) => judgeMaa(tokenOf(inputs), tokenTrustOf(inputs))
