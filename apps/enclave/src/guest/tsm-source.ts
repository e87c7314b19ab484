/**
 * Evidence of the machine that this worker runs in, by configfs-tsm: an SNP report or a TDX quote over the Offer. What runs here the
 * hardware says, not this code: it reads its own measurement out of a first report, which nobody believes for that.
 */
import { inspectUnverified, type Collateral, type Evidence, type TrustedHardware } from '#libs/attestation'
import { EnclaveError } from '../errors.js'
import type { EvidenceSource } from '../tee.js'
import { entryFor } from './entry-for.js'
import { gpuEvidenceBy, type GpuTool } from './gpu-tool.js'
import { certificatesOf } from './snp-certificates.js'
import type { TsmFiles } from './tsm-files.js'
import { tsmReport, type TsmReport } from './tsm-report.js'

/** What a source is made of. */
export interface TsmMachine {
  readonly files: TsmFiles
  /** A name for a request that no other process uses. */
  readonly requestName: () => string
  /** What lies beside the worker: what the vendor publishes and the host does not hand over. Its files win over the host's. */
  readonly collateral: (evidence: Pick<Evidence, 'kind' | 'bytes' | 'gpu'>) => Promise<Collateral>
  readonly hardware: TrustedHardware
  /** Null: no GPU that could be asked is here. */
  readonly gpuTool: GpuTool | null
}

const kinds = { sev_guest: 'sev-snp', tdx_guest: 'tdx' } as const

/**
 * Opens the machine's TEE.
 * @throws EnclaveError `TEE_FAILED`; AttestationError where its report cannot be read.
 */
export async function openTsmSource(machine: TsmMachine): Promise<EvidenceSource> {
  const first = await ask(machine, new Uint8Array(64))
  const kind = kindOf(first)
  const { unverifiedFacts } = inspectUnverified(first.report, kind)
  const measurement = unverifiedFacts[kind === 'tdx' ? 'mrTd' : 'measurement']
  if (typeof measurement !== 'string') throw new TypeError(`a report of ${kind} without a measurement`)
  return {
    kind,
    simulated: false,
    measurement,
    // The report alone does not show all of it: Intel's collateral says what a TD needs, AMD's certificate names the processor.
    entryAt: async (at) =>
      await entryFor(
        await evidenceOf(await ask(machine, new Uint8Array(64)), [], machine),
        at,
        machine.hardware,
      ),
    entryOf: (enclaves) => {
      const index = enclaves.findIndex(
        (entry) =>
          entry.tee === kind &&
          entry.measurement.includes(measurement) &&
          (entry.gpu === undefined || machine.gpuTool !== null),
      )
      return index === -1 ? null : index
    },
    hardware: machine.hardware,
    gpuEvidence: async (nonces) => await gpuEvidenceBy(machine.gpuTool ?? noGpu, nonces),
    evidence: async (reportData, _now, gpu) => await evidenceOf(await ask(machine, reportData), gpu, machine),
  }
}

function ask({ files, requestName }: TsmMachine, reportData: Uint8Array): Promise<TsmReport> {
  return tsmReport(files, requestName(), reportData)
}

function noGpu(): never {
  throw new EnclaveError('TEE_FAILED', 'the contract demands GPUs; NVIDIA’s tool is not on this machine')
}

async function evidenceOf(
  answer: TsmReport,
  gpu: readonly Uint8Array[],
  machine: TsmMachine,
): Promise<Evidence> {
  const shown = { kind: kindOf(answer), bytes: answer.report, gpu }
  const beside = await machine.collateral(shown)
  const fromHost = shown.kind === 'sev-snp' ? certificatesOf(answer.auxiliary) : {}
  return { ...shown, collateral: { ...fromHost, ...beside } }
}

function kindOf({ provider }: TsmReport): 'sev-snp' | 'tdx' {
  if (provider === 'sev_guest' || provider === 'tdx_guest') return kinds[provider]
  throw new EnclaveError(
    'TEE_FAILED',
    `configfs-tsm: its provider is not known here; expected ${Object.keys(kinds).join(' or ')}`,
  )
}
