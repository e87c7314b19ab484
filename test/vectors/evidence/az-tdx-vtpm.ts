import { judgeAzureTdx } from '#libs/attestation'
import type { EvidenceAdapter } from './adapter.js'
import { azureFilesOf, nonceOf } from './az-vtpm.js'
import { intelRootsOf } from './tdx.js'

/** Cases of kind `az-tdx-vtpm`. */
export const azTdxVtpm: EvidenceAdapter = (inputs) =>
  judgeAzureTdx(azureFilesOf(inputs), {
    at: inputs.at,
    nonce: nonceOf(inputs),
    intelRoots: intelRootsOf(inputs),
  })
