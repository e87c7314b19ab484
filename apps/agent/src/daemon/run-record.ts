/** What this owner has signed in a run, changed by one hand at a time: the daemon's steps and the renewals of leases both write it. */
import type { Digest } from '#libs/canonical'
import type { Agent } from '../agent.js'
import { spaces, type RunRecord } from '../store/records.js'

const untouched: Omit<RunRecord, 'contract'> = {
  round: 0,
  acceptedOffers: null,
  acceptedNonce: null,
  accept: null,
  releases: {},
  refusal: null,
  renewals: 0,
  outcome: null,
  adopted: false,
}

/** The record of a run, or the one of a run in which this agent has done nothing. */
export async function runRecord(agent: Agent, contract: Digest, run: Digest): Promise<RunRecord> {
  return (await agent.store.get(spaces.runs, run)) ?? { contract, ...untouched }
}

/** Changes fields of a run's record; on disk when it returns. */
export async function changeRun(
  agent: Agent,
  contract: Digest,
  run: Digest,
  change: Partial<RunRecord> | ((record: RunRecord) => Partial<RunRecord>),
): Promise<RunRecord> {
  return await agent.store.exclusively(`run/${run}`, async () => {
    const record = await runRecord(agent, contract, run)
    const changed = { ...record, ...(typeof change === 'function' ? change(record) : change) }
    await agent.store.write(agent.store.put(spaces.runs, run, changed))
    return changed
  })
}
