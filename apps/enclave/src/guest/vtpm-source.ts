/**
 * Evidence of an Azure confidential VM on SEV-SNP: the paravisor's report out of the vTPM, and a quote of its registers over the nonce of the Offer.
 * On TDX the quote of the TD comes from a service of the host, which this worker does not ask.
 */
import {
  evidenceNonce,
  inspectUnverified,
  type Collateral,
  type Evidence,
  type TrustedHardware,
} from '#libs/attestation'
import { canonicalBytes, toBase64url, toHex } from '#libs/canonical'
import { EnclaveError } from '../errors.js'
import type { EvidenceSource } from '../tee.js'
import { entryFor } from './entry-for.js'
import type { Vtpm, VtpmQuote } from './vtpm.js'

/** Where Azure's paravisor keeps its report, and the handle of the attestation key in it. */
const reportIndex = '0x01400001'
const attestationKey = '0x81000003'

/** Those that a contract names; what stands above them can be reset by the guest. */
const registers = Array.from({ length: 16 }, (_, index) => index)
const registerLength = 32
const kind = 'az-snp-vtpm'

/** What a source is made of. */
export interface VtpmMachine {
  readonly vtpm: Vtpm
  readonly hardware: TrustedHardware
  /** What lies beside the worker: the certificate of the chip's key, its chain, and AMD's list. */
  readonly collateral: (evidence: Pick<Evidence, 'kind' | 'bytes'>) => Promise<Collateral>
}

/**
 * Opens the machine's TEE.
 * @throws EnclaveError `TEE_FAILED`; AttestationError where the report cannot be read.
 */
export async function openVtpmSource({ vtpm, hardware, collateral }: VtpmMachine): Promise<EvidenceSource> {
  const hcl = await vtpm.readIndex(reportIndex)
  const { unverifiedFacts } = inspectUnverified(hcl, 'hcl-report')
  const measurement = unverifiedFacts['measurement']
  if (typeof measurement !== 'string')
    throw new EnclaveError(
      'TEE_FAILED',
      'vTPM: its report is of Intel TDX, whose quote a service of the host makes; this worker takes evidence of Azure VMs on SEV-SNP alone',
    )
  const evidenceOver = async (reportData: Uint8Array): Promise<Evidence> => {
    const quote = await vtpm.quote(attestationKey, registers, evidenceNonce(reportData))
    const shown = { kind, bytes: documentOf(hcl, quote) } as const
    return { ...shown, collateral: await collateral(shown) }
  }
  return {
    kind,
    simulated: false,
    measurement,
    hardware,
    entryAt: async (at) => await entryFor(await evidenceOver(new Uint8Array(64)), at, hardware),
    entryOf: (enclaves) => {
      const index = enclaves.findIndex(
        (entry) => entry.tee === kind && entry.measurement.includes(measurement),
      )
      return index === -1 ? null : index
    },
    gpuEvidence: (nonces) =>
      nonces.length === 0
        ? Promise.resolve([])
        : Promise.reject(
            new EnclaveError('TEE_FAILED', 'the contract demands GPUs; this worker asks none beside a vTPM'),
          ),
    evidence: (reportData) => evidenceOver(reportData),
  }
}

function documentOf(hcl: Uint8Array, { message, signature, values }: VtpmQuote): Uint8Array {
  if (values.length !== registers.length * registerLength)
    throw new EnclaveError(
      'TEE_FAILED',
      `vTPM: it gives ${values.length} bytes of registers; expected ${registers.length * registerLength}`,
    )
  const pcrs = registers.map((index) =>
    toHex(values.subarray(index * registerLength, (index + 1) * registerLength)),
  )
  return canonicalBytes({
    version: 1,
    hcl_report: toBase64url(hcl),
    tpm_quote: { message: toHex(message), signature: toHex(signature), pcrs },
  })
}
