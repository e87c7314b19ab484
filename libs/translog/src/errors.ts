import { CodedError } from '#libs/canonical'

/** What can be wrong with a log, its proofs, its checkpoints and what is said about them. */
export type TranslogErrorCode =
  | 'SIZE_INVALID'
  | 'HASH_MALFORMED'
  | 'PROOF_MALFORMED'
  | 'PROOF_INVALID'
  | 'FRONTIER_MALFORMED'
  | 'LEAF_MALFORMED'
  | 'SECRET_MALFORMED'
  | 'NAME_MALFORMED'
  | 'NOTE_MALFORMED'
  | 'CHECKPOINT_MALFORMED'
  | 'ORIGIN_MISMATCH'
  | 'LOG_SIGNATURE_MISSING'
  | 'LOG_SIGNATURE_INVALID'
  | 'COSIGNATURE_INVALID'
  | 'WITNESSES_INVALID'
  | 'QUORUM_NOT_MET'
  | 'VIEW_MALFORMED'
  | 'LEAVES_INCOMPLETE'
  | 'VIEW_TOO_OLD'
  | 'ROLLBACK'
  | 'FORK'
  | 'CONSISTENCY_BROKEN'

/** Thrown by everything in `#libs/translog` that reads foreign bytes or judges a log. */
export class TranslogError extends CodedError<TranslogErrorCode> {
  /**
   * The signed notes that contradict each other, where there are some. Of a `FORK` they are proof of misbehaviour on their
   * own: the log's key signed both. Of a `ROLLBACK` or `CONSISTENCY_BROKEN` they are what to ask the log about.
   */
  readonly notes: readonly string[]

  constructor(
    code: TranslogErrorCode,
    message: string,
    options: ErrorOptions & { readonly notes?: readonly string[] } = {},
  ) {
    super(code, message, options)
    this.notes = options.notes ?? []
  }
}
