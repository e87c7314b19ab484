/** A run's beginning, and what holds in each of its states. */
import { runEndStates, type RunState } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import type { RunRecord, RunTerms } from './run-record.js'
import type { RunHappening } from './run-happening.js'

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

/** What a round begins with. */
export const freshRound = {
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
export const stoppable: readonly RunState[] = [
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

/** @throws CoordinatorError `RUN_STATE_CONFLICT`. */
export function expectState(run: RunRecord, happening: RunHappening, states: readonly RunState[]): void {
  if (!states.includes(run.state)) conflict(run, happening, states)
}

/** @throws CoordinatorError `RUN_STATE_CONFLICT`, always. */
export function conflict(run: RunRecord, happening: RunHappening, states: readonly RunState[]): never {
  throw new CoordinatorError(
    'RUN_STATE_CONFLICT',
    `the run is ${run.state} in round ${run.round}; "${happening.kind}" is possible in ${states.join(', ')}`,
  )
}
