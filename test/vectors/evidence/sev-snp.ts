import { amdRoots, certificateFingerprint, judgeSnpReport, type AmdRoots } from '#libs/attestation'
import { fileOf, optionalFileOf, type CaseInputs, type EvidenceAdapter } from './adapter.js'

/** Cases of kind `sev-snp`. A root of its own, where a case has one, stands in for AMD's. */
export const sevSnp: EvidenceAdapter = (inputs) => {
  const crl = optionalFileOf(inputs, 'crl')
  return judgeSnpReport(
    {
      report: fileOf(inputs, 'report'),
      vek: fileOf(inputs, 'vek'),
      chain: fileOf(inputs, 'chain'),
      ...(crl === undefined ? {} : { crl }),
    },
    { at: inputs.at, roots: amdRootsOf(inputs) },
  )
}

/** The roots that a case pins: AMD's where it has none of its own. */
export function amdRootsOf(inputs: CaseInputs): AmdRoots {
  const root = optionalFileOf(inputs, 'root')
  if (root === undefined) return amdRoots
  const pinned = [certificateFingerprint(root)]
  return { milan: pinned, genoa: pinned, turin: pinned }
}
