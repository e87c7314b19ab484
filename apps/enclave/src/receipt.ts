/** What the enclave says it did. It names digests, sizes after padding, times on the grid and one word of outcome; no count, no value. */
import type { Verified } from '#libs/canonical'
import { controlTitles, keyOf, outputOf } from '#libs/contract'
import { receiptKind, type Outcome, type Receipt, type Start } from '#libs/protocol'
import type { Part } from './begin.js'
import { EnclaveError } from './errors.js'
import type { Leases } from './leases.js'
import type { MadeOffer, OfferedWorker } from './make-offer.js'
import { recipientKey } from './output-keys.js'
import type { SealedOutput } from './outputs.js'
import { signByEnclave, type Signer } from './statement-by-enclave.js'
import type { Job } from './verify-job.js'

/** What a run came to. */
export interface RunResult {
  readonly outcome: Outcome
  /** Empty unless the outcome is `completed`. */
  readonly outputs: readonly SealedOutput[]
  readonly engine: { readonly name: string; readonly version: string }
}

/** When it began and when it leaves, both on the grid. */
export interface RunTimes {
  readonly startedAt: string
  readonly finishedAt: string
}

export async function makeReceipt(
  job: Job,
  made: MadeOffer,
  start: Verified<Start>,
  parts: readonly Part[],
  leases: Leases,
  { outcome, outputs, engine }: RunResult,
  { startedAt, finishedAt }: RunTimes,
  worker: OfferedWorker,
  signer: Signer,
): Promise<Verified<Receipt>> {
  return await signByEnclave(
    receiptKind,
    {
      // The moment of signing would tell how long the run took; the grid point at which it leaves does not.
      issuedAt: finishedAt,
      contract: job.contract.id,
      run: job.run,
      round: made.offer.payload.round,
      offers: [made.offer.id],
      evidence: [made.evidence.id],
      build: worker.build,
      sandbox: worker.sandbox,
      start: start.id,
      releases: parts.map(({ release }) => release.id),
      renewals: leases.lastRenewals(),
      inputs: parts.map(({ input, spend }) => ({
        dataset: input.dataset,
        owner: input.owner,
        manifest: input.manifest.id,
        spend: spend.id,
      })),
      computation: job.request.payload.computation,
      engine,
      outputs: outputs.map((output) => receiptOutput(job, output)),
      startedAt,
      finishedAt,
      outcome,
      simulated: worker.source.simulated,
    },
    signer,
  )
}

function receiptOutput(job: Job, { name, digest, size }: SealedOutput): Receipt['outputs'][number] {
  const { terms } = job.contract
  const output = outputOf(job.computation, name)
  if (output === undefined)
    throw new EnclaveError('ASSIGNMENT_INVALID', `the computation has no output ${name}`)
  return {
    name,
    digest,
    size,
    recipients: output.recipients.map((label) => {
      const { party, identity } = recipientKey(job, keyOf(terms, label) ?? '')
      return { party, identity }
    }),
    controls: [...controlTitles(terms, output, job.computation.over)],
  }
}
