/** Roots of made-up makers, for programs that a test puts together in code. The programs themselves know no way to any but the vendors'. */
import {
  nvidiaGpuVerifierWith,
  sevSnpVerifierWith,
  type AmdRoots,
  type NvidiaRoots,
  type TrustedHardware,
} from '#libs/attestation'

/** SHA-256 fingerprints. */
export interface MadeUpRoots {
  readonly amd: AmdRoots
  readonly nvidia: NvidiaRoots
}

/** Hardware of these makers, and of no other. */
export function hardwareOf({ amd, nvidia }: MadeUpRoots): TrustedHardware {
  return { verifiers: [sevSnpVerifierWith(amd)], gpus: nvidiaGpuVerifierWith(nvidia) }
}
