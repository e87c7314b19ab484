/** What a data owner is told of its own file, on its own premises; values of rows are shown here and nowhere else. */
import type { ColumnType } from './tables.js'

/** Formats that a data owner may bring. */
export type FileFormat = 'csv' | 'parquet'

/** How a file is read and how much is told. */
export interface ProfileOptions {
  /** CSV only; the default is a comma. */
  readonly delimiter?: ',' | ';' | '\t' | '|'
  /** The column of the privacy unit, or null where there is none. */
  readonly unit?: string | null
  /** Findings listed per column and rule; all are counted. The default is 5. */
  readonly maximumFindings?: number
  /** More rows are refused. The default is 1,000,000,000. */
  readonly maximumRows?: number
}

/** What can be wrong with a file or a value. */
export const findingRules = [
  'FILE_EMPTY',
  'FILE_UNREADABLE',
  'FILE_TOO_LARGE',
  'HEADER_COLUMN_MISSING',
  'HEADER_COLUMN_REPEATED',
  'NO_ROWS',
  'ROW_RAGGED',
  'QUOTE_INVALID',
  'ENCODING_INVALID',
  'LINE_TOO_LONG',
  'LINE_ENDS_MIXED',
  'TYPE',
  'VALUE_MISSING',
  'UNIT_MISSING',
  'BELOW_MINIMUM',
  'ABOVE_MAXIMUM',
] as const

/** What can be wrong with a file or a value. */
export type FindingRule = (typeof findingRules)[number]

/** One thing that does not fit, with where it stands. */
export interface Finding {
  readonly rule: FindingRule
  readonly column: string | null
  /** Row of data, from 1, rows that could not be read not counted; null where it concerns the file. */
  readonly row: number | null
  /** Line of a CSV file, from 1, the header being line 1. */
  readonly line: number | null
  /** What stands there, at most 80 characters. */
  readonly seen: string | null
  readonly expected: string
}

/** What one column holds. */
export interface ColumnProfile {
  readonly name: string
  readonly type: ColumnType
  readonly present: boolean
  readonly missing: number
  readonly misfits: number
  readonly belowMinimum: number
  readonly aboveMaximum: number
  readonly distinct: number
  /** Estimated by HyperLogLog, within some percent, where the file has more than 2,000,000 rows. */
  readonly distinctIsExact: boolean
  readonly minimum: string | null
  readonly maximum: string | null
}

/** A whole report. */
export interface ProfileReport {
  readonly rows: number
  readonly columns: readonly ColumnProfile[]
  /** Columns of the file that the contract does not name; they are never read. */
  readonly ignored: readonly string[]
  readonly unit: {
    readonly column: string
    readonly distinct: number
    readonly maximumRowsPerUnit: number
  } | null
  /** The first of each column and rule. */
  readonly findings: readonly Finding[]
  /** All of them, listed or not. */
  readonly findingCount: number
}
