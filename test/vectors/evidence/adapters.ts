import type { EvidenceAdapter } from './adapter.js'
import { azSnpVtpm } from './az-snp-vtpm.js'
import { azTdxVtpm } from './az-tdx-vtpm.js'
import { nitro } from './nitro.js'
import { sevSnp } from './sev-snp.js'
import { sgx } from './sgx.js'
import { tdx } from './tdx.js'

/** The kinds of evidence that are judged, by their name in cases. A new kind is one file and one line here. */
export const evidenceAdapters: ReadonlyMap<string, EvidenceAdapter> = new Map([
  ['az-snp-vtpm', azSnpVtpm],
  ['az-tdx-vtpm', azTdxVtpm],
  ['nitro', nitro],
  ['sev-snp', sevSnp],
  ['sgx', sgx],
  ['tdx', tdx],
])
