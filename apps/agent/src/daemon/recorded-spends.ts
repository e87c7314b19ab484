import type { SpendRecordFact } from '#libs/contract'
import { findCosignature, parseNote, verifySignedCheckpoint } from '#libs/translog'
import type { Agent } from '../agent.js'
import { expectOnTheWay, findLeaf, followLog, witnessName } from '../trust/log-follower.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'

/**
 * The Spends of a run as a checkpoint has them that this agent itself followed the log to, and who cosigned it; null while not
 * all owners have.
 */
export async function readSpendRecord(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<SpendRecordFact | null> {
  const inputs = run.request.payload.inputs
  if (
    !inputs.every((input) =>
      run.spends.some(({ payload }) => payload.by === input.owner && payload.dataset === input.dataset),
    )
  )
    return null
  const { note } = await agent.client.checkpointOf(run.id)
  const { origin, logKey } = agent.config.log
  const checkpoint = await verifySignedCheckpoint(note, { origin, key: logKey })
  await followLog(agent, checkpoint.size)
  await expectOnTheWay(agent, checkpoint)
  const leaves = await Promise.all(run.spends.map(({ digest }) => findLeaf(agent, digest)))
  if (!leaves.every((leaf) => leaf !== undefined && leaf.index < checkpoint.size)) return null
  const cosigners: string[] = []
  for (const owner of new Set(inputs.map((input) => input.owner))) {
    const key = contract.chainOf(owner).newest.payload.daemonKey
    if ((await findCosignature(parseNote(note), { name: witnessName(origin, owner), key })) === undefined)
      return null
    cosigners.push(owner)
  }
  return {
    spends: run.spends.map(({ payload }) => ({
      owner: payload.by,
      dataset: payload.dataset,
      run: payload.run,
    })),
    cosigners,
  }
}
