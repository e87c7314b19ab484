/** The production worker over a made-up machine. A file that a test writes for one run calls it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { EvidenceVerifier, TrustedHardware } from '#libs/attestation'
import { runCommand } from '../../../apps/enclave/src/command-line.js'
import { gpuToolAt, gpuToolPath } from '../../../apps/enclave/src/guest/gpu-tool.js'
import { vtpmByTools } from '../../../apps/enclave/src/guest/vtpm.js'
import { hardwareTeeWith } from '../../../apps/enclave/src/hardware-tee.js'
import { hardwareOf, type MadeUpRoots } from './made-up-roots.js'
import { servedTsm } from './tsm-client.js'

/** A worker's made-up machine. */
export interface MadeUpWorker {
  readonly roots: MadeUpRoots
  /** Where its configfs-tsm is served. */
  readonly socket: string
  /** A program that stands in for NVIDIA's tool. */
  readonly gpuTool: string
  /** False: a hostile operator's, which shows its evidence whatever it is. */
  readonly checksItself: boolean
}

/** The production worker over a made-up machine; `url` is that of the file that calls this, which its instances run too. */
export async function runMadeUpWorker(url: string, worker: MadeUpWorker): Promise<void> {
  const { roots, socket, gpuTool, checksItself } = worker
  const hardware = hardwareOf(roots)
  const tee = hardwareTeeWith({
    files: servedTsm(socket),
    vtpm: vtpmByTools('/nowhere', '/nowhere'),
    isThere: (path) => path === gpuToolPath && existsSync(gpuTool),
    hardware: checksItself ? hardware : believingAnything(hardware),
    gpuToolAt: () => gpuToolAt(gpuTool),
  })
  process.exit(await runCommand(tee, fileURLToPath(url), process.argv.slice(2)))
}

// What a hostile operator takes out of a worker's code: its look at its own evidence.
function believingAnything({ verifiers }: TrustedHardware): TrustedHardware {
  return {
    verifiers: verifiers.map((verifier): EvidenceVerifier => ({
      ...verifier,
      appraise: () => undefined,
      authenticate: (evidence, context) => verifier.authenticate(evidence, context),
    })),
    gpus: { verify: () => [] },
  }
}
