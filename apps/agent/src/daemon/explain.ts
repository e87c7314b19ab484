/** Why a run stands where it stands: what every side says, and every check that this agent made itself. */
import { unverifiedStatement, type Digest } from '#libs/canonical'
import type { RefusalReason, RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { spaces, type CheckRecord } from '../store/records.js'
import { verifyActiveContract, type VerifiedContract } from '../trust/verify-contract.js'
import { verifyReceipt, type ReceiptVerdict } from '../trust/verify-receipt.js'
import { verifyRun } from '../trust/verify-run.js'

export interface RunExplanation {
  readonly run: Digest
  readonly computation: string
  /** as the coordinator tells it */
  readonly state: RunView['state']
  readonly waitingFor: RunView['waitingFor']
  readonly endedBecause: string | null
  /** what this agent itself waits for */
  readonly ownWaiting: string | null
  /** signed acts in the order in which they were recorded */
  readonly acts: readonly { readonly type: string; readonly by: string; readonly entry: number | null }[]
  /** what owners refused, each in its own signed words */
  readonly refusals: readonly {
    readonly by: string
    readonly step: string
    readonly reasons: readonly RefusalReason[]
  }[]
  /** why this agent did nothing, where it did not */
  readonly ownReasons: readonly RefusalReason[]
  readonly ownChecks: readonly CheckRecord[]
  readonly receipt: ReceiptVerdict | null
}

/** Explains a run to this agent's people. @throws whatever verification of contract or run throws. */
export async function explainRun(agent: Agent, id: Digest): Promise<RunExplanation> {
  const view = await agent.client.run(id)
  const contract = await verifyActiveContract(agent, await agent.client.contract(view.contract))
  const run = await verifyRun(contract, view, 'history')
  const checks = await agent.store.list(spaces.checks, `${view.id}/`)
  const notes = await agent.store.get(spaces.notes, view.id)
  return {
    run: view.id,
    computation: view.computation,
    state: view.state,
    waitingFor: view.waitingFor,
    endedBecause: view.endedBecause,
    ownWaiting: (await agent.store.get(spaces.state, `waiting/${view.id}`)) ?? null,
    acts: view.statements.map(({ type, statement, index }) => ({
      type,
      by: signer(contract, statement),
      entry: index,
    })),
    refusals: run.refusals.map(({ payload }) => ({
      by: contract.labelOf(payload.by),
      step: payload.step,
      reasons: payload.reasons,
    })),
    ownReasons: notes?.reasons ?? [],
    ownChecks: checks.map(([, check]) => check).toSorted((a, b) => a.at.localeCompare(b.at)),
    receipt: run.receipt === null ? null : await verifyReceipt(agent, contract, run),
  }
}

function signer(contract: VerifiedContract, statement: string): string {
  const { payload } = unverifiedStatement(statement)
  const by = typeof payload === 'object' && payload !== null && 'by' in payload ? payload['by'] : ''
  return typeof by === 'string' ? contract.labelOf(by) : ''
}
