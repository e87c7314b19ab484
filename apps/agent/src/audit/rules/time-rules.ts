/** Order comes from the log; times must not contradict it by more than clocks do. */
import { broken, type Finding } from '../finding.js'
import { actsOf, type Act, type History, type RunHistory } from '../history.js'
import { ofRuns, type AuditRule } from './rule.js'

/** How far the clocks of parties may lie apart: as far ahead as the coordinator takes statements. */
export const clockToleranceMilliseconds = 5 * 60_000

export const timeRules: readonly AuditRule[] = [
  ofRuns(
    'time.run',
    'no act of a run says that it was made before the acts that the log has before it',
    ofRun,
  ),
  {
    name: 'time.contract',
    says: 'what is recorded under a contract is not from before it',
    findings: ({ history }) => ofContracts(history),
  },
]

function* ofRun(run: RunHistory): Iterable<Finding> {
  yield* inOrder(actsOf(run))
}

function* ofContracts({ contracts }: History): Iterable<Finding> {
  for (const { activations, manifests, withdrawals, revocations } of contracts) {
    const [activation] = activations
    for (const act of [...manifests, ...withdrawals, ...revocations])
      if (activation !== undefined && act.index > activation.index) yield* inOrder([activation, act])
  }
}

type Timed = Pick<Act<{ readonly issuedAt: string }>, 'index' | 'type' | 'id' | 'issuedAt' | 'payload'>

function* inOrder(acts: readonly Timed[]): Iterable<Finding> {
  let latest = acts[0]
  for (const act of acts) {
    if (latest === undefined || act.issuedAt > latest.issuedAt) latest = act
    else if (act.issuedAt < latest.issuedAt - clockToleranceMilliseconds)
      yield broken(
        act,
        `a time from ${latest.payload.issuedAt} on, as the ${latest.type} at entry ${latest.index}, but for clocks`,
        act.payload.issuedAt,
      )
  }
}
