import { CodedError, type JsonValue } from '#libs/canonical'
import type { RefusalReason } from '#libs/protocol'

/** Everything that the coordinator itself refuses. Each code has its status in http/problem-table.ts. */
export type CoordinatorErrorCode =
  | 'TOKEN_MISSING'
  | 'TOKEN_REPLAYED'
  | 'KEY_UNKNOWN'
  | 'OPERATOR_TOKEN_INVALID'
  | 'NOT_ENTITLED'
  | 'REQUEST_MALFORMED'
  | 'REQUEST_TOO_LARGE'
  | 'REQUESTS_TOO_MANY'
  | 'ROUTE_UNKNOWN'
  | 'STATEMENT_TYPE_UNKNOWN'
  | 'STATEMENT_TYPE_REFUSED'
  | 'STATEMENT_NOT_BY_CALLER'
  | 'STATEMENT_OTHER_LOG'
  | 'STATEMENT_TIME_IMPLAUSIBLE'
  | 'STATEMENT_CONFLICT'
  | 'STATEMENT_UNKNOWN'
  | 'ATTACHMENT_MISMATCH'
  | 'INVITATION_INVALID'
  | 'PARTY_UNKNOWN'
  | 'CONTRACT_UNKNOWN'
  | 'CONTRACT_NOT_OPEN'
  | 'CONTRACT_MISMATCH'
  | 'PROPOSAL_EXPIRED'
  | 'MANIFEST_INVALID'
  | 'BLOB_UNKNOWN'
  | 'RUN_UNKNOWN'
  | 'RUN_REFUSED'
  | 'RUN_STATE_CONFLICT'
  | 'ROUND_OTHER'
  | 'SPEND_CHAIN_BROKEN'
  | 'RELEASE_INVALID'
  | 'RECEIPT_INVALID'
  | 'OUTPUT_NOT_YOURS'
  | 'ENROLMENT_INVALID'
  | 'WORKER_UNKNOWN'
  | 'WORKER_STATE_CONFLICT'
  | 'COSIGNATURE_REFUSED'
  | 'CHECKPOINT_UNKNOWN'
  | 'LEAF_UNKNOWN'
  | 'UPLOAD_EXISTS'
  | 'UPLOAD_UNKNOWN'
  | 'UPLOAD_OFFSET'
  | 'UPLOAD_MISMATCH'
  | 'UPLOAD_QUOTA'
  | 'RANGE_INVALID'
  | 'STOPPING'

/** A refusal by the coordinator. `refusals` says why, rule by rule, where a decision said no. */
export class CoordinatorError extends CodedError<CoordinatorErrorCode> {
  readonly refusals: readonly RefusalReason[]

  constructor(
    code: CoordinatorErrorCode,
    message: string,
    options?: ErrorOptions & { readonly refusals?: readonly RefusalReason[] },
  ) {
    super(code, message, options)
    this.refusals = options?.refusals ?? []
  }
}

export type StartErrorCode =
  | 'CONFIG_INVALID'
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_INVALID'
  | 'DATABASE_IN_USE'
  | 'DATABASE_UNREACHABLE'
  | 'DATABASE_OF_ANOTHER_LOG'
  | 'MIGRATION_CHANGED'
  | 'MIGRATION_UNFINISHED'
  | 'MIGRATION_UNKNOWN'
  | 'MIGRATION_FAILED'
  | 'PORT_IN_USE'
  | 'ADDRESS_UNAVAILABLE'
  | 'PLAIN_HTTP_OFF_LOOPBACK'
  | 'SERVER_UNREACHABLE'
  | 'SERVER_REFUSED'

/** Why the program does not start; each ends the process with exit code 2 and one line that says how to mend it. */
export class StartError extends CodedError<StartErrorCode> {}

/** The member of a JSON object, where there is one. */
export function member(value: JsonValue, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Record<string, JsonValue>)[name] : undefined
}
