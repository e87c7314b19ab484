/** The table that a computation gives. It comes from a child that may have been taken over by its input: read strictly. */
import { canonicalBytes, parseCanonical } from '#libs/canonical'
import { columnTypes, parseDate, parseTimestamp } from '#libs/query'
import type { ColumnType } from '#libs/query'
import { ComputationError } from './errors.js'

/**
 * One value. An int beyond ±(2^53 − 1) is a decimal string; a double is a finite number, since generated SQL gives NULL for
 * others; a date is `2025-01-31`, a timestamp `2025-01-31 00:00:00`, with up to six decimals and no zero at their end.
 */
export type Cell = null | boolean | number | string

/** A column of a result. */
export interface ResultColumn {
  readonly name: string
  readonly type: ColumnType
}

/** A table in columns: `values[c][r]` is row r of column c. */
export interface ResultTable {
  readonly columns: readonly ResultColumn[]
  readonly rows: number
  readonly values: readonly (readonly Cell[])[]
}

/** Caps on a table from outside. */
export interface TableCaps {
  readonly maximumRows: number
  readonly maximumColumns: number
  readonly maximumCells: number
  /** Of one text, in UTF-16 code units. */
  readonly maximumTextLength: number
}

/** Caps that hold where none are given. */
export const defaultCaps: TableCaps = {
  maximumRows: 1_000_000,
  maximumColumns: 500,
  maximumCells: 10_000_000,
  maximumTextLength: 10_000,
}

const integerText = /^-?[1-9]\d{0,18}$/
const [leastInteger, greatestInteger] = [-(2n ** 63n), 2n ** 63n - 1n]

/**
 * A table, each value in the spelling of its column's type.
 * @throws ComputationError `RESULT_MALFORMED`, `RESULT_TOO_LARGE`.
 */
export function parseResultTable(value: unknown, caps: TableCaps = defaultCaps): ResultTable {
  const { columns, rows, values, ...rest } = record(value, 'the table')
  if (Object.keys(rest).length > 0) throw malformed('the table has fields that are not understood')
  const [names, cells] = [list(columns, 'columns'), list(values, 'values')]
  if (typeof rows !== 'number' || !Number.isSafeInteger(rows) || rows < 0)
    throw malformed('rows is not a count')
  cap('rows', rows, caps.maximumRows)
  cap('columns', names.length, caps.maximumColumns)
  cap('cells', rows * names.length, caps.maximumCells)
  if (cells.length !== names.length)
    throw malformed(`there are ${names.length} columns and values for ${cells.length}`)
  const parsed = names.map((column) => parseColumn(column))
  if (new Set(parsed.map(({ name }) => name)).size !== parsed.length)
    throw malformed('two columns have one name')
  const checked = parsed.map((column, index) => parseValues(column, cells[index], rows, caps))
  return { columns: parsed, rows, values: checked }
}

/** The canonical bytes of a table. */
export function encodeResultTable(table: ResultTable): Uint8Array<ArrayBuffer> {
  const { columns, rows, values } = table
  return canonicalBytes({ columns: columns.map(({ name, type }) => ({ name, type })), rows, values })
}

/**
 * A table from {@link encodeResultTable}.
 * @throws ComputationError `RESULT_MALFORMED`, `RESULT_TOO_LARGE`; CanonicalError where the bytes are no canonical JSON.
 */
export function decodeResultTable(bytes: Uint8Array, caps: TableCaps = defaultCaps): ResultTable {
  return parseResultTable(parseCanonical(bytes), caps)
}

/** Rows of a table that `keep` says, in their order. */
export function selectRows(table: ResultTable, keep: (row: number) => boolean): ResultTable {
  const kept = Array.from({ length: table.rows }, (_, row) => row).filter(keep)
  return {
    ...table,
    rows: kept.length,
    values: table.values.map((column) => kept.map((row) => column[row] ?? null)),
  }
}

function parseColumn(value: unknown): ResultColumn {
  const { name, type, ...rest } = record(value, 'a column')
  if (Object.keys(rest).length > 0) throw malformed('a column has fields that are not understood')
  const known = columnTypes.find((one) => one === type)
  if (
    typeof name !== 'string' ||
    !name.isWellFormed() ||
    name === '' ||
    name.length > 200 ||
    known === undefined
  )
    throw malformed('a column has no name or no type')
  return { name, type: known }
}

function parseValues(column: ResultColumn, value: unknown, rows: number, caps: TableCaps): readonly Cell[] {
  const cells = list(value, 'the values of a column')
  if (cells.length !== rows) throw malformed(`a column has ${cells.length} values for ${rows} rows`)
  // A hole in an array is no value; `every` would pass over it.
  for (let row = 0; row < rows; row++) {
    const cell = cells[row]
    if (!fits(column.type, cell))
      throw malformed(`row ${row} of ${JSON.stringify(column.name)} holds no ${column.type}`)
    if (typeof cell === 'string') cap('characters in a text', cell.length, caps.maximumTextLength)
  }
  return cells as readonly Cell[]
}

/** Whether a value has the one spelling of its type. */
export function fits(type: ColumnType, value: unknown): value is Cell {
  if (value === null) return true
  switch (type) {
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0)
      return typeof value === 'string' && integerText.test(value) && isLarge(BigInt(value))
    case 'double':
      return typeof value === 'number' && Number.isFinite(value)
    case 'string':
      return typeof value === 'string' && value.isWellFormed()
    case 'date':
      return typeof value === 'string' && parseDate(value) === value
    case 'timestamp':
      return typeof value === 'string' && parseTimestamp(value) === value
  }
}

function isLarge(value: bigint): boolean {
  const safe = BigInt(Number.MAX_SAFE_INTEGER)
  return value >= leastInteger && value <= greatestInteger && (value > safe || value < -safe)
}

function cap(what: string, seen: number, most: number): void {
  if (seen > most)
    throw new ComputationError('RESULT_TOO_LARGE', `the result has ${seen} ${what}; at most ${most}`)
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is not a list`)
  return value as readonly unknown[]
}

function malformed(message: string): ComputationError {
  return new ComputationError('RESULT_MALFORMED', message)
}
