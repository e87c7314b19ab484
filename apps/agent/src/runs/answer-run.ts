/** What people say to a run: approvals and denials by the consent key, and this owner's own decision for its daemon. */
import { signStatement, type SigningKey, type StatementKind } from '#libs/canonical'
import { computationOf, dataOwners, inputsOf } from '#libs/contract'
import { approvalKind, denialKind, runEndStates, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { VerifiedContract } from '../trust/verify-contract.js'

/** Why this party is asked about a run; it may be for both reasons. */
export interface Standing {
  readonly approver: boolean
  readonly owner: boolean
}

/** Whether the contract asks this party. */
export function standingOf(agent: Agent, contract: VerifiedContract, computation: string): Standing {
  const terms = computationOf(contract.terms, computation)
  const label = contract.labelOf(agent.keys.party)
  return {
    approver: terms?.approvals?.from.includes(label) ?? false,
    owner: terms !== undefined && dataOwners(contract.terms, inputsOf(terms)).includes(label),
  }
}

/** @throws AgentError `REFUSED` where nobody asks this party, or the run has ended. */
export function expectAsked(standing: Standing, view: RunView): void {
  if ((runEndStates as readonly string[]).includes(view.state))
    throw new AgentError('REFUSED', `run ${view.id} has ended (${view.state}): nothing is left to answer`)
  if (!standing.approver && !standing.owner)
    throw new AgentError(
      'REFUSED',
      `this party neither approves ${view.computation} nor owns data that it reads`,
    )
}

export interface PersonsAnswer {
  readonly allow: boolean
  readonly reason: string
  readonly validHours: number
}

/** Signs and sends an Approval or a Denial. */
export async function sendApproval(
  agent: Agent,
  contract: VerifiedContract,
  run: string,
  consent: SigningKey,
  answer: PersonsAnswer,
): Promise<void> {
  const expiresAt = new Date(agent.now() + answer.validHours * 3_600_000).toISOString()
  const common = { contract: contract.id, run, release: null, expiresAt }
  const sign = async <P>(kind: StatementKind<P>, payload: P) =>
    (await signStatement(kind, payload, consent)).jws
  const jws = answer.allow
    ? await sign(approvalKind, { ...newStatement(agent, 'approval'), ...common })
    : await sign(denialKind, { ...newStatement(agent, 'denial'), ...common, reason: answer.reason })
  await agent.client.record(jws)
}

/** Records this owner's decision; its daemon acts on it. */
export async function recordDecision(
  agent: Agent,
  run: string,
  { allow, reason }: PersonsAnswer,
): Promise<void> {
  const record = { allow, at: new Date(agent.now()).toISOString(), reason }
  await agent.store.write(agent.store.put(spaces.consents, run, record))
}
