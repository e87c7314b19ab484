/**
 * What the log says happened, in its order, as far as bodies were shown and verified. Pure data: rules read it and change
 * nothing. An act stands at its place in the log; its payload was signed by a key that may sign such an act at that place.
 */
import type { Digest, StatementType, Thumbprint, Verified } from '#libs/canonical'
import type { AppraisalFact, ContractPayload, ContractTerms, SignedContract } from '#libs/contract'
import type {
  Accept,
  Activation,
  Approval,
  Denial,
  EvidenceStatement,
  Fetch,
  Identity,
  KeyRelease,
  Manifest,
  Nonce,
  Offer,
  OutputKeys,
  Receipt,
  Refusal,
  Revocation,
  RunRequest,
  Spend,
  Start,
  Withdrawal,
} from '#libs/protocol'

/** Where something stands: what a finding names. */
export interface Place {
  /** Place in the log, from 0; null for what is not in it. */
  readonly index: number | null
  readonly type: StatementType | 'checkpoint' | 'leaf'
  /** The statement's id, a checkpoint's root; of a leaf whose body is not shown, the digest that it commits to. */
  readonly id: string
}

/** A verified statement at its place in the log. */
export interface Act<Payload> {
  readonly type: StatementType
  /** The first place at which the log has it. */
  readonly index: number
  readonly id: Digest
  readonly payload: Payload
  /** Milliseconds, by the signer's clock. */
  readonly issuedAt: number
  readonly statement: Verified<Payload>
}

/** An entry of this contract's whose body was not shown. */
export interface HiddenEntry {
  readonly type: StatementType
  readonly index: number
  readonly digest: Digest
}

/** An Offer with the verdict on its evidence, null where none was shown or nobody accepted it. */
export interface AppraisedOffer extends Act<Offer> {
  /** Digest of the list of Offers of its round, which Accepts and releases name. */
  readonly set: Digest
  readonly evidence: Act<EvidenceStatement> | null
  readonly appraisal: AppraisalFact | null
  /** What each Accept of it rests on, by id of the Accept: the verdict for its time, with its own collateral where that is shown. */
  readonly acceptedOn: ReadonlyMap<Digest, AppraisalFact>
}

/** Everything of one run, each list in the log's order. */
export interface RunHistory {
  readonly id: Digest
  readonly contract: ContractHistory
  readonly request: Act<RunRequest> | null
  readonly approvals: readonly Act<Approval>[]
  readonly denials: readonly Act<Denial>[]
  /** Not in the log; the Offer names their bytes. */
  readonly nonces: readonly Verified<Nonce>[]
  readonly offers: readonly AppraisedOffer[]
  readonly accepts: readonly Act<Accept>[]
  readonly spends: readonly Act<Spend>[]
  readonly releases: readonly Act<KeyRelease>[]
  readonly refusals: readonly Act<Refusal>[]
  readonly starts: readonly Act<Start>[]
  readonly receipts: readonly Act<Receipt>[]
  readonly outputKeys: readonly Act<OutputKeys>[]
  readonly fetches: readonly Act<Fetch>[]
  readonly hidden: readonly HiddenEntry[]
}

/** Everything of one contract that is not of a run. */
export interface ContractHistory {
  readonly id: Digest
  readonly terms: ContractTerms
  /** Null where the signatures that were shown do not make it signed; `unsigned` says why. */
  readonly signed: SignedContract | null
  readonly unsigned: string | null
  readonly signatures: readonly Act<ContractPayload>[]
  readonly activations: readonly Act<Activation>[]
  readonly manifests: readonly Act<Manifest>[]
  readonly withdrawals: readonly Act<Withdrawal>[]
  readonly revocations: readonly Act<Revocation>[]
  readonly hidden: readonly HiddenEntry[]
}

/** A checkpoint that the log's key signed, and the witnesses whose cosignatures on it verified. */
export interface SeenCheckpoint {
  readonly size: number
  /** In hexadecimal. */
  readonly root: string
  /** Whether it is the root of this log's first `size` leaves; null where the log was not shown that far. */
  readonly onTree: boolean | null
  /** Whether the auditor brought it itself, and not who shows the record. */
  readonly own: boolean
  /** POSIX seconds by the witness's clock. */
  readonly cosigners: ReadonlyMap<Thumbprint, number>
}

/** The whole history of one contract, and of those that it supersedes. */
export interface History {
  readonly origin: string
  /** How many leaves were shown. */
  readonly size: number
  /** The root of the first `size` leaves, in hexadecimal; null beyond what was shown. */
  readonly rootAt: (size: number) => string | null
  /** The contract that was asked for, then those before it. */
  readonly contracts: readonly ContractHistory[]
  readonly runs: readonly RunHistory[]
  readonly identities: ReadonlyMap<Thumbprint, readonly Act<Identity>[]>
  /** By size, then as shown. */
  readonly checkpoints: readonly SeenCheckpoint[]
  readonly labelOf: (party: Thumbprint) => string
}

/** The acts of a run, of all types, in the log's order. */
export function actsOf(run: RunHistory): readonly Act<{ readonly by: string; readonly issuedAt: string }>[] {
  const evidence = run.offers.flatMap((offer) => offer.evidence ?? [])
  return [
    ...(run.request === null ? [] : [run.request]),
    ...run.approvals,
    ...run.denials,
    ...run.offers,
    ...evidence,
    ...run.accepts,
    ...run.spends,
    ...run.releases,
    ...run.refusals,
    ...run.starts,
    ...run.receipts,
    ...run.outputKeys,
    ...run.fetches,
  ].toSorted((a, b) => a.index - b.index)
}

/** The newest Identity of a party that the log had before a place. */
export function identityBefore(
  history: History,
  party: Thumbprint,
  index: number,
): Act<Identity> | undefined {
  return history.identities.get(party)?.findLast((link) => link.index < index)
}
