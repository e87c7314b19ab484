/** Evidence of GPUs, or of manifests alone, judged as a whole: every element and every manifest must hold. */
import { equalBytes, toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import { authenticateGpuReport, type AuthenticGpuReport, type GpuTrust } from './device.js'
import { parseGpuHex, parseGpuJson, type GpuElement, type GpuJsonFormat } from './evidence-file.js'
import { compareGolden, demandGolden } from './golden-values.js'
import { authenticateManifest, type AuthenticManifest, type ManifestTrust } from './manifest.js'

/** Evidence of GPUs as tools hand it over. */
export type GpuEvidence =
  | { readonly format: GpuJsonFormat; readonly evidence: Uint8Array }
  | { readonly format: 'spdm-hex'; readonly evidence: Uint8Array; readonly chain: Uint8Array }

/** What a verdict is to rest on. */
export interface GpuRequest {
  /** The 32 bytes that the GPUs were asked with; null: none are known, and freshness is not proven. */
  readonly nonce: Uint8Array | null
  /** Manifests to compare with; where there are none, measurements are not compared. */
  readonly manifests: readonly Uint8Array[]
}

/** Reports and manifests that are genuine. */
export interface AuthenticGpus {
  readonly reports: readonly AuthenticGpuReport[]
  readonly manifests: readonly AuthenticManifest[]
}

/**
 * Authenticates every report and every manifest.
 * @throws AttestationError as its parts do.
 */
export function authenticateGpus(
  evidence: GpuEvidence,
  manifests: readonly Uint8Array[],
  trust: GpuTrust & ManifestTrust,
): AuthenticGpus {
  const elements = elementsOf(evidence)
  return {
    reports: elements.map((element) => authenticateGpuReport(element, trust)),
    manifests: manifests.map((manifest) => authenticateManifest(manifest, trust)),
  }
}

function elementsOf(evidence: GpuEvidence): readonly GpuElement[] {
  return evidence.format === 'spdm-hex'
    ? parseGpuHex(evidence.evidence, evidence.chain)
    : parseGpuJson(evidence.evidence, evidence.format)
}

/** Judges evidence of GPUs under the strict policy for production. */
export function judgeGpus(
  evidence: GpuEvidence,
  { nonce, manifests }: GpuRequest,
  trust: GpuTrust & ManifestTrust,
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateGpus(evidence, manifests, trust),
    factsOf: factsOfGpus,
    demandProduction: (gpus) => {
      for (const report of gpus.reports) {
        if (nonce !== null) demandNonce(report, nonce)
        demandGolden(report, gpus.manifests)
      }
    },
  })
}

/**
 * Demands the nonce that a GPU was asked with.
 * @throws AttestationError `BINDING_MISMATCH`.
 */
export function demandNonce({ requestNonce }: AuthenticGpuReport, nonce: Uint8Array): void {
  if (equalBytes(requestNonce, nonce)) return
  const [seen, expected] = [toHex(requestNonce), toHex(nonce)]
  throw new AttestationError(
    'BINDING_MISMATCH',
    `GPU report: request nonce is ${seen}; expected ${expected}`,
    {
      stage: 'bind',
      field: 'request nonce',
    },
  )
}

/** Judges manifests alone: signature, chain and validity. */
export function judgeManifests(
  manifests: readonly Uint8Array[],
  trust: ManifestTrust,
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => {
      if (manifests.length === 0)
        throw new AttestationError('COLLATERAL_MISSING', 'no manifest was given', {
          stage: 'parse',
          field: 'RIM',
        })
      return manifests.map((manifest) => authenticateManifest(manifest, trust))
    },
    factsOf: (authentic) => ({
      rims: authentic.map(({ tagId, version, golden, signerValidity }) => ({
        tag_id: tagId,
        version,
        active: golden.size,
        signer_from: new Date(signerValidity.from).toISOString(),
        signer_to: new Date(signerValidity.until).toISOString(),
      })),
    }),
    demandProduction: () => undefined,
  })
}

/** What reports say, the first for all; and how it compares with each manifest. */
export function factsOfGpus({ reports, manifests }: AuthenticGpus): EvidenceVerdict['facts'] {
  const [first] = reports
  if (first === undefined) return { gpus: 0 }
  const { opaque } = first
  return {
    gpus: reports.length,
    nonce: toHex(first.requestNonce),
    nonces: reports.map(({ requestNonce }) => toHex(requestNonce)),
    blocks: first.measurements.size,
    driver: opaque.driverVersion,
    vbios: opaque.vbiosVersion,
    project: opaque.project,
    project_sku: opaque.projectSku,
    chip_sku: opaque.chipSku,
    fwid: opaque.firmwareId,
    leaf_cn: first.leafName,
    rim: manifests.map((manifest) => {
      const { active, differing } = compareGolden(first, manifest)
      return {
        version: manifest.version,
        active,
        match: active - differing.length,
        differing: [...differing],
      }
    }),
  }
}
