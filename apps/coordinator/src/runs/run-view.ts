/** A run as its parties and its worker see it, and what it waits for. */
import type { Thumbprint } from '#libs/canonical'
import type { RecordedStatement, RunView } from '#libs/protocol'
import type { StoredStatement } from '../storage/rows.js'
import type { RunEntry } from './run-book.js'
import type { RunRecord } from './run-record.js'
import { enoughApprovals } from './run-state.js'

export type Waiting = RunView['waitingFor'][number]

/** What a run waits for and for whom, by state. */
export function waitingFor(run: RunRecord, now: number): readonly Waiting[] {
  const { owners, inputs, approvals, witnesses } = run.terms
  const missing = (what: string, whom: readonly Thumbprint[], reason = ''): readonly Waiting[] => [
    { what, whom: [...new Set(whom)], reason },
  ]
  const without = (done: readonly { readonly owner: Thumbprint; readonly dataset: string }[]) =>
    inputs
      .filter(
        (input) => !done.some(({ owner, dataset }) => owner === input.owner && dataset === input.dataset),
      )
      .map(({ owner }) => owner)
  switch (run.state) {
    case 'awaitingApprovals':
      return enoughApprovals(run, now) || approvals === null
        ? []
        : missing(
            'approval',
            approvals.from.filter((party) => !run.approvals.some(({ by }) => by === party)),
            `${approvals.count} needed`,
          )
    case 'awaitingOwners':
      return owners
        .filter((owner) => run.readiness[owner]?.state !== 'ready')
        .map((owner) => ({
          what: 'readiness',
          whom: [owner],
          reason: run.readiness[owner]?.reason ?? 'has not answered',
        }))
    case 'awaitingWorker':
      return missing('worker', [], 'no fresh worker is waiting')
    case 'collectingNonces':
      return missing(
        'nonce',
        owners.filter((owner) => run.nonces[owner] === undefined),
      )
    case 'awaitingOffer':
      return missing(run.offer === null ? 'offer' : 'evidence', [run.worker ?? ''])
    case 'collectingAccepts':
      return missing(
        'accept',
        owners.filter((owner) => !run.accepts.includes(owner)),
      )
    case 'collectingSpends':
      return missing('spend', without(run.spends))
    case 'recordingSpends':
      return missing(
        'cosignature',
        owners.filter((owner) => !run.cosigned.includes(owner)),
        `checkpoint ${run.spendsCheckpoint ?? 0}`,
      )
    case 'collectingReleases':
      return missing('key-release', without(run.releases))
    case 'running':
      return missing(run.start === null ? 'start' : 'receipt', [run.worker ?? ''])
    case 'recordingReceipt':
      return missing(
        'cosignature',
        [...owners, ...witnesses].filter((party) => !run.cosigned.includes(party)),
        `checkpoint ${run.receiptCheckpoint ?? 0}`,
      )
    case 'awaitingOutputKeys':
      return missing('output-keys', [run.worker ?? ''])
    case 'completed':
    case 'failed':
    case 'denied':
    case 'refused':
    case 'expired':
    case 'lost':
    case 'leaseLost':
    case 'unrecorded':
    case 'cancelled':
      return []
  }
}

/** A statement as it is shown. */
export function shown(stored: StoredStatement): RecordedStatement {
  const { type, id, digest, leafIndex, jws, attachment } = stored
  return { type, id, digest, index: leafIndex, statement: jws, attachment }
}

const texts = new WeakMap<StoredStatement, string>()

/** The JSON of a shown statement; made once, since a run is read many times while it grows. */
export function shownText(stored: StoredStatement): string {
  const known = texts.get(stored)
  if (known !== undefined) return known
  const text = JSON.stringify(shown(stored))
  texts.set(stored, text)
  return text
}

/** The JSON of a {@link RunView}. */
export function runViewText(entry: RunEntry, now: number): string {
  const { run, statements } = entry
  const { record } = run
  const view: Omit<RunView, 'statements'> = {
    id: run.id,
    contract: run.contract,
    computation: run.computation,
    state: run.state,
    version: run.version,
    round: run.round,
    waitingFor: [...waitingFor(record, now)],
    endedBecause: record.endedBecause,
    requestedAt: run.requestedAt,
    outputs: record.outputs.map(({ name, digest, size }) => ({ name, digest, size })),
  }
  return `${JSON.stringify(view).slice(0, -1)},"statements":[${statements.map(shownText).join(',')}]}`
}
