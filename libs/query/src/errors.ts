import { CodedError } from '#libs/canonical'

/** The rules of the query policy; each names what it refuses. Part of the API. */
export const queryErrorCodes = [
  'SYNTAX',
  'MULTIPLE_STATEMENTS',
  'NOT_A_SELECT',
  'QUERY_TOO_LARGE',
  'NO_TABLE',
  'TABLE_UNKNOWN',
  'COLUMN_UNKNOWN',
  'TABLE_REPEATED',
  'NAME_SHADOWING',
  'NAME_NOT_ALLOWED',
  'COLUMN_NOT_ALLOWED',
  'STAR_NOT_ALLOWED',
  'RAW_VALUE_OUTPUT',
  'HAVING_NOT_ALLOWED',
  'JOIN_KEY_NOT_ALLOWED',
  'JOIN_KIND_NOT_ALLOWED',
  'AGGREGATE_NOT_ALLOWED',
  'CONDITION_NOT_ALLOWED',
  'POWER_SUM',
  'FUNCTION_NOT_ALLOWED',
  'ERROR_ORACLE',
  'SIDE_CHANNEL',
  'PARAMETER_TYPE',
  'NESTED_NOT_UNDERSTOOD',
  'SETOP_NOT_ALLOWED',
  'WINDOW_NOT_ALLOWED',
  'TOTALS_NOT_NESTED',
  'SAMPLE_NOT_ALLOWED',
  'ORDER_LEAK',
  'LIMIT_NOT_ALLOWED',
  'AST_MALFORMED',
  'TABLE_DECLARATION_INVALID',
  'GROUP_SIZE_INVALID',
] as const

/** One rule of {@link queryErrorCodes}. */
export type QueryErrorCode = (typeof queryErrorCodes)[number]

/** A query that is refused: which rule, where, how to mend it. Holds names and text of the query only, never data. */
export class QueryError extends CodedError<QueryErrorCode> {
  /** Offset into the query text in bytes of UTF-8, from 0, as the parser gives it; undefined where it gives none. */
  readonly location: number | undefined

  constructor(code: QueryErrorCode, message: string, location?: number, options?: ErrorOptions) {
    super(code, location === undefined ? message : `${message} (at byte ${location} of the query)`, options)
    this.location = location
  }
}
