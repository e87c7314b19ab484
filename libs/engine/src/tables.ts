/** The shapes that go into an engine and come out of it. */

/** The column types of a contract. */
export const columnTypes = ['string', 'int', 'double', 'bool', 'date', 'timestamp'] as const

/** A column type of a contract. */
export type ColumnType = (typeof columnTypes)[number]

/** A bound: a number, a decimal string (int beyond 2^53), or a date or timestamp as text. */
export type Bound = number | string

/** What a contract says of a column's values. */
export interface ColumnRule {
  readonly type: ColumnType
  /** Absent means no: a missing value is then a violation. */
  readonly nullable?: boolean | undefined
  readonly min?: Bound | undefined
  readonly max?: Bound | undefined
}

/** Rules by column name; the order of the names is the order of the columns. */
export type ColumnRules = Readonly<Record<string, ColumnRule>>

/** One value. An int beyond ±(2^53 − 1) is a decimal string, a date `2025-01-31`, a timestamp `2025-01-31 00:00:00[.ffffff]`. */
export type Value = null | boolean | number | string

/** A table in columns: `values[c][r]` is row r of column c. */
export interface Table {
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  readonly rows: number
  readonly values: readonly (readonly Value[])[]
}

/** A typed parameter of a query, bound and never put into text. */
export interface Parameter {
  readonly type: ColumnType
  readonly value: Value
}

/** A Parquet file of one column group, opened by the parent and handed to the child as a descriptor. */
export interface LoadSegment {
  /** The parent's descriptor; one of those that the engine was started with. */
  readonly fd: number
  /** All columns of the file, in order. Those that the table does not name are not read. */
  readonly columns: readonly string[]
}

/** What one owner gives: segments of equal row count, joined by position. */
export interface LoadPart {
  readonly owner: string
  readonly segments: readonly LoadSegment[]
}

/** A table of the contract: the rows of all its parts, one after the other, with the hidden column `__owner`. */
export interface LoadTable {
  readonly name: string
  /** The columns that the computation reads; the unit is one of them. */
  readonly columns: ColumnRules
  /** The column of the privacy unit: never missing. */
  readonly unit: string
  readonly parts: readonly LoadPart[]
}

/** The hidden column that names the owner of a row. */
export const ownerColumn = '__owner'
