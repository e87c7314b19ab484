/**
 * That nothing recorded about a run is kept from this agent. The log names every act by a leaf; the coordinator shows the
 * acts themselves. A Denial or Refusal that the log has and the view lacks is a reason to do nothing.
 */
import { statementDigest, type Verified } from '#libs/canonical'
import type { RunView } from '#libs/protocol'
import { runPseudonym } from '#libs/translog'
import type { Agent } from '../agent.js'
import { findLeaf, leavesUnder } from './log-follower.js'
import { notVerified } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'

/**
 * Compares what is shown of a run with what this agent has read of it in the log.
 * @throws AgentError `RUN_NOT_VERIFIED` naming what is not shown.
 */
export async function expectWholeRecord(
  agent: Agent,
  contract: VerifiedContract,
  view: RunView,
): Promise<void> {
  const shown = new Set(view.statements.map(({ statement }) => statementDigest(statement)))
  const leaves = await leavesUnder(agent, 'run', runPseudonym(contract.logSecret, view.id))
  const hidden = leaves.find(({ digest }) => !shown.has(digest))
  if (hidden !== undefined)
    throw notVerified(
      `the log has a ${hidden.type} (${hidden.digest}) of run ${view.id} that the coordinator does not show`,
    )
}

/** Those of some statements that stand in the log as far as this agent has read it. */
export async function inLog<P>(
  agent: Agent,
  statements: readonly Verified<P>[],
): Promise<readonly Verified<P>[]> {
  const found = await Promise.all(statements.map(({ digest }) => findLeaf(agent, digest)))
  return statements.filter((_, index) => found[index] !== undefined)
}
