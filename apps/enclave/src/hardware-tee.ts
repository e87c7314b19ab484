/** TEEs of real hardware: whichever the kernel offers evidence of. There is no way from here to the simulator. */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { vendorHardware, type Collateral, type Evidence, type TrustedHardware } from '#libs/attestation'
import { EnclaveError } from './errors.js'
import { readCollateralFolder } from './guest/collateral-folder.js'
import { gpuToolAt, gpuToolPath, type GpuTool } from './guest/gpu-tool.js'
import { kernelTsmFiles, tsmFolder, type TsmFiles } from './guest/tsm-files.js'
import { openTsmSource } from './guest/tsm-source.js'
import { openVtpmSource } from './guest/vtpm-source.js'
import { vtpmByTools, vtpmDevice, type Vtpm } from './guest/vtpm.js'
import type { Tee } from './tee.js'

/** Devices of TEEs whose evidence this worker does not take, with the reason. */
export const otherDevices = [
  { device: '/dev/sev-guest', why: 'AMD SEV-SNP without configfs-tsm: it needs Linux 6.7' },
  { device: '/dev/tdx_guest', why: 'Intel TDX without configfs-tsm: it needs Linux 6.7' },
  { device: '/dev/nsm', why: 'AWS Nitro: it answers to ioctl alone, which needs native code' },
] as const

/** What a worker finds in its machine, and whose hardware it believes. */
export interface HardwareMachine {
  readonly files: TsmFiles
  readonly vtpm: Vtpm
  readonly isThere: (path: string) => boolean
  readonly hardware: TrustedHardware
  /** The tool at a path where {@link HardwareMachine.isThere} found one. */
  readonly gpuToolAt: (path: string) => GpuTool
}

/** The machine's TEE, looked for by these files. */
export function hardwareTeeWith({ files, vtpm, isThere, hardware, gpuToolAt: toolAt }: HardwareMachine): Tee {
  return {
    title: 'Sealroom enclave worker',
    help: '  --collateral-folder D     what the vendor publishes for this machine: vek, chain, crl; Intel’s nine files, or\n                            collateral.json; or as sealroom attest fetch-collateral wrote it\n',
    open: async ({ simulatorKeyFile, collateralFolder }) => {
      if (simulatorKeyFile !== null)
        throw new EnclaveError(
          'USAGE',
          'this worker has no simulator; --simulator-key-file means nothing to it',
        )
      const collateral = async (evidence: Pick<Evidence, 'kind' | 'bytes' | 'gpu'>): Promise<Collateral> =>
        collateralFolder === null ? {} : await readCollateralFolder(collateralFolder, evidence)
      // The kernel first: where it answers, no paravisor stands between the hardware and the guest.
      if (files.isHere())
        return openTsmSource({
          files,
          hardware,
          gpuTool: isThere(gpuToolPath) ? toolAt(gpuToolPath) : null,
          requestName: () => `sealroom-${randomUUID()}`,
          collateral,
        })
      if (vtpm.isHere()) return openVtpmSource({ vtpm, hardware, collateral })
      throw new EnclaveError('TEE_MISSING', missing(isThere))
    },
  }
}

/** The TEE of the machine that this process runs in, under the vendors' roots. */
export const hardwareTee: Tee = hardwareTeeWith({
  files: kernelTsmFiles,
  vtpm: vtpmByTools(),
  isThere: existsSync,
  hardware: vendorHardware,
  gpuToolAt,
})

function missing(isThere: (path: string) => boolean): string {
  const found = otherDevices.filter(({ device }) => isThere(device))
  if (found.length === 0)
    return `no TEE is here: looked for ${tsmFolder}, ${vtpmDevice}, ${otherDevices.map(({ device }) => device).join(', ')}, found none. Start it in a confidential VM, or try things out with main-simulated.js`
  const there = found.map(({ device, why }) => `${device} (${why})`).join('; ')
  return `no evidence can be had here: ${tsmFolder} is missing; found ${there}. Nothing would be released to it, so it ends`
}
