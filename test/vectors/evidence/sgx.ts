import { judgeSgxQuote } from '#libs/attestation'
import type { EvidenceAdapter } from './adapter.js'
import { intelRootsOf, quoteFilesOf } from './tdx.js'

/** Cases of kind `sgx`. */
export const sgx: EvidenceAdapter = (inputs) =>
  judgeSgxQuote(quoteFilesOf(inputs), { at: inputs.at, roots: intelRootsOf(inputs) })
