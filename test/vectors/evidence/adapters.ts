import type { EvidenceAdapter } from './adapter.js'
import { azSnpVtpm } from './az-snp-vtpm.js'
import { azTdxVtpm } from './az-tdx-vtpm.js'
import { compositeOf } from './composite.js'
import { gcpCs } from './gcp-cs.js'
import { maa } from './maa.js'
import { nitro } from './nitro.js'
import { nras } from './nras.js'
import { nvidiaGpu } from './nvidia-gpu.js'
import { sevSnp } from './sev-snp.js'
import { sgx } from './sgx.js'
import { tdx } from './tdx.js'

// A new kind is one file and one line here.
const alone: ReadonlyMap<string, EvidenceAdapter> = new Map([
  ['az-snp-vtpm', azSnpVtpm],
  ['az-tdx-vtpm', azTdxVtpm],
  ['gcp-cs', gcpCs],
  ['maa', maa],
  ['nitro', nitro],
  ['nras', nras],
  ['nvidia-gpu', nvidiaGpu],
  ['sev-snp', sevSnp],
  ['sgx', sgx],
  ['tdx', tdx],
])

/** The kinds of evidence that are judged, by their name in cases: each kind alone, and several bound to each other. */
export const evidenceAdapters: ReadonlyMap<string, EvidenceAdapter> = new Map([
  ...alone,
  ['composite', compositeOf(alone)],
])
