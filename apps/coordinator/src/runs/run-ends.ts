/** How a round or a run ends: a worker that is gone, a time that passed, somebody who stops it. */
import type { Thumbprint } from '#libs/canonical'
import { type RunState } from '#libs/protocol'
import type { RunRecord } from './run-record.js'
import { conflict, freshRound, hasEnded, isStoppable, stoppable } from './run-beginning.js'
import type { RunHappening, RunTimeouts } from './run-happening.js'

export function endOfWorker(
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
export function loseWorker(run: RunRecord, because: string, timeouts: RunTimeouts): RunRecord {
  if (hasEnded(run.state) || run.worker === null) return run
  return run.spends.length === 0 ? endRound(run, because, [], timeouts) : end(run, 'lost', because)
}

export function passDeadline(run: RunRecord, now: number, timeouts: RunTimeouts): RunRecord {
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
export function endRound(
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

export function stop(run: RunRecord, happening: RunHappening, state: RunState, because: string): RunRecord {
  if (!isStoppable(run.state)) conflict(run, happening, [...stoppable])
  return end(run, state, because)
}

export function end(run: RunRecord, state: RunState, because: string | null): RunRecord {
  return { ...run, state, worker: null, deadlineAt: null, endedBecause: because }
}
