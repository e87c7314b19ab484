import { judgeAzureSnp } from '#libs/attestation'
import type { EvidenceAdapter } from './adapter.js'
import { azureFilesOf, nonceOf } from './az-vtpm.js'
import { amdRootsOf } from './sev-snp.js'

/** Cases of kind `az-snp-vtpm`. */
export const azSnpVtpm: EvidenceAdapter = (inputs) =>
  judgeAzureSnp(azureFilesOf(inputs), {
    at: inputs.at,
    nonce: nonceOf(inputs),
    amdRoots: amdRootsOf(inputs),
  })
