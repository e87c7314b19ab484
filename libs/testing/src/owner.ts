/** A data owner's side of a run, as an honest agent plays it; `change` makes it dishonest. */
import { digest, domains, saltFrom, type Verified } from '#libs/canonical'
import { keyInfo, sealBytes, sealKey, segmentContext } from '#libs/envelope'
import {
  acceptKind,
  keyReleaseKind,
  manifestKind,
  nonceKind,
  offerSetDigest,
  renewalKind,
  spendKind,
  type Accept,
  type KeyRelease,
  type Manifest,
  type Nonce,
  type Offer,
  type Renewal,
  type RunRequest,
  type Spend,
} from '#libs/protocol'
import type { Party } from './party.js'

/** One column group in the clear and its key. */
export interface OwnedSegment {
  readonly name: string
  readonly columns: readonly string[]
  readonly key: Uint8Array
  readonly sealed: Uint8Array
}

/** A sealed version of a dataset, with the keys that only its owner has. */
export interface OwnedVersion {
  readonly manifest: Verified<Manifest>
  readonly segments: readonly OwnedSegment[]
}

export interface SealOptions {
  readonly contract: string
  readonly dataset: string
  /** Null for a model, which has no columns either. */
  readonly unit: string | null
  readonly columns: Manifest['columns']
  /** Files by segment name: Parquet, or a model's. */
  readonly segments: readonly {
    readonly name: string
    readonly columns: readonly string[]
    readonly parquet: Uint8Array
  }[]
}

/** Seals a dataset and signs its Manifest. */
export async function sealDataset(owner: Party, options: SealOptions): Promise<OwnedVersion> {
  const version = saltFrom(owner.randomBytes).slice(0, 22)
  const segments = options.segments.map(({ name, columns, parquet }) => {
    const key = owner.randomBytes(32)
    const context = segmentContext({
      owner: owner.thumbprint,
      dataset: options.dataset,
      version,
      segment: name,
      segmentCount: options.segments.length,
    })
    return {
      name,
      columns,
      key,
      sealed: sealBytes({ dataKey: key, context, randomBytes: owner.randomBytes }, parquet),
    }
  })
  const manifest = await owner.sign(manifestKind, {
    contract: options.contract,
    dataset: options.dataset,
    sequence: 1,
    previous: null,
    kind: options.unit === null ? 'model' : 'table',
    columns: options.columns,
    unit: options.unit,
    version,
    segments: segments.map(({ name, columns, sealed }) => ({
      name,
      columns: [...columns],
      ciphertextDigest: digest(domains.ciphertext, sealed),
      size: sealed.length,
    })),
  })
  return { manifest, segments }
}

/** A run as an owner sees it. */
export interface OwnedRun {
  readonly request: Verified<RunRequest>
  readonly round: number
  readonly dataset: string
  readonly version: OwnedVersion
  readonly requestKey: Uint8Array
}

export async function nonceOf(
  owner: Party,
  { request, round }: OwnedRun,
  change: Partial<Nonce> = {},
): Promise<Verified<Nonce>> {
  const nonce = saltFrom(owner.randomBytes)
  return await owner.sign(nonceKind, { ...runFields(request, round), place: 0, nonce, ...change })
}

export async function acceptOf(
  owner: Party,
  { request, round, version }: OwnedRun,
  offer: Verified<Offer>,
  evidence: string,
  change: Partial<Accept> = {},
): Promise<Verified<Accept>> {
  return await owner.sign(acceptKind, {
    ...runFields(request, round),
    offers: offerSetDigest([offer.id]),
    manifests: [version.manifest.id],
    evidence: [evidence],
    collateral: [],
    expiresAt: offer.payload.expiresAt,
    ...change,
  })
}

export async function spendOf(
  owner: Party,
  { request, dataset }: OwnedRun,
  change: Partial<Spend> = {},
): Promise<Verified<Spend>> {
  const oneRun = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }
  return await owner.sign(spendKind, {
    contract: request.payload.contract,
    run: request.id,
    dataset,
    amounts: oneRun,
    sequence: 1,
    total: oneRun,
    previous: null,
    ...change,
  })
}

/** Seals the keys to the Offer; all segments of the version are given unless `segments` names fewer. */
export async function releaseOf(
  owner: Party,
  run: OwnedRun,
  offer: Verified<Offer>,
  spend: Verified<Spend>,
  change: Partial<KeyRelease> & {
    readonly segments?: readonly string[]
    readonly requestKeyBytes?: Uint8Array
  } = {},
): Promise<Verified<KeyRelease>> {
  const { request, round, version, dataset } = run
  const {
    segments = version.segments.map(({ name }) => name),
    requestKeyBytes = run.requestKey,
    ...fields
  } = change
  const set = offerSetDigest([offer.id])
  const place = {
    sender: owner.daemon.thumbprint,
    recipient: offer.payload.by,
    contract: request.payload.contract,
    run: request.id,
    offer: offer.id,
    set,
  }
  const manifest = version.manifest.id
  const segmentKeys = await Promise.all(
    version.segments
      .filter(({ name }) => segments.includes(name))
      .map(async ({ name: segment, key }) => ({
        segment,
        key: await sealKey(
          offer.payload.hpkeKey,
          key,
          keyInfo({ purpose: 'segment-key', ...place, manifest, segment }),
        ),
      })),
  )
  const requestInfo = keyInfo({ purpose: 'request-key-to-enclave', ...place })
  return await owner.sign(keyReleaseKind, {
    ...runFields(request, round),
    offers: set,
    offer: offer.id,
    place: 0,
    dataset,
    manifest,
    spend: spend.id,
    segmentKeys,
    requestKey: await sealKey(offer.payload.hpkeKey, requestKeyBytes, requestInfo),
    leaseUntil: owner.clock.iso(60_000),
    ...fields,
  })
}

export async function renewalOf(
  owner: Party,
  { request, round }: OwnedRun,
  offer: Verified<Offer>,
  change: Partial<Renewal> = {},
): Promise<Verified<Renewal>> {
  const fields = { offers: offerSetDigest([offer.id]), sequence: 1, leaseUntil: owner.clock.iso(60_000) }
  return await owner.sign(renewalKind, { ...runFields(request, round), ...fields, ...change })
}

function runFields(request: Verified<RunRequest>, round: number) {
  return { contract: request.payload.contract, run: request.id, round }
}
