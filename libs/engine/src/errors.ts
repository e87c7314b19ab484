import { CodedError } from '#libs/canonical'

/** Everything that an engine says about a failure; the list is closed, since a failure is an output too. */
export const engineErrorCodes = [
  'SYNTAX',
  'NOT_A_SELECT',
  'QUERY_TOO_LARGE',
  'QUERY_REFUSED',
  'QUERY_FAILED',
  'OUT_OF_MEMORY',
  'TIMED_OUT',
  'RESULT_TOO_LARGE',
  'RESULT_TYPE_UNSUPPORTED',
  'INPUT_INVALID',
  'SCHEMA_MISMATCH',
  'BOUNDS_VIOLATED',
  'VALUE_MISSING',
  'UNIT_MISSING',
  'STATE_INVALID',
  'REQUEST_INVALID',
  'LOCK_FAILED',
  'SANDBOX_UNAVAILABLE',
  'MEMORY_FILE_FAILED',
  'CHILD_DIED',
] as const

/** A code of the closed list. */
export type EngineErrorCode = (typeof engineErrorCodes)[number]

/** Where a failure lies. Holds names that the caller gave, never values of rows. */
export interface ErrorPlace {
  readonly table?: string
  readonly owner?: string
  readonly column?: string
  /** Zero-based offset into the query text; `SYNTAX` only. */
  readonly position?: number
}

/** Thrown by everything in `#libs/engine`. The database's own messages are never in it, but for `SYNTAX`. */
export class EngineError extends CodedError<EngineErrorCode> {
  readonly place: ErrorPlace

  constructor(code: EngineErrorCode, message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(code, message, options)
    this.place = place
  }
}
