/**
 * Handing over: the keys of the segments that the computation reads, and the request key, sealed to the one enclave whose
 * evidence this agent verified. On disk before it is sent; once per run, dataset and worker place, ever.
 */
import { fromBase64url, signStatement, type Digest } from '#libs/canonical'
import { datasetOf } from '#libs/contract'
import { keyInfo, openKey, sealKey } from '#libs/envelope'
import { keyReleaseKind, offerSetDigest, type KeyRelease } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces, type DatasetVersionRecord } from '../store/records.js'
import { newStatement } from '../trust/new-statement.js'
import { readQuery } from '../trust/read-query.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import { changeRun } from './run-record.js'
import { spendsOf } from './spending.js'

/** One dataset of this owner in a run, with the segments that the computation reads. */
export interface Handing {
  readonly dataset: string
  readonly manifest: Digest
  readonly segments: DatasetVersionRecord['segments']
}

/** What this owner would release for a run. @throws AgentError `RUN_NOT_VERIFIED` where it has no keys of a named version. */
export async function releasing(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<readonly Handing[]> {
  const { columns: read } = await readQuery(contract, run.request.payload.computation)
  const versions = (await agent.store.list(spaces.datasetVersions)).map(([, version]) => version)
  return run.request.payload.inputs
    .filter(({ owner }) => owner === agent.keys.party)
    .map(({ dataset, manifest }) => {
      const version = versions.find(
        (candidate) => candidate.manifest === manifest && candidate.contract === contract.id,
      )
      if (version === undefined || version.withdrawn)
        throw new AgentError(
          'RUN_NOT_VERIFIED',
          `this agent has no keys of version ${manifest} of ${dataset}: it was sealed elsewhere, or withdrawn`,
        )
      const columns = new Set(read[dataset] ?? [])
      return {
        dataset,
        manifest,
        // A model is one segment without columns; whoever applies it needs all of it.
        segments:
          datasetOf(contract.terms, dataset)?.kind === 'model'
            ? version.segments
            : version.segments.filter((segment) => segment.columns.some((column) => columns.has(column))),
      }
    })
}

/** Seals, signs, keeps and sends one KeyRelease per dataset. */
export async function releaseKeys(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
  handing: readonly Handing[],
): Promise<void> {
  const requestKey = await openRequestKey(agent, contract, run)
  const spends = await spendsOf(agent, run.id)
  const releases: Record<string, string> = {}
  for (const part of handing)
    releases[part.dataset] = await signRelease(agent, contract, run, part, {
      requestKey,
      spend: spends.get(part.dataset)?.id ?? '',
    })
  requestKey.fill(0)
  await changeRun(agent, contract.id, run.id, { releases })
  await Promise.all(Object.values(releases).map((statement) => agent.client.record(statement)))
  agent.report({
    what: 'keys released',
    run: run.id,
    simulated: contract.terms.enclaves.some(({ tee }) => tee === 'simulated'),
  })
}

async function signRelease(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
  part: Handing,
  known: { readonly requestKey: Uint8Array; readonly spend: Digest },
): Promise<string> {
  const [shown] = run.offers
  if (shown === undefined) throw new AgentError('RUN_NOT_VERIFIED', `run ${run.id} has no Offer`)
  const { offer } = shown
  const set = offerSetDigest(run.offers.map((one) => one.offer.id))
  const place = {
    sender: agent.keys.daemonKey.thumbprint,
    recipient: offer.kid,
    contract: contract.id,
    run: run.id,
    offer: offer.id,
    set,
  }
  const segmentKeys = await Promise.all(
    part.segments.map(async ({ name, key }) => {
      const info = keyInfo({ ...place, purpose: 'segment-key', manifest: part.manifest, segment: name })
      return { segment: name, key: await sealKey(offer.payload.hpkeKey, fromBase64url(key), info) }
    }),
  )
  const payload: KeyRelease = {
    ...newStatement(agent, 'key-release'),
    contract: contract.id,
    run: run.id,
    round: run.round,
    offers: set,
    offer: offer.id,
    place: offer.payload.place,
    dataset: part.dataset,
    manifest: part.manifest,
    spend: known.spend,
    segmentKeys,
    requestKey: await sealKey(
      offer.payload.hpkeKey,
      known.requestKey,
      keyInfo({ ...place, purpose: 'request-key-to-enclave' }),
    ),
    leaseUntil: new Date(agent.now() + contract.terms.runs.leaseSeconds * 1000).toISOString(),
  }
  return (await signStatement(keyReleaseKind, payload, agent.keys.daemonKey)).jws
}

/** Opens the key of the request's sealed part that was sealed to this party. @throws EnvelopeError `OPEN_FAILED`. */
export async function openRequestKey(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<Uint8Array> {
  const sealed = run.request.payload.sealed.keys.find(({ party }) => party === agent.keys.party)
  if (sealed === undefined)
    throw new AgentError('RUN_NOT_VERIFIED', `the request key of run ${run.id} was not sealed to this party`)
  const info = keyInfo({
    purpose: 'request-key-to-party',
    sender: run.request.kid,
    recipient: agent.keys.party,
    contract: contract.id,
  })
  return await openWithAny(agent, (pair) => openKey(pair, sealed.key, info))
}

// What was sealed to an earlier sealing key of this party is still for it.
async function openWithAny<T>(
  agent: Agent,
  open: (pair: Agent['keys']['sealingKeys'][number]) => Promise<T>,
): Promise<T> {
  const [newest, ...older] = agent.keys.sealingKeys
  if (newest === undefined) throw new AgentError('KEY_STORE_LOCKED', 'this agent has no sealing key')
  for (const pair of [newest, ...older.slice(0, -1)])
    try {
      return await open(pair)
    } catch {
      // Which of the keys fits is not known beforehand; the last attempt's failure is the one that is told.
    }
  return await open(older.at(-1) ?? newest)
}
