import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'

/**
 * The run that a person means by the beginning of an id.
 * @throws AgentError `RUN_UNKNOWN`.
 */
export async function runIdFrom(agent: Agent, given: string): Promise<string> {
  if (/^[0-9a-f]{64}$/.test(given)) return given
  const found: string[] = []
  if (/^[0-9a-f]{6,63}$/.test(given)) {
    const { contracts } = await agent.client.contracts()
    for (const { id } of contracts)
      for (const run of (await agent.client.runs(id)).runs) if (run.id.startsWith(given)) found.push(run.id)
  }
  const [only] = found
  if (only !== undefined && found.length === 1) return only
  throw new AgentError(
    'RUN_UNKNOWN',
    `expected one run that begins with ${given} (at least 6 characters); seen ${found.length}: see \`sealroom run list\``,
  )
}
