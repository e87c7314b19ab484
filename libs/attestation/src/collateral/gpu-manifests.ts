/**
 * Which of NVIDIA's reference manifests evidence of GPUs asks for: one of the driver, one of the VBIOS of each board. Read from evidence
 * that nobody has verified, as in ask.ts; a word in it that is no version or part number asks for nothing.
 */
import { parseGpuJson, type GpuElement } from '../nvidia-gpu/evidence-file.js'
import { parseOpaque } from '../nvidia-gpu/opaque.js'
import { parseSpdmFrame } from '../nvidia-gpu/spdm.js'

/** One manifest. */
export interface GpuManifestAsk {
  readonly kind: 'gpu-manifest'
  /** NVIDIA's name of it: `NV_GPU_DRIVER_GH100_550.90.07`, `NV_GPU_VBIOS_1010_0200_882_96005E0001`. */
  readonly id: string
}

const maximumIdLength = 80

/**
 * The manifests that evidence of these devices asks for, each once.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `WRONG_TYPE` where evidence cannot even be read.
 */
export function gpuManifestAsksOf(gpu: readonly Uint8Array[]): readonly GpuManifestAsk[] {
  const ids = gpu.flatMap((bytes) => parseGpuJson(bytes, 'nvsdk-json').flatMap(idsOf))
  return [...new Set(ids)].map((id) => ({ kind: 'gpu-manifest', id }))
}

/** The name under which a manifest stands in collateral: of what may be a file name too. */
export function gpuManifestName({ id }: GpuManifestAsk): string {
  return `${gpuManifestPrefix}${id.slice('NV_GPU_'.length).toLowerCase().replaceAll('.', '_')}`
}

/** How the names of manifests in collateral begin. */
export const gpuManifestPrefix = 'gpu_rim_'

function idsOf({ report, chain: [leaf] }: GpuElement): readonly string[] {
  const { driverVersion, vbiosVersion, project, projectSku, chipSku } = parseOpaque(
    parseSpdmFrame(report).opaque,
  )
  const chip = /^[A-Z]{2}\d{3}(?= )/.exec(leaf.subject.commonName ?? '')?.[0]
  const board = [project, projectSku, chipSku, vbiosVersion.replaceAll('.', '').toUpperCase()]
  return [`NV_GPU_DRIVER_${chip ?? ''}_${driverVersion}`, `NV_GPU_VBIOS_${board.join('_')}`].filter(isId)
}

function isId(id: string): boolean {
  return (
    id.length <= maximumIdLength &&
    /^NV_GPU_(?:DRIVER_[A-Z0-9]+_\d+(?:\.\d+){1,3}|VBIOS(?:_[A-Z0-9]+){4})$/.test(id)
  )
}
