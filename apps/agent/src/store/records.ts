/** What an agent keeps, one space per kind of record. What it has signed is kept whole, so that the same bytes can be sent again. */
import type { Amounts, RefusalReason } from '#libs/protocol'

/** A consent key that this agent's people have compared out of band, under the label they gave it. */
export interface PinRecord {
  readonly label: string
  readonly pinnedAt: string
}

/** The Identities of a pinned party that this agent has verified, oldest first: a shorter or another chain is refused. */
export interface IdentityRecord {
  readonly statements: readonly string[]
  readonly ids: readonly string[]
}

/** When this agent first saw a contract's Activation in the log, by its own clock. */
export interface ContractRecord {
  readonly activation: string
  readonly activationSeenAt: string
}

/** A sealed version of a dataset of this owner, with its segment keys. */
export interface DatasetVersionRecord {
  readonly contract: string
  readonly dataset: string
  readonly manifest: string
  readonly manifestStatement: string
  readonly sequence: number
  readonly version: string
  readonly segments: readonly {
    readonly name: string
    readonly columns: readonly string[]
    readonly key: string
  }[]
  readonly withdrawn: boolean
}

/** A sealed version on its way: it becomes a {@link DatasetVersionRecord} when its Manifest is recorded. */
export interface SealingRecord {
  readonly version: DatasetVersionRecord
  readonly sourcePath: string
  /** tells the content of the source from a later one */
  readonly sourceMark: string
  readonly sealedAt: string
  readonly rows: number
  readonly uploads: readonly { readonly path: string; readonly digest: string; readonly size: number }[]
}

/** The newest link of a dataset's chain of Spends. */
export interface SpendHeadRecord {
  readonly sequence: number
  readonly total: Amounts
  readonly id: string | null
}

/** Every Spend of this owner, by run and dataset: signed once, sent again as often as needed. */
export interface SpendRecord {
  readonly dataset: string
  readonly computation: string
  readonly contract: string
  readonly statement: string
  readonly id: string
  readonly digest: string
  readonly sequence: number
  readonly total: Amounts
  readonly at: string
}

/** What this owner has signed in a run besides Spends. A release stands here before it is sent. */
export interface RunRecord {
  readonly contract: string
  readonly round: number
  readonly acceptedOffers: string | null
  /** the nonce on which the Accept rests */
  readonly acceptedNonce: string | null
  readonly accept: string | null
  /** goes beside the Accept: the collateral of its verdicts; absent in records of before there was any */
  readonly acceptCollateral?: string | null
  readonly releases: Readonly<Record<string, string>>
  readonly refusal: string | null
  readonly renewals: number
  /** of a recorded Receipt that this agent verified */
  readonly outcome: string | null
  /** learned from the log after a restore: nothing more is ever signed for it */
  readonly adopted: boolean
}

/** A person's answer to a run that house rules leave to people. */
export interface ConsentRecord {
  readonly allow: boolean
  readonly at: string
  readonly reason: string
}

/** One check that this agent made in a run, for `sealroom run explain`. */
export interface CheckRecord {
  readonly at: string
  readonly step: string
  readonly check: string
  readonly ok: boolean
  readonly expected: string
  readonly seen: string
}

/** Why a run stands still at this agent, or what it refused. */
export interface NoteRecord {
  readonly at: string
  readonly reasons: readonly RefusalReason[]
}

/** How far this agent has followed the log: the frontier of the tree in base64url, and the checkpoint that it matched. */
export interface LogRecord {
  readonly frontier: string
  readonly note: string | null
}

/** A log leaf that this agent has read, by the digest of its statement. */
export interface LeafRecord {
  readonly index: number
  readonly type: string
  readonly signer: string | null
  readonly run: string | null
}

/** A leaf under a signer's or a run's pseudonym. */
export interface LeafIndexRecord {
  readonly digest: string
  readonly type: string
}

/** A run that this agent requested: what it needs to read the answer. */
export interface RequestRecord {
  readonly contract: string
  readonly computation: string
  readonly statement: string
  readonly parameters: Readonly<Record<string, string | number | boolean | null>>
}

/** The spaces of the store. The type parameter is what a space holds; keys are strings, parts joined by `/`. */
export interface Space<Value> {
  readonly name: string
  readonly value?: Value
}

function space<Value>(name: string): Space<Value> {
  return { name }
}

export const spaces = {
  /** single values by name: `cursor`, `startedAt`, `restored` */
  state: space<string>('state'),
  pins: space<PinRecord>('pins'),
  identities: space<IdentityRecord>('identities'),
  contracts: space<ContractRecord>('contracts'),
  /** key: contract/dataset/sequence padded to 10 digits */
  datasetVersions: space<DatasetVersionRecord>('dataset-versions'),
  /** what is sealed and not yet recorded; key: contract/dataset */
  sealings: space<SealingRecord>('sealings'),
  /** key: dataset chain name `contract/dataset` */
  spendHeads: space<SpendHeadRecord>('spend-heads'),
  /** key: run/dataset */
  spends: space<SpendRecord>('spends'),
  /** key: run */
  runs: space<RunRecord>('runs'),
  consents: space<ConsentRecord>('consents'),
  /** key: run/number padded to 6 digits */
  checks: space<CheckRecord>('checks'),
  notes: space<NoteRecord>('notes'),
  requests: space<RequestRecord>('requests'),
  log: space<LogRecord>('log'),
  /** key: statement digest */
  leaves: space<LeafRecord>('leaves'),
  /** key: `signer/PSEUDONYM/INDEX` and `run/PSEUDONYM/INDEX`, the index padded to 12 digits */
  leafIndex: space<LeafIndexRecord>('leaf-index'),
} as const
