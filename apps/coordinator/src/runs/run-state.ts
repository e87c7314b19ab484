/**
 * The life of a run (design: section 4) as a pure machine: a record and something that happened give the next record.
 * Guards the order of steps and their deadlines. Says nothing about who may do what; the handlers in statements/ verify
 * that before they ask here.
 */
import type { Thumbprint } from '#libs/canonical'
import { meetsQuorum } from '#libs/contract'
import type { RunRecord, RunTerms } from './run-record.js'
import { conflict, expectState, freshRound, isStoppable, stoppable } from './run-beginning.js'
import { end, endOfWorker, endRound, loseWorker, passDeadline, stop } from './run-ends.js'
import type { RunHappening, RunTimeouts } from './run-happening.js'

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
