import { signStatement } from '#libs/canonical'
import type { Refusal as Reason } from '#libs/contract'
import { refusalKind, type Refusal } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import { changeRun } from './run-record.js'

/** Says no to a run, for good: signed, kept, sent, and in the log. */
export async function refuse(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
  step: Refusal['step'],
  reasons: readonly Reason[],
): Promise<string> {
  const { jws } = await signStatement(
    refusalKind,
    {
      ...newStatement(agent, 'refusal'),
      contract: contract.id,
      run: run.id,
      round: run.round,
      step,
      reasons: [...reasons.slice(0, 50)],
    },
    agent.keys.daemonKey,
  )
  await changeRun(agent, contract.id, run.id, { refusal: jws })
  await agent.store.write(
    agent.store.put(spaces.notes, run.id, { at: new Date(agent.now()).toISOString(), reasons: [...reasons] }),
  )
  agent.report({ what: 'refused', run: run.id, step, why: reasons.map(({ text }) => text).join(' ') })
  await agent.client.record(jws)
  return `nobody: refused at ${step}`
}
