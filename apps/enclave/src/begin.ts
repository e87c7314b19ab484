/**
 * Everything that must be true before data is opened, established here and put before `decide`: the owners' Accepts, Spends and
 * KeyReleases, the log's proofs, the keys that they sealed to this Offer.
 */
import { equalBytes, type StatementType, type Thumbprint, type Verified } from '#libs/canonical'
import {
  decide,
  reasonsOf,
  type ContractStanding,
  type Facts,
  type FactsOf,
  type QueryFact,
} from '#libs/contract'
import { keyInfo, openKey } from '#libs/envelope'
import type { Approval, KeyRelease, RunView, Spend } from '#libs/protocol'
import { verifyApprovals } from './approvals.js'
import { EnclaveError } from './errors.js'
import type { Leases } from './leases.js'
import type { MadeOffer } from './make-offer.js'
import { partKey, type RoundRecord } from './round-record.js'
import type { LoggedStatement, RunLog } from './run-log.js'
import { contractStanding } from './standing.js'
import type { Job, JobInput } from './verify-job.js'

/** What one owner gave for one of its datasets, complete. */
export interface Part {
  readonly input: JobInput
  readonly spend: Verified<Spend>
  readonly release: Verified<KeyRelease>
}

/** The keys that the releases held, opened. They are wiped when the instance ends. */
export interface OpenedKeys {
  /** The owners' request keys, in the order of the parts; `decide` asks whether they are equal. */
  readonly requestKeys: readonly Uint8Array[]
  /** By dataset and owner, then by segment. */
  readonly segmentKeys: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>
}

/** The parts of the run once every owner has accepted, spent and released; null before. */
export function completeParts(job: Job, record: RoundRecord): readonly Part[] | null {
  if (job.owners.some((owner) => !record.accepts.has(owner))) return null
  const parts = job.inputs.flatMap((input) => {
    const part = partKey(input.owner, input.dataset)
    const [spend, release] = [record.spends.get(part), record.releases.get(part)]
    return spend === undefined || release === undefined ? [] : [{ input, spend, release }]
  })
  return parts.length === job.inputs.length ? parts : null
}

/**
 * Checks that each release is for the version that the request names and rests on the Spend that the log shows.
 * @throws EnclaveError `STATEMENT_FOREIGN`, `SPEND_MISMATCH`.
 */
export function expectMatching(parts: readonly Part[]): void {
  for (const { input, spend, release } of parts) {
    if (release.payload.manifest !== input.manifest.id)
      throw new EnclaveError(
        'STATEMENT_FOREIGN',
        `release ${release.id} is for manifest ${release.payload.manifest}; the request names ${input.manifest.id}`,
      )
    if (release.payload.spend !== spend.id)
      throw new EnclaveError(
        'SPEND_MISMATCH',
        `release ${release.id} rests on Spend ${release.payload.spend}; the log has ${spend.id}`,
      )
  }
}

/** The keys that one KeyRelease held. */
export interface OpenedRelease {
  readonly requestKey: Uint8Array
  readonly segments: ReadonlyMap<string, Uint8Array>
}

/**
 * Opens what one owner sealed to this Offer's key, as far as it is needed. Nothing may be done with it before the releases of all were
 * looked at together.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export async function openRelease(
  { contract, run }: Job,
  { offer, set, keys }: MadeOffer,
  { kid, payload }: Verified<KeyRelease>,
  needed: ReadonlySet<string>,
): Promise<OpenedRelease> {
  const place = {
    sender: kid,
    recipient: keys.receipt.thumbprint,
    contract: contract.id,
    run,
    offer: offer.id,
    set,
  }
  const requestInfo = keyInfo({ purpose: 'request-key-to-enclave', ...place })
  const requestKey = await openKey(keys.sealing, payload.requestKey, requestInfo)
  const segments = new Map<string, Uint8Array>()
  for (const { segment, key } of payload.segmentKeys) {
    if (!needed.has(segment)) continue
    const info = keyInfo({ purpose: 'segment-key', ...place, manifest: payload.manifest, segment })
    segments.set(segment, await openKey(keys.sealing, key, info))
  }
  return { requestKey, segments }
}

/** The opened releases of all parts, together. */
export function joinKeys(parts: readonly Part[], opened: readonly OpenedRelease[]): OpenedKeys {
  const named = parts.flatMap(({ input }, i) => {
    const release = opened[i]
    return release === undefined ? [] : [[partKey(input.owner, input.dataset), release.segments] as const]
  })
  return { requestKeys: opened.map(({ requestKey }) => requestKey), segmentKeys: new Map(named) }
}

/** Overwrites opened keys. What the runtime has copied meanwhile ends with the process. */
export function wipeKeys({ requestKeys, segmentKeys }: OpenedKeys): void {
  for (const key of requestKeys) key.fill(0)
  for (const segments of segmentKeys.values()) for (const key of segments.values()) key.fill(0)
}

/** What the log and the approvers say before the releases come. */
export interface Proven {
  readonly approvals: readonly Verified<Approval>[]
  readonly standing: ContractStanding
}

/**
 * Proves from a checkpoint that all data owners cosigned: the contract's Activation, the request, its Approvals, and the Spends. What
 * else the log must hold, the owners have looked at before they released.
 * @throws EnclaveError `COSIGNATURES_MISSING`, `NOT_IN_LOG`; the codes of {@link contractStanding} and {@link verifyApprovals}.
 */
export async function proveRecorded(
  job: Job,
  view: RunView,
  record: RoundRecord,
  log: RunLog,
): Promise<Proven> {
  const [approvals, standing, checkpoint] = await Promise.all([
    verifyApprovals(job, view),
    contractStanding(job),
    log.seenByOwners(),
  ])
  if (checkpoint === null)
    throw new EnclaveError(
      'COSIGNATURES_MISSING',
      'no checkpoint over the Spends was cosigned by every data owner of the run',
    )
  await log.expectIncluded(checkpoint, loggedBefore(job, record, approvals))
  return { approvals, standing }
}

/** The facts of the start, from what was verified, proven and opened. */
export function startFacts(
  job: Job,
  made: MadeOffer,
  parts: readonly Part[],
  keys: OpenedKeys,
  { approvals, standing }: Proven,
  leases: Leases,
  context: { readonly query: QueryFact; readonly now: number; readonly executedBefore: boolean },
): FactsOf<'start'> {
  return {
    ...context,
    standing,
    request: requestFact(job),
    approvals: approvals.map(({ payload }) => payload),
    offers: [offerFact(made)],
    offerSet: made.set,
    spendRecord: {
      spends: parts.map(({ input, spend }) => ({
        owner: input.owner,
        dataset: input.dataset,
        run: spend.payload.run,
      })),
      // Proven of exactly these: the checkpoint counts only where each of them cosigned it.
      cosigners: job.owners,
    },
    releases: releaseFacts(parts, leases),
    requestKeysEqual: allEqual(keys.requestKeys),
  }
}

/** The releases as they hold now: a lease ends where its owner's last Renewal says. */
export function releaseFacts(parts: readonly Part[], leases: Leases): Facts['releases'] {
  return parts.map(({ release }) => ({
    ...release.payload,
    leaseUntil: leases.untilText(release.payload.by),
  }))
}

/** @throws EnclaveError `DECISION_REFUSED` with the rules that say no. */
export function expectPermit<A extends 'start' | 'execute' | 'publish'>(
  job: Job,
  act: A,
  facts: FactsOf<A>,
): void {
  const verdict = decide(job.contract, act, facts)
  if (verdict.decision === 'permit') return
  const reasons = reasonsOf(verdict).map(({ text }) => text)
  throw new EnclaveError('DECISION_REFUSED', `${act} is refused: ${reasons.join(' ')}`)
}

function loggedBefore(
  job: Job,
  record: RoundRecord,
  approvals: readonly Verified<Approval>[],
): readonly LoggedStatement[] {
  const logged = (type: StatementType, statement: Verified<{ readonly by: Thumbprint }>, inRun = true) => ({
    type,
    statement,
    signer: statement.payload.by,
    inRun,
  })
  return [
    logged('activation', job.activation, false),
    logged('run-request', job.request),
    ...approvals.map((approval) => logged('approval', approval)),
    ...[...record.spends.values()].map((spend) => logged('spend', spend)),
  ]
}

/** The clear part of the request, as `decide` asks for it. */
export function requestFact({ request, run }: Job): Facts['request'] {
  const { by, contract, computation, inputs, expiresAt, sealed } = request.payload
  return { run, by, contract, computation, inputs, expiresAt, sealedTo: sealed.keys }
}

/** The Offer, as `decide` asks for it. */
export function offerFact({ offer }: MadeOffer): Facts['offers'][number] {
  return { ...offer.payload, id: offer.id, measurement: offer.payload.build.measurement }
}

function allEqual(keys: readonly Uint8Array[]): boolean {
  const [first, ...rest] = keys
  return first !== undefined && rest.every((key) => equalBytes(first, key))
}
