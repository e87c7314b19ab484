/**
 * A restored agent that is the only owner of its contracts has nobody whose cosignature would show that the log is whole. Its
 * people say how many runs they know of; where the log shows fewer, something was cut off it, and nothing may be released.
 */
import { signerPseudonym } from '#libs/translog'
import type { Agent } from '../agent.js'
import { activeContract } from '../contracts/active-contract.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { followLog } from '../trust/log-follower.js'

/**
 * Takes the number that people give, and lets the agent work where the log shows at least as many.
 * @throws AgentError `LOG_MISBEHAVED` where it shows fewer.
 */
export async function countByHand(agent: Agent, given: number): Promise<number> {
  await followLog(agent)
  const seen = await runsInRecord(agent)
  if (seen < given)
    throw new AgentError(
      'LOG_MISBEHAVED',
      `this agent's people know of ${given} runs on its data; the log and the backup show ${seen}: the log may have been cut. Nothing is released until it shows them all`,
    )
  await agent.store.write(agent.store.put(spaces.state, 'restored', 'counted'))
  return seen
}

/** Runs on which this agent has spent, by its own store and by the log. */
async function runsInRecord(agent: Agent): Promise<number> {
  const { contracts } = await agent.client.contracts()
  const pseudonyms = new Set<string>()
  for (const { id, state } of contracts)
    if (state !== 'proposed' && state !== 'lapsed')
      pseudonyms.add(signerPseudonym((await activeContract(agent, id)).logSecret, agent.keys.party))
  const inLog = new Set<string>()
  const known = new Set<string>()
  for (const [digest, { type, signer, run }] of await agent.store.list(spaces.leaves))
    if (type === 'spend' && signer !== null && pseudonyms.has(signer)) {
      inLog.add(run ?? digest)
      known.add(digest)
    }
  const onlyInStore = new Set<string>()
  for (const [key, { digest }] of await agent.store.list(spaces.spends))
    if (!known.has(digest)) onlyInStore.add(key.split('/')[0] ?? key)
  return inLog.size + onlyInStore.size
}
