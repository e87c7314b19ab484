import { CodedError } from '#libs/canonical'
import type { RefusalReason } from '#libs/protocol'

export type AgentErrorCode =
  | 'STORE_IN_USE'
  | 'STORE_DAMAGED'
  | 'KEY_STORE_LOCKED'
  | 'KEY_STORE_MALFORMED'
  | 'CONFIG_INVALID'
  | 'HOME_INVALID'
  | 'NOT_PINNED'
  | 'LOG_MISBEHAVED'
  | 'CONTRACT_NOT_VERIFIED'
  | 'CONTRACT_UNKNOWN'
  | 'DATASET_MISMATCH'
  | 'FILE_UNREADABLE'
  | 'RUN_NOT_VERIFIED'
  | 'RUN_UNKNOWN'
  | 'RESULT_NOT_VERIFIED'
  /** a service of collateral gave nothing, or not within bounds */
  | 'COLLATERAL_UNREACHABLE'
  /** a service of collateral offers what was replaced since */
  | 'COLLATERAL_OLDER'
  | 'REFUSED'
  | 'WAITING'
  | 'USAGE'

/** What an agent says no to, or cannot do. `reasons` explain a refusal: rule, expected, seen, who can change it. */
export class AgentError extends CodedError<AgentErrorCode> {
  readonly reasons: readonly RefusalReason[]

  constructor(
    code: AgentErrorCode,
    message: string,
    options?: ErrorOptions & { readonly reasons?: readonly RefusalReason[] },
  ) {
    super(code, message, options)
    this.reasons = options?.reasons ?? []
  }
}
