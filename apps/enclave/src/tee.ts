/** What the worker needs of the machine that it runs in: evidence over its keys. */
import type { Digest } from '#libs/canonical'
import type { Evidence, EvidenceKind, TrustedHardware } from '#libs/attestation'
import type { ContractTerms } from '#libs/contract'
import type { Flags } from './flags.js'

/** A TEE that vouches for this process. */
export interface EvidenceSource {
  readonly kind: EvidenceKind
  /** True: nothing protects the data, and every screen, receipt and log line of its runs says so. */
  readonly simulated: boolean
  /** What the evidence will say that runs here. */
  readonly measurement: Digest
  /**
   * What a contract would write to accept this TEE and this build, for people to look at and for a rehearsal. `at` is a time in milliseconds
   * that nobody vouches for: nothing is believed on it.
   * @throws AttestationError where this machine's own evidence does not verify then.
   */
  entryAt(at: number): Promise<ContractTerms['enclaves'][number]>
  /** Index of the first entry of a contract's enclaves that this TEE can hope to meet; null where there is none. */
  entryOf(enclaves: ContractTerms['enclaves']): number | null
  /** What this worker holds its own evidence against before it shows it to anyone. */
  readonly hardware: TrustedHardware
  /**
   * Evidence of this machine's GPUs, each asked with the nonce of its place.
   * @throws EnclaveError `TEE_FAILED` where there are not exactly as many.
   */
  gpuEvidence(nonces: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
  /**
   * Evidence over 64 bytes of report data, with the GPUs' that it covers and the collateral of all. `now` is the enclave's own time; hardware
   * does not ask for it.
   */
  evidence(reportData: Uint8Array, now: number, gpu: readonly Uint8Array[]): Promise<Evidence>
}

/** A kind of TEE, before it is known to be here. */
export interface Tee {
  /** For people, at every start. */
  readonly title: string
  /** Flags of this kind beside those that every worker has, for the help text. */
  readonly help: string
  /** @throws EnclaveError `TEE_MISSING`, `USAGE`. */
  open(flags: Flags): Promise<EvidenceSource>
}
