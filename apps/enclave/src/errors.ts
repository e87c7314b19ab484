import { CodedError, type Thumbprint } from '#libs/canonical'

/** Why a worker ends its part in a run without a Receipt. After Start a failure is an outcome in the Receipt instead. */
export type EnclaveErrorCode =
  | 'USAGE'
  | 'TEE_MISSING'
  | 'TEE_FAILED'
  | 'ASSIGNMENT_INVALID'
  | 'ACTIVATION_INVALID'
  | 'IDENTITY_UNKNOWN'
  | 'STATEMENT_FOREIGN'
  | 'STATEMENT_REPEATED'
  | 'ENCLAVE_NOT_NAMED'
  | 'RELEASE_INCOMPLETE'
  | 'SPEND_MISMATCH'
  | 'COSIGNATURES_MISSING'
  | 'NOT_IN_LOG'
  | 'DECISION_REFUSED'
  | 'OFFER_EXPIRED'
  | 'OFFER_EXECUTED'
  | 'ROUND_LOST'
  | 'RUN_ENDED'
  | 'LEASE_LOST'
  | 'RECEIPT_UNRECORDED'

/** What went wrong in the worker. Messages name steps, digests and codes: they may leave the enclave. */
export class EnclaveError extends CodedError<EnclaveErrorCode> {
  /** Whose lease ran out, with `LEASE_LOST`. */
  readonly owner: Thumbprint | null

  constructor(
    code: EnclaveErrorCode,
    message: string,
    options?: ErrorOptions & { readonly owner?: Thumbprint },
  ) {
    super(code, message, options)
    this.owner = options?.owner ?? null
  }
}

/** Whether something thrown is an expected failure, with a code. Everything else is a mistake of ours and is not caught. */
export function isCoded(error: unknown): error is CodedError {
  return error instanceof CodedError
}
