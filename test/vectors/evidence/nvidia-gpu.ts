import {
  certificateFingerprint,
  judgeGpus,
  judgeManifests,
  nvidiaDeviceRoots,
  nvidiaRimRoots,
  type EvidenceVerdict,
  type GpuEvidence,
} from '#libs/attestation'
import { fromHex } from '#libs/canonical'
import {
  CaseUnreadable,
  fileOf,
  optionalFileOf,
  optionalTextOf,
  type CaseInputs,
  type EvidenceAdapter,
} from './adapter.js'

/** Cases of kind `nvidia-gpu`, to the roots that the case pins. */
export const nvidiaGpu: EvidenceAdapter = async (inputs) => {
  const format = optionalTextOf(inputs, 'format')
  const names = manifestNames(inputs)
  const manifests = names.map((name) => fileOf({ ...inputs, fields: { name } }, 'name'))
  const trust = {
    at: inputs.at,
    deviceRoots: rootsOf(inputs, 'root', nvidiaDeviceRoots),
    manifestRoots: rootsOf(inputs, 'rimRoot', nvidiaRimRoots),
  }
  if (format === 'rim-only') return judgeManifests(manifests, trust)
  const nonce = optionalTextOf(inputs, 'nonce')
  const request = { nonce: nonce === undefined ? null : fromHex(nonce), manifests }
  return withFileNames(await judgeGpus(evidenceOf(inputs, format), request, trust), names)
}

function evidenceOf(inputs: CaseInputs, format: string | undefined): GpuEvidence {
  const evidence = fileOf(inputs, 'evidence')
  switch (format) {
    case 'spdm-hex':
      return { format, evidence, chain: fileOf(inputs, 'chain') }
    case 'nvsdk-json':
    case 'evidences-json':
    case 'nras-request-json':
      return { format, evidence }
    case undefined:
    default:
      throw new CaseUnreadable(`the format of the case is ${format ?? 'absent'}`)
  }
}

function manifestNames({ fields }: CaseInputs): readonly string[] {
  const names = fields['rims'] ?? []
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new CaseUnreadable('the rims of the case are no file names')
  return names
}

// NVIDIA's own where a case pins none.
function rootsOf(inputs: CaseInputs, role: string, own: readonly string[]): readonly string[] {
  const root = optionalFileOf(inputs, role)
  return root === undefined ? own : [certificateFingerprint(root)]
}

// A case names manifests by their files, which the verifier does not know.
function withFileNames(verdict: EvidenceVerdict, names: readonly string[]): EvidenceVerdict {
  const { rim } = verdict.facts
  if (!Array.isArray(rim)) return verdict
  const named = rim.map((entry, at) => {
    const { active = null, match = null, differing = null } = entry as Record<string, never>
    return { file: names[at] ?? null, active, match, differing }
  })
  return { ...verdict, facts: { ...verdict.facts, rim: named } }
}
