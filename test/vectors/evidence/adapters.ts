import type { EvidenceAdapter } from './adapter.js'
import { nitro } from './nitro.js'
import { sevSnp } from './sev-snp.js'

/** The kinds of evidence that are judged, by their name in cases. A new kind is one file and one line here. */
export const evidenceAdapters: ReadonlyMap<string, EvidenceAdapter> = new Map([
  ['nitro', nitro],
  ['sev-snp', sevSnp],
])
