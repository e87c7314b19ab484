/**
 * The programs of an agent and of a production worker, put together with other makers' roots. What leads to them is code of a test: a file
 * that the test writes for one run calls these functions. The programs themselves know no way to it.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  nvidiaGpuVerifierWith,
  sevSnpVerifierWith,
  type AmdRoots,
  type EvidenceVerifier,
  type NvidiaRoots,
  type TrustedHardware,
} from '#libs/attestation'
import { processWorld } from '../../../apps/agent/src/cli/process-world.js'
import { runCommandLine } from '../../../apps/agent/src/cli/program.js'
import { runCommand } from '../../../apps/enclave/src/command-line.js'
import { gpuToolPath, gpuToolAt } from '../../../apps/enclave/src/guest/gpu-tool.js'
import { hardwareTeeWith } from '../../../apps/enclave/src/hardware-tee.js'
import { servedTsm } from './served-tsm.js'

/** SHA-256 fingerprints of made-up makers' roots. */
export interface MadeUpRoots {
  readonly amd: AmdRoots
  readonly nvidia: NvidiaRoots
}

/** A worker's made-up machine. */
export interface MadeUpWorker {
  readonly roots: MadeUpRoots
  /** Where its configfs-tsm is served. */
  readonly socket: string
  /** A program that stands in for NVIDIA's tool; null: the machine has no GPU. */
  readonly gpuTool: string | null
  /** False: a hostile operator's, which shows its evidence whatever it is. */
  readonly checksItself: boolean
}

/** An agent whose passphrases are cheap, since nobody guesses them here. */
export async function runMadeUpAgent(roots: MadeUpRoots): Promise<void> {
  const world = { ...processWorld(hardwareOf(roots)), scryptCost: { N: 1024, r: 8, p: 1 } } as const
  process.exitCode = await runCommandLine(process.argv.slice(2), world, '0.0.0-test')
}

/** The production worker over a made-up machine; `url` is that of the file that calls this, which its instances run too. */
export async function runMadeUpWorker(url: string, worker: MadeUpWorker): Promise<void> {
  const { roots, socket, gpuTool, checksItself } = worker
  const hardware = hardwareOf(roots)
  const tee = hardwareTeeWith({
    files: servedTsm(socket),
    isThere: (path) => path === gpuToolPath && gpuTool !== null && existsSync(gpuTool),
    hardware: checksItself ? hardware : believingAnything(hardware),
    gpuToolAt: () => gpuToolAt(gpuTool ?? ''),
  })
  process.exit(await runCommand(tee, fileURLToPath(url), process.argv.slice(2)))
}

function hardwareOf({ amd, nvidia }: MadeUpRoots): TrustedHardware {
  return { verifiers: [sevSnpVerifierWith(amd)], gpus: nvidiaGpuVerifierWith(nvidia) }
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
