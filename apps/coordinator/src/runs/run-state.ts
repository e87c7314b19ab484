/**
 * The life of a run (design: section 4) as a pure machine: a record and something that happened give the next record.
 * Guards the order of steps and their deadlines. Says nothing about who may do what; the handlers in statements/ verify
 * that before they ask here.
 */
import type { PublicKey, Thumbprint } from '#libs/canonical'
import { meetsQuorum } from '#libs/contract'
import { runEndStates, type Outcome, type RunState, type WorkerEnd } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import type { RecordedRelease, RecordedSpend, RunRecord, RunTerms } from './run-record.js'

/** How long the states wait whose end no statement names. */
export interface RunTimeouts {
  readonly nonceSeconds: number
  readonly offerSeconds: number
  readonly outputKeysSeconds: number
  readonly maximumRounds: number
}

/** What can happen to a run. */
export type RunHappening =
  | { readonly kind: 'approved'; readonly by: Thumbprint; readonly expiresAt: string }
  | { readonly kind: 'denied'; readonly by: Thumbprint }
  | {
      readonly kind: 'answered'
      readonly owner: Thumbprint
      readonly answer: 'ready' | 'waiting'
      readonly reason: string
    }
  | { readonly kind: 'reserved'; readonly worker: Thumbprint }
  | { readonly kind: 'nonce'; readonly owner: Thumbprint; readonly nonce: string }
  | {
      readonly kind: 'offered'
      readonly id: string
      readonly receiptKey: PublicKey
      readonly expiresAt: string
    }
  | { readonly kind: 'evidenced'; readonly id: string }
  | { readonly kind: 'accepted'; readonly owner: Thumbprint }
  | { readonly kind: 'spent'; readonly spend: RecordedSpend; readonly sizeAfter: number }
  | { readonly kind: 'cosigned'; readonly size: number; readonly witnesses: readonly Thumbprint[] }
  | { readonly kind: 'released'; readonly release: RecordedRelease }
  | { readonly kind: 'started'; readonly id: string }
  | { readonly kind: 'renewed'; readonly owner: Thumbprint; readonly id: string; readonly sequence: number }
  | {
      readonly kind: 'receipted'
      readonly id: string
      readonly index: number
      readonly outcome: Outcome
      readonly outputs: RunRecord['outputs']
      readonly sizeAfter: number
    }
  | { readonly kind: 'keysGiven' }
  | { readonly kind: 'refused'; readonly by: Thumbprint; readonly step: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'stopped'; readonly because: string }
  | {
      readonly kind: 'workerEnded'
      readonly code: WorkerEnd['code']
      readonly owner: Thumbprint | null
      readonly detail: string
    }
  | { readonly kind: 'workerLost' }
  | { readonly kind: 'deadline' }

/** The record of a run that was just admitted. */
export function admittedRun(terms: RunTerms): RunRecord {
  return {
    terms,
    state: terms.approvals === null ? 'awaitingOwners' : 'awaitingApprovals',
    version: 1,
    round: 0,
    deadlineAt: terms.expiresAt,
    approvals: [],
    readiness: {},
    worker: null,
    ...freshRound,
    start: null,
    receipt: null,
    receiptCheckpoint: null,
    outputs: [],
    endedBecause: null,
  }
}

const freshRound = {
  nonces: {},
  offer: null,
  evidence: null,
  accepts: [],
  spends: [],
  spendsCheckpoint: null,
  releases: [],
  renewals: {},
  cosigned: [],
} as const

/** Whether nothing more will happen to a run. */
export function hasEnded(state: RunState): boolean {
  return (runEndStates as readonly RunState[]).includes(state)
}

/** States in which no key was handed over yet, so that the run can still be stopped from outside. */
const stoppable: readonly RunState[] = [
  'awaitingApprovals',
  'awaitingOwners',
  'awaitingWorker',
  'collectingNonces',
  'awaitingOffer',
  'collectingAccepts',
  'collectingSpends',
  'recordingSpends',
  'collectingReleases',
]

/** Whether a refusal, a denial, a cancellation or a withdrawal still ends the run. */
export function isStoppable(state: RunState): boolean {
  return stoppable.includes(state)
}

/**
 * The record after something happened; the same record where it changes nothing (a message that came twice).
 * @throws CoordinatorError `RUN_STATE_CONFLICT` where it cannot happen now.
 */
export function advance(
  run: RunRecord,
  happening: RunHappening,
  now: number,
  timeouts: RunTimeouts,
): RunRecord {
  const next = step(run, happening, now, timeouts)
  return next === run ? run : { ...next, version: run.version + 1 }
}

function step(run: RunRecord, happening: RunHappening, now: number, timeouts: RunTimeouts): RunRecord {
  const after = (seconds: number) => new Date(now + seconds * 1000).toISOString()
  switch (happening.kind) {
    case 'approved': {
      const approvals = [
        ...run.approvals.filter(({ by }) => by !== happening.by),
        { by: happening.by, expiresAt: happening.expiresAt },
      ]
      if (run.state !== 'awaitingApprovals')
        return isStoppable(run.state) ? { ...run, approvals } : conflict(run, happening, [...stoppable])
      return enoughApprovals({ ...run, approvals }, now)
        ? { ...run, approvals, state: everyOwnerReady(run) ? 'awaitingWorker' : 'awaitingOwners' }
        : { ...run, approvals }
    }
    case 'denied':
      return stop(run, happening, 'denied', `approver ${happening.by} denied it`)
    case 'answered':
      return answer(run, happening, timeouts)
    case 'reserved':
      expectState(run, happening, ['awaitingWorker'])
      return {
        ...run,
        ...freshRound,
        state: 'collectingNonces',
        round: run.round + 1,
        worker: happening.worker,
        deadlineAt: after(timeouts.nonceSeconds),
      }
    case 'nonce': {
      expectState(run, happening, ['collectingNonces'])
      const nonces = { ...run.nonces, [happening.owner]: happening.nonce }
      if (run.terms.owners.some((owner) => nonces[owner] === undefined)) return { ...run, nonces }
      return { ...run, nonces, state: 'awaitingOffer', deadlineAt: after(timeouts.offerSeconds) }
    }
    case 'offered':
      expectState(run, happening, ['awaitingOffer'])
      return {
        ...run,
        offer: { id: happening.id, receiptKey: happening.receiptKey, expiresAt: happening.expiresAt },
      }
    case 'evidenced':
      expectState(run, happening, ['awaitingOffer'])
      return {
        ...run,
        evidence: happening.id,
        state: 'collectingAccepts',
        deadlineAt: run.offer?.expiresAt ?? run.deadlineAt,
      }
    case 'accepted': {
      expectState(run, happening, ['collectingAccepts'])
      const accepts = [...new Set([...run.accepts, happening.owner])]
      return {
        ...run,
        accepts,
        state: run.terms.owners.every((owner) => accepts.includes(owner)) ? 'collectingSpends' : run.state,
      }
    }
    case 'spent': {
      expectState(run, happening, ['collectingSpends'])
      const spends = [...run.spends, happening.spend]
      if (!coversInputs(run.terms, spends)) return { ...run, spends }
      return { ...run, spends, cosigned: [], state: 'recordingSpends', spendsCheckpoint: happening.sizeAfter }
    }
    case 'cosigned':
      return cosign(run, happening, after(timeouts.outputKeysSeconds))
    case 'released': {
      expectState(run, happening, ['collectingReleases'])
      const releases = [...run.releases, happening.release]
      if (!coversInputs(run.terms, releases)) return { ...run, releases }
      return {
        ...run,
        releases,
        state: 'running',
        deadlineAt: after(run.terms.maximumSeconds + run.terms.recordWaitSeconds),
      }
    }
    case 'started':
      expectState(run, happening, ['running'])
      return { ...run, start: happening.id }
    case 'renewed':
      expectState(run, happening, ['collectingReleases', 'running', 'recordingReceipt', 'awaitingOutputKeys'])
      return {
        ...run,
        renewals: { ...run.renewals, [happening.owner]: { id: happening.id, sequence: happening.sequence } },
      }
    case 'receipted': {
      expectState(run, happening, ['running'])
      const receipt = { id: happening.id, index: happening.index, outcome: happening.outcome }
      return {
        ...run,
        receipt,
        outputs: happening.outputs,
        cosigned: [],
        receiptCheckpoint: happening.sizeAfter,
        state: 'recordingReceipt',
        deadlineAt: after(run.terms.recordWaitSeconds),
      }
    }
    case 'keysGiven':
      expectState(run, happening, ['awaitingOutputKeys'])
      return end(run, 'completed', null)
    case 'refused':
      return stop(run, happening, 'refused', `data owner ${happening.by} refused at ${happening.step}`)
    case 'cancelled':
      return stop(run, happening, 'cancelled', 'the requester cancelled it')
    case 'stopped':
      return stop(run, happening, 'refused', happening.because)
    case 'workerEnded':
      return endOfWorker(run, happening, timeouts)
    case 'workerLost':
      return loseWorker(run, 'the worker was lost', timeouts)
    case 'deadline':
      return passDeadline(run, now, timeouts)
  }
}

function answer(
  run: RunRecord,
  happening: RunHappening & { kind: 'answered' },
  timeouts: RunTimeouts,
): RunRecord {
  if (!isStoppable(run.state)) return run
  if (happening.answer === 'waiting' && owesAccept(run, happening.owner))
    return withdrawFromRound(run, happening, timeouts)
  const known = run.readiness[happening.owner]
  const same = known?.state === happening.answer && known.reason === happening.reason
  const readiness = same
    ? run.readiness
    : { ...run.readiness, [happening.owner]: { state: happening.answer, reason: happening.reason } }
  const ready = everyOwnerReady({ ...run, readiness })
  if (run.state === 'awaitingOwners' && ready) return { ...run, readiness, state: 'awaitingWorker' }
  if (run.state === 'awaitingWorker' && !ready) return { ...run, readiness, state: 'awaitingOwners' }
  return same ? run : { ...run, readiness }
}

/** Whether a round rests on this owner's nonce, and not yet on its Accept. */
function owesAccept({ state, nonces, accepts }: RunRecord, owner: Thumbprint): boolean {
  const open = state === 'collectingNonces' || state === 'awaitingOffer' || state === 'collectingAccepts'
  return open && nonces[owner] !== undefined && !accepts.includes(owner)
}

// An owner that has to wait again, as one whose nonce was lost with its process, accepts nothing more in this round. Nobody
// can have spent for it, so another may begin at once instead of when the Offer has expired.
function withdrawFromRound(
  run: RunRecord,
  { owner, reason }: RunHappening & { kind: 'answered' },
  timeouts: RunTimeouts,
): RunRecord {
  const next = endRound(run, `data owner ${owner} waits again: ${reason}`, [owner], timeouts)
  return { ...next, readiness: { ...next.readiness, [owner]: { state: 'waiting', reason } } }
}

/** All must have cosigned one and the same checkpoint; it may be a later one than the first that would do. */
function cosign(
  run: RunRecord,
  happening: RunHappening & { kind: 'cosigned' },
  keysUntil: string,
): RunRecord {
  const { size } = happening
  const recordingSpends = run.state === 'recordingSpends'
  if (!recordingSpends && run.state !== 'recordingReceipt') return run
  const awaited = recordingSpends ? run.spendsCheckpoint : run.receiptCheckpoint
  if (awaited === null || size < awaited) return run
  const cosigned = run.terms.witnesses
    .concat(run.terms.owners)
    .filter((key, at, all) => all.indexOf(key) === at && happening.witnesses.includes(key))
  const everyOwner = run.terms.owners.every((owner) => cosigned.includes(owner))
  if (recordingSpends)
    return everyOwner
      ? { ...run, cosigned, spendsCheckpoint: size, state: 'collectingReleases' }
      : withCosigners(run, cosigned)
  const { witnesses, owners: required, quorum } = run.terms
  if (!everyOwner || !meetsQuorum({ witnesses, required, quorum }, cosigned))
    return withCosigners(run, cosigned)
  // A receipt of a failure is recorded like any other: what was spent, and why it came to nothing, stays provable.
  const recorded = { ...run, cosigned, receiptCheckpoint: size }
  const outcome = run.receipt?.outcome ?? 'engineFailed'
  if (outcome !== 'completed') return end(recorded, 'failed', `the enclave reported ${outcome}`)
  return { ...recorded, state: 'awaitingOutputKeys', deadlineAt: keysUntil }
}

function withCosigners(run: RunRecord, cosigned: readonly Thumbprint[]): RunRecord {
  return cosigned.length > run.cosigned.length ? { ...run, cosigned } : run
}

function endOfWorker(
  run: RunRecord,
  happening: RunHappening & { kind: 'workerEnded' },
  timeouts: RunTimeouts,
): RunRecord {
  const { code, owner, detail } = happening
  if (hasEnded(run.state) || run.worker === null) return run
  if (code === 'leaseLost' && run.releases.length > 0)
    return end(run, 'leaseLost', `the lease of ${owner ?? 'an owner'} ran out`)
  if (code === 'unrecorded' && run.receipt !== null)
    return end(run, 'unrecorded', 'the Receipt was not recorded in time')
  if (code === 'expired' && run.spends.length > 0)
    return end(run, 'expired', 'the Offer expired before every key was released')
  return loseWorker(
    run,
    detail === '' ? `the worker ended: ${code}` : `the worker ended: ${code} (${detail})`,
    timeouts,
  )
}

/** Before the first Spend a lost worker costs a round; after it, the run. */
function loseWorker(run: RunRecord, because: string, timeouts: RunTimeouts): RunRecord {
  if (hasEnded(run.state) || run.worker === null) return run
  return run.spends.length === 0 ? endRound(run, because, [], timeouts) : end(run, 'lost', because)
}

function passDeadline(run: RunRecord, now: number, timeouts: RunTimeouts): RunRecord {
  if (hasEnded(run.state) || run.deadlineAt === null || Date.parse(run.deadlineAt) > now) return run
  const { owners } = run.terms
  switch (run.state) {
    case 'awaitingApprovals':
    case 'awaitingOwners':
    case 'awaitingWorker':
      return end(run, 'expired', 'the request expired')
    case 'collectingNonces':
      return endRound(
        run,
        'nonces were missing',
        owners.filter((owner) => run.nonces[owner] === undefined),
        timeouts,
      )
    case 'awaitingOffer':
      return endRound(run, 'no Offer came', [], timeouts)
    case 'collectingAccepts':
      return endRound(
        run,
        'the Offer expired before every Accept',
        owners.filter((owner) => !run.accepts.includes(owner)),
        timeouts,
      )
    case 'collectingSpends':
      if (run.spends.length === 0) return endRound(run, 'the Offer expired before a Spend', owners, timeouts)
      return end(run, 'expired', 'the Offer expired before every Spend')
    case 'recordingSpends':
      return end(run, 'expired', 'the Offer expired before the Spends were cosigned')
    case 'collectingReleases':
      return end(run, 'expired', 'the Offer expired before every key was released')
    case 'running':
      return end(run, 'lost', 'no Receipt came in the time that the contract allows')
    case 'recordingReceipt':
      return end(run, 'unrecorded', 'the Receipt was not cosigned in time')
    case 'awaitingOutputKeys':
      return end(run, 'lost', 'no output keys came')
    case 'completed':
    case 'failed':
    case 'denied':
    case 'refused':
    case 'expired':
    case 'lost':
    case 'leaseLost':
    case 'unrecorded':
    case 'cancelled':
      return run
  }
}

/** Ends a round. Whoever was silent must say `ready` again; the request's own expiry and a bound on rounds end the run. */
function endRound(
  run: RunRecord,
  because: string,
  silent: readonly Thumbprint[],
  timeouts: RunTimeouts,
): RunRecord {
  if (run.round >= timeouts.maximumRounds)
    return end(run, 'expired', `${because}; ${run.round} rounds were tried`)
  const readiness = { ...run.readiness }
  for (const owner of silent)
    readiness[owner] = { state: 'waiting', reason: `did not answer in round ${run.round}` }
  const state = silent.length === 0 ? 'awaitingWorker' : 'awaitingOwners'
  return { ...run, ...freshRound, state, readiness, worker: null, deadlineAt: run.terms.expiresAt }
}

function stop(run: RunRecord, happening: RunHappening, state: RunState, because: string): RunRecord {
  if (!isStoppable(run.state)) conflict(run, happening, [...stoppable])
  return end(run, state, because)
}

function end(run: RunRecord, state: RunState, because: string | null): RunRecord {
  return { ...run, state, worker: null, deadlineAt: null, endedBecause: because }
}

/** Whether no owner is waiting for its people. */
function everyOwnerReady({ terms, readiness }: RunRecord): boolean {
  return terms.owners.every((owner) => readiness[owner]?.state === 'ready')
}

/** Whether the approvals that hold now are enough. */
export function enoughApprovals({ terms, approvals }: RunRecord, now: number): boolean {
  if (terms.approvals === null) return true
  const { from, count } = terms.approvals
  return (
    approvals.filter(({ by, expiresAt }) => from.includes(by) && Date.parse(expiresAt) > now).length >= count
  )
}

function coversInputs(
  terms: RunTerms,
  done: readonly { readonly owner: Thumbprint; readonly dataset: string }[],
): boolean {
  return terms.inputs.every((input) =>
    done.some(({ owner, dataset }) => owner === input.owner && dataset === input.dataset),
  )
}

function expectState(run: RunRecord, happening: RunHappening, states: readonly RunState[]): void {
  if (!states.includes(run.state)) conflict(run, happening, states)
}

function conflict(run: RunRecord, happening: RunHappening, states: readonly RunState[]): never {
  throw new CoordinatorError(
    'RUN_STATE_CONFLICT',
    `the run is ${run.state} in round ${run.round}; "${happening.kind}" is possible in ${states.join(', ')}`,
  )
}
