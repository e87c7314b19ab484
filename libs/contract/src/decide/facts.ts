/**
 * What each act is decided on. Whoever calls `decide` has established each fact itself, from statements that it verified; what
 * it was merely told is no fact. The list of an act is closed: `admit` asks for nothing that only sealed content shows, the acts
 * up to `release` for nothing that only opened data shows.
 */
import type { Digest, JsonValue, Thumbprint } from '#libs/canonical'
import type { ContractStanding } from '../signing/lifecycle.js'

/** The clear part of a RunRequest. Times are ISO 8601, UTC. */
export interface RequestFact {
  /** Id of the request, which is the run's. */
  readonly run: Digest
  readonly by: Thumbprint
  readonly contract: Digest
  readonly computation: string
  readonly inputs: readonly {
    readonly dataset: string
    readonly owner: Thumbprint
    readonly manifest: Digest
  }[]
  readonly expiresAt: string
  readonly sealedTo: readonly { readonly party: Thumbprint; readonly identity: Digest }[]
}

/** What the log knows of an owner's part of a dataset. */
export interface VersionFact {
  readonly dataset: string
  readonly owner: Thumbprint
  /** The owner's newest Manifest under this contract when the request was logged; null where there was none. */
  readonly newest: Digest | null
  /** Manifests that the owner withdrew; `all` after a withdrawal of the whole dataset. */
  readonly withdrawn: readonly Digest[] | 'all'
}

/** An Approval or Denial in the log. */
export interface VoteFact {
  readonly by: Thumbprint
  readonly run: Digest
  readonly contract: Digest
  readonly expiresAt: string
}

/** What was spent under the request's computation before this run. A run counts once, whatever became of it. */
export interface UsageFact {
  /** Other runs with a Spend (under this owner, where an owner decides). */
  readonly runs: number
  /** Other runs with a Spend and without a Receipt of outcome `completed`. */
  readonly failures: number
  /** Failures that owners' consent keys allowed beyond the contract's. */
  readonly failuresAllowedMore: number
}

/** One Offer of the round. */
export interface OfferFact {
  readonly id: Digest
  readonly run: Digest
  readonly contract: Digest
  readonly round: number
  readonly enclave: number
  readonly place: number
  readonly places: number
  readonly nonces: Readonly<Record<Thumbprint, string>>
  readonly identities: Readonly<Record<Thumbprint, Digest>>
  readonly shareHolders: readonly Thumbprint[]
  readonly measurement: string
  readonly gpuEvidence: readonly Digest[] | null
  readonly expiresAt: string
}

/** The verdict of `#libs/attestation` over the evidence of an Offer, as the decider itself came to it. */
export interface AppraisalFact {
  readonly offer: Digest
  /** Kind of the evidence. */
  readonly kind: string
  /** Index of the contract's entry that the evidence was held against. */
  readonly enclave: number
  readonly measurement: string
  readonly simulated: boolean
  /** The chip's id, in lower case; null where the evidence does not show it: then hardware counts as on any that is revoked. */
  readonly chip: string | null
  /** Ids of the GPUs that the Offer names, in lower case. */
  readonly gpus: readonly string[]
  /** Milliseconds; after that the evidence is older than the contract's entry allows. */
  readonly validUntil: number
  /** Claims that did not meet the contract's reference values; empty where all did. */
  readonly failed: readonly { readonly check: string; readonly expected: string; readonly seen: string }[]
}

/** A Revocation of a build or chip, or an entry of the decider's own deny-list (`by` the decider). */
export interface RevocationFact {
  readonly by: Thumbprint
  readonly kind: 'build' | 'chip'
  readonly value: string
  readonly from: string
}

/** An owner's Accept. `offers` is the digest of the ordered list of Offers. */
export interface AcceptFact {
  readonly by: Thumbprint
  readonly run: Digest
  readonly contract: Digest
  readonly round: number
  readonly offers: Digest
  readonly expiresAt: string
}

/** Spends for this run, all in one checkpoint, and who cosigned it. */
export interface SpendRecordFact {
  readonly spends: readonly { readonly owner: Thumbprint; readonly dataset: string; readonly run: Digest }[]
  readonly cosigners: readonly Thumbprint[]
}

/** A KeyRelease that the worker opened. */
export interface ReleaseFact {
  readonly by: Thumbprint
  readonly run: Digest
  readonly contract: Digest
  readonly round: number
  readonly place: number
  readonly dataset: string
  readonly manifest: Digest
  readonly offers: Digest
  /** The end of the lease by this release or the owner's last Renewal. */
  readonly leaseUntil: string
}

/** What opened data shows of one input. */
export interface OpenedInputFact {
  readonly dataset: string
  readonly owner: Thumbprint
  readonly schemaMatches: boolean
  readonly withinBounds: boolean
  readonly unitPresent: boolean
}

/** What the decider's own parse of the computation's text says. */
export interface QueryFact {
  /** Datasets that it reads. */
  readonly reads: readonly string[]
  /** Null where the text is understood and every output's controls can be applied; else the rule of the query policy. */
  readonly fault: string | null
}

/** A Receipt in the log, and who cosigned the checkpoint that holds it. */
export interface ReceiptFact {
  readonly run: Digest
  readonly contract: Digest
  readonly computation: string
  readonly outcome: string
  readonly outputs: readonly { readonly name: string; readonly recipients: readonly Thumbprint[] }[]
  readonly cosigners: readonly Thumbprint[]
}

/** Every fact by name. */
export interface Facts {
  /** Milliseconds. An enclave's is the latest time signed by a data owner of the run plus its own count since. */
  readonly now: number
  readonly standing: ContractStanding
  readonly request: RequestFact
  readonly versions: readonly VersionFact[]
  /** Newest Identity digests when the request was logged. */
  readonly identitiesWhenRequested: Readonly<Record<Thumbprint, Digest>>
  readonly usage: UsageFact
  readonly approvals: readonly VoteFact[]
  readonly denials: readonly VoteFact[]
  /** The deciding owner. */
  readonly self: Thumbprint
  /** The deciding owner's own will: its house rules', or a person's. */
  readonly consent: 'agreed' | 'waiting' | 'declined'
  /** Whether the agent has read the log up to a checkpoint that all other owners cosigned after its start. */
  readonly caughtUp: boolean
  /** The deciding owner's own sealed parts: releases so far and time of sealing (milliseconds). */
  readonly sealings: readonly {
    readonly dataset: string
    readonly releases: number
    readonly sealedAt: number
  }[]
  readonly offers: readonly OfferFact[]
  /** Digest of the ordered list of Offers. */
  readonly offerSet: Digest
  /** The deciding owner's live round and its nonce for each worker place, in order. */
  readonly ownRound: { readonly round: number; readonly nonces: readonly string[] }
  /** Newest Identity digests that the decider knows. */
  readonly identities: Readonly<Record<Thumbprint, Digest>>
  readonly appraisals: readonly AppraisalFact[]
  readonly revocations: readonly RevocationFact[]
  /** Whether the decider's house rules allow simulated enclaves. */
  readonly simulatedAllowed: boolean
  readonly query: QueryFact
  readonly accepts: readonly AcceptFact[]
  readonly spendRecord: SpendRecordFact
  /** What the deciding owner released for this run before, by dataset and place. */
  readonly releasedBefore: readonly { readonly dataset: string; readonly place: number }[]
  /** Datasets and places that the deciding owner is about to release. */
  readonly releasing: readonly {
    readonly dataset: string
    readonly place: number
    readonly manifest: Digest
  }[]
  readonly releases: readonly ReleaseFact[]
  /** Whether the request keys of all owners are equal. */
  readonly requestKeysEqual: boolean
  /** Whether this enclave has executed an Offer before. */
  readonly executedBefore: boolean
  readonly openedInputs: readonly OpenedInputFact[]
  /** Parameters of the opened request. */
  readonly parameters: Readonly<Record<string, JsonValue>>
  /** Text of a free query in the opened request; null where the contract holds the query. */
  readonly requestQuery: string | null
  /** Group size that the enclave is about to apply, by output. */
  readonly groupSizes: Readonly<Record<string, number>>
  readonly receipt: ReceiptFact
  readonly approver: { readonly by: Thumbprint; readonly expiresAt: string }
  readonly fetch: { readonly by: Thumbprint; readonly run: Digest; readonly output: string }
  readonly withdrawal: { readonly by: Thumbprint; readonly contract: Digest; readonly dataset: string }
  readonly revocation: {
    readonly by: Thumbprint
    readonly contract: Digest
    readonly kind: 'contract' | 'build' | 'chip'
  }
}

export type FactName = keyof Facts

const requested = ['now', 'standing', 'request', 'versions', 'usage', 'identitiesWhenRequested'] as const
const begun = [...requested, 'approvals', 'denials'] as const
const agreed = [...begun, 'self', 'consent', 'sealings'] as const
const accepted = [
  ...agreed,
  'caughtUp',
  'offers',
  'ownRound',
  'identities',
  'appraisals',
  'revocations',
  'simulatedAllowed',
  'query',
] as const
const spent = [...accepted, 'offerSet', 'accepts'] as const
const released = [...spent, 'spendRecord', 'releasedBefore', 'releasing'] as const
const renewed = ['now', 'standing', 'self', 'appraisals', 'revocations'] as const
const started = [
  'now',
  'standing',
  'request',
  'approvals',
  'offers',
  'offerSet',
  'query',
  'spendRecord',
  'releases',
  'requestKeysEqual',
  'executedBefore',
] as const
const executed = [...started, 'openedInputs', 'parameters', 'requestQuery', 'groupSizes'] as const

/**
 * The facts of each act, closed. `admit` (coordinator, on a request), `begin` (coordinator, before a round), `agree` (owner,
 * before its nonce), `accept`, `spend`, `release` (owner, on an Offer; the design's release in its three steps), `renew` (owner, before each
 * Renewal of its lease), `start`
 * (enclave, before it opens data), `execute` (enclave, on opened data), `publish` (enclave, before OutputKeys), `approve`,
 * `fetch`, `withdraw`, `revoke` (coordinator and agents, on such a statement).
 */
export const actFacts = {
  admit: requested,
  begin: begun,
  agree: agreed,
  accept: accepted,
  spend: spent,
  release: released,
  renew: renewed,
  start: started,
  execute: executed,
  publish: ['now', 'request', 'releases', 'receipt'],
  approve: ['now', 'standing', 'request', 'approver'],
  fetch: ['fetch', 'receipt'],
  withdraw: ['withdrawal'],
  revoke: ['revocation'],
} as const satisfies Record<string, readonly FactName[]>

export type Act = keyof typeof actFacts
export const acts = Object.keys(actFacts) as Act[]

/** What an act is decided on. */
export type FactsOf<A extends Act> = Pick<Facts, (typeof actFacts)[A][number]>
export type AdmitFacts = FactsOf<'admit'>
export type AcceptFacts = FactsOf<'accept'>
export type ReleaseFacts = FactsOf<'release'>
export type ExecuteFacts = FactsOf<'execute'>
