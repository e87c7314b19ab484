import type { RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'

/** Sends a signed statement unless it is recorded already. The same bytes again are the same act. */
export async function sendOnce(
  agent: Agent,
  view: RunView,
  statement: string,
  attachment?: string,
): Promise<null> {
  if (!view.statements.some((recorded) => recorded.statement === statement))
    await agent.client.record(statement, attachment === undefined ? {} : { attachment })
  return null
}
