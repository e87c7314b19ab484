import type { Verified } from '#libs/canonical'
import type { Manifest, Recorded } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { activeContract, contractIdFrom } from '../contracts/active-contract.js'
import { profileSource } from '../datasets/profile-file.js'
import { dropSealing, publishSealing } from '../datasets/publish-sealing.js'
import { sealModel } from '../datasets/seal-model.js'
import { sealingKey } from '../datasets/seal-segments.js'
import { sealTable } from '../datasets/seal-table.js'
import { openSource, type SourceFile } from '../datasets/source-file.js'
import { planDataset, type DatasetPlan } from '../datasets/dataset-plan.js'
import { AgentError } from '../errors.js'
import { fitModel } from '../models/fit-model.js'
import { isWithdrawn, newestManifest } from '../runs/newest-manifests.js'
import { spaces, type SealingRecord } from '../store/records.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { fitAnswer, modelFitAnswer, readingOf, type CheckOptions } from './dataset-check.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

export interface SealCommandOptions extends CheckOptions {
  readonly replace?: boolean
}

export async function sealDataset(
  session: Session,
  path: string,
  options: SealCommandOptions,
): Promise<Answer> {
  const { agent } = await session.agent()
  const contract = await activeContract(agent, await contractIdFrom(agent, options.contract))
  if (!contract.ownSignature)
    throw new AgentError(
      'REFUSED',
      `this party has not signed contract ${contract.terms.name}: nothing is sealed under it`,
    )
  const plan = planDataset(contract.terms, options.dataset, contract.labelOf(agent.keys.party))
  if (isWithdrawn(contract, plan.dataset, agent.keys.party))
    throw new AgentError(
      'REFUSED',
      `${plan.dataset} was withdrawn from this contract as a whole: a new version of it would never be read`,
    )
  const source = await openSource(path)
  try {
    return await agent.store.exclusively(`seal/${contract.id}/${plan.dataset}`, () =>
      sealSource(session, agent, contract, plan, source, options),
    )
  } finally {
    await source.file.close()
  }
}

async function sealSource(
  session: Session,
  agent: Agent,
  contract: VerifiedContract,
  plan: DatasetPlan,
  source: SourceFile,
  options: SealCommandOptions,
): Promise<Answer> {
  const pending = await pendingSealing(session, agent, contract, plan, source, options)
  if (pending !== undefined) return sealedAnswer(pending, await publish(session, agent, pending))
  expectReplaceable(contract, plan, agent, options)
  session.note(`checking ${source.path}`)
  const place = {
    contract: contract.id,
    dataset: plan.dataset,
    source,
    previous: lastManifest(contract, plan, agent),
    outbox: session.home.outbox,
    onSealed: session.progress('sealing'),
  }
  if (plan.kind === 'model') {
    const fit = await fitModel(source, plan)
    if (fit.model === null) return modelFitAnswer(source.path, plan, fit)
    const sealing = await sealModel(agent, place, fit.model)
    return sealedAnswer(sealing, await publish(session, agent, sealing))
  }
  const reading = readingOf(options)
  const report = await profileSource(source, plan, reading)
  if (report.findingCount > 0) return fitAnswer(source.path, plan, report)
  const onConverted = session.progress('converting')
  const sealing = await sealTable(agent, { ...place, table: plan, reading, onConverted })
  return sealedAnswer(sealing, await publish(session, agent, sealing))
}

/** What an earlier, interrupted command left, where it is to be finished now. */
async function pendingSealing(
  session: Session,
  agent: Agent,
  contract: VerifiedContract,
  plan: DatasetPlan,
  source: SourceFile,
  { replace = false }: SealCommandOptions,
): Promise<SealingRecord | undefined> {
  const pending = await agent.store.get(spaces.sealings, sealingKey(contract.id, plan.dataset))
  if (pending === undefined) return undefined
  if (replace) {
    await dropSealing(agent, pending)
    return undefined
  }
  if (pending.sourceMark !== source.mark)
    throw new AgentError(
      'REFUSED',
      `version ${pending.version.sequence} of ${plan.dataset}, sealed ${pending.sealedAt} from ${pending.sourcePath}, is on its way and ${source.path} is another content: name that file to finish it, or give --replace to drop it`,
    )
  session.note(`going on with version ${pending.version.sequence}, sealed ${pending.sealedAt}`)
  return pending
}

function expectReplaceable(
  contract: VerifiedContract,
  plan: DatasetPlan,
  agent: Agent,
  { replace = false }: SealCommandOptions,
): void {
  const current = newestManifest(contract, plan.dataset, agent.keys.party)
  if (current === undefined || replace) return
  throw new AgentError(
    'REFUSED',
    `${plan.dataset} is sealed already (version ${current.payload.sequence}, ${current.payload.issuedAt}): give --replace for a new version`,
  )
}

// Also a withdrawn one: the chain of Manifests goes on.
function lastManifest(
  contract: VerifiedContract,
  plan: DatasetPlan,
  agent: Agent,
): Verified<Manifest> | null {
  const own = contract.manifests.filter(
    ({ payload }) => payload.by === agent.keys.party && payload.dataset === plan.dataset,
  )
  return own.toSorted((a, b) => b.payload.sequence - a.payload.sequence)[0] ?? null
}

async function publish(session: Session, agent: Agent, sealing: SealingRecord): Promise<Recorded> {
  return await publishSealing(agent, sealing, session.progress('uploading'))
}

function sealedAnswer({ version, rows, uploads }: SealingRecord, recorded: Recorded): Answer {
  const bytes = uploads.reduce((sum, { size }) => sum + size, 0)
  return {
    json: {
      dataset: version.dataset,
      contract: version.contract,
      manifest: version.manifest,
      sequence: version.sequence,
      rows,
      segments: version.segments.map(({ name, columns }) => ({ name, columns })),
      sealedBytes: bytes,
      index: recorded.index,
    },
    text: facts([
      ['dataset', `${version.dataset}, version ${version.sequence}`],
      ...(rows === 0 ? [] : [['rows', String(rows)] as [string, string]]),
      ['segments', version.segments.map(({ name }) => name).join(', ')],
      ['sealed bytes', String(bytes)],
      ['manifest', `${version.manifest} (entry ${recorded.index ?? '?'} of the log)`],
    ]),
  }
}
