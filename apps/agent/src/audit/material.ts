/** What an audit is given: by a coordinator or from a file, verified by neither, and what the auditor itself trusts. */
import type { TrustedHardware } from '#libs/attestation'
import type { Digest, PublicKey, Thumbprint } from '#libs/canonical'
import type { IdentityChainMessage, RecordedStatement } from '#libs/protocol'

/** A statement as it was shown. Its place in the log is found by its digest, whatever is said of it. */
export type ShownStatement = Pick<RecordedStatement, 'type' | 'statement' | 'attachment'>

/** The record of one contract. */
export interface AuditMaterial {
  readonly contract: Digest
  /** Every leaf from the first, as text. */
  readonly leaves: readonly string[]
  readonly identities: readonly IdentityChainMessage[]
  /** Of the contract and of those that it supersedes, in any order. */
  readonly statements: readonly ShownStatement[]
  /** Signed notes with their cosignatures. */
  readonly checkpoints: readonly string[]
  /** The key of Activations as shown; it counts where its thumbprint is the one that the contract names. */
  readonly coordinatorKey: PublicKey
}

/** What the auditor knows by itself. */
export interface AuditAnchors {
  readonly origin: string
  readonly logKey: PublicKey
  /** Parties whose consent keys the auditor's people compared, with their own name for each. */
  readonly pinned: ReadonlyMap<Thumbprint, string>
  /** Signed notes that the auditor, or someone it asked, saw of this log before. */
  readonly seen: readonly string[]
  /** Whose hardware the auditor believes. */
  readonly hardware: TrustedHardware
  /** Places of all leaves that the auditor itself read, where it reads the log. */
  readonly ownPlaces?: ReadonlyMap<Digest, number>
}
