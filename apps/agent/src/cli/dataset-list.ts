import { signStatement } from '#libs/canonical'
import { withdrawalKind } from '#libs/protocol'
import { contractIdFrom } from '../contracts/active-contract.js'
import { AgentError } from '../errors.js'
import { versionsOf } from '../datasets/publish-sealing.js'
import { spaces } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import type { Session } from './session.js'
import { table } from './table.js'
import type { Answer } from './world.js'

export async function listDatasets(session: Session): Promise<Answer> {
  const { agent } = await session.agent()
  const versions = (await agent.store.list(spaces.datasetVersions)).map(([, record]) => record)
  const pending = (await agent.store.list(spaces.sealings)).map(([, { version }]) => version)
  const waiting = new Set(pending.map(({ manifest }) => manifest))
  const all = [...versions.filter(({ manifest }) => !waiting.has(manifest)), ...pending]
  const stateOf = (version: (typeof all)[number]) =>
    waiting.has(version.manifest) ? 'on its way' : version.withdrawn ? 'withdrawn' : 'recorded'
  return {
    json: {
      datasets: all.map((version) => ({
        contract: version.contract,
        dataset: version.dataset,
        sequence: version.sequence,
        manifest: version.manifest,
        state: stateOf(version),
      })),
    },
    text:
      all.length === 0
        ? ['nothing is sealed yet']
        : table(
            ['dataset', 'version', 'state', 'segments', 'contract', 'manifest'],
            all.map((version) => [
              version.dataset,
              String(version.sequence),
              stateOf(version),
              String(version.segments.length),
              version.contract.slice(0, 12),
              version.manifest.slice(0, 12),
            ]),
          ),
  }
}

export interface WithdrawOptions {
  readonly contract: string
  readonly dataset: string
  readonly reason: string
  readonly newest?: boolean
}

/**
 * Withdraws the dataset for good, or its newest version alone. The store says so first: from then on this agent releases
 * nothing of it, whoever hears of it.
 */
export async function withdrawDataset(session: Session, options: WithdrawOptions): Promise<Answer> {
  const { agent, daemon } = await session.agent()
  const contract = await contractIdFrom(agent, options.contract)
  const all = await versionsOf(agent, contract, options.dataset)
  const versions = options.newest === true ? all.slice(-1) : all
  const newest = versions.at(-1)
  if (options.newest === true && newest === undefined)
    throw new AgentError(
      'USAGE',
      `no version of ${options.dataset} is sealed under this contract: see \`sealroom dataset list\``,
    )
  await agent.store.write(
    ...versions.map((version) =>
      agent.store.put(
        spaces.datasetVersions,
        `${contract}/${options.dataset}/${String(version.sequence).padStart(10, '0')}`,
        { ...version, withdrawn: true },
      ),
    ),
  )
  await daemon?.tell('nudge')
  const statement = await signStatement(
    withdrawalKind,
    {
      ...newStatement(agent, 'withdrawal'),
      contract,
      dataset: options.dataset,
      manifest: options.newest === true ? (newest?.manifest ?? null) : null,
      from: new Date(agent.now()).toISOString(),
      reason: options.reason,
    },
    agent.keys.daemonKey,
  )
  const recorded = await agent.client.record(statement.jws)
  return {
    json: { contract, dataset: options.dataset, withdrawal: statement.id, index: recorded.index },
    text: [
      `${options.newest === true ? 'the newest version of ' : ''}${options.dataset} is withdrawn from contract ${contract.slice(0, 12)} (entry ${recorded.index ?? '?'} of the log)`,
    ],
  }
}
