import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { followLog } from '../trust/log-follower.js'
import { verifyActiveContract, type VerifiedContract } from '../trust/verify-contract.js'

/**
 * The contract in force of an id, verified from its signed bytes.
 * @throws AgentError `CONTRACT_NOT_VERIFIED`, `NOT_PINNED`; ClientError where the coordinator does not show it.
 */
export async function activeContract(agent: Agent, id: string): Promise<VerifiedContract> {
  const view = await agent.client.contract(id)
  if (!view.statements.some(({ type }) => type === 'activation'))
    throw new AgentError(
      'WAITING',
      `contract ${id} is not active: it waits for ${view.waitingFor.join(', ') || 'its Activation'}`,
    )
  // The Activation must be in the log as far as this agent has read it; before that it has to be read.
  if ((await agent.store.get(spaces.contracts, id)) === undefined) await followLog(agent)
  return await verifyActiveContract(agent, view)
}

/**
 * The contract that a person means by the beginning of an id.
 * @throws AgentError `CONTRACT_UNKNOWN` where none or several begin so.
 */
export async function contractIdFrom(agent: Agent, given: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(given)) return given
  const { contracts } = await agent.client.contracts()
  const found = contracts.filter(
    ({ id, name }) => (given.length >= 6 && id.startsWith(given)) || name === given,
  )
  const [only] = found
  if (only !== undefined && found.length === 1) return only.id
  const seen = found.length === 0 ? 'none' : `${found.length} of them`
  throw new AgentError(
    'CONTRACT_UNKNOWN',
    `expected one contract of this agent that begins with or is named ${given}; seen ${seen}: see \`sealroom contract list\``,
  )
}
