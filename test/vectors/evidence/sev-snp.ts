import { amdRoots, certificateFingerprint, judgeSnpReport, type AmdRoots } from '#libs/attestation'
import { fileOf, optionalFileOf, type EvidenceAdapter } from './adapter.js'

/** Cases of kind `sev-snp`. A root of its own, where a case has one, stands in for AMD's. */
export const sevSnp: EvidenceAdapter = (inputs) => {
  const root = optionalFileOf(inputs, 'root')
  const crl = optionalFileOf(inputs, 'crl')
  return judgeSnpReport(
    {
      report: fileOf(inputs, 'report'),
      vek: fileOf(inputs, 'vek'),
      chain: fileOf(inputs, 'chain'),
      ...(crl === undefined ? {} : { crl }),
    },
    { at: inputs.at, roots: root === undefined ? amdRoots : rootsOf(root) },
  )
}

function rootsOf(root: Uint8Array): AmdRoots {
  const pinned = [certificateFingerprint(root)]
  return { milan: pinned, genoa: pinned, turin: pinned }
}
