/**
 * Queries that give rows of people, for what stays inside: a training reads them, nobody is shown them. They pass the same checks as any
 * reviewed query but the last, that rows are groups. Whoever uses this answers for what leaves of what was learned.
 */
import { CteScope } from './cte-scope.js'
import { columnsRead } from './columns-read.js'
import { reduceToRows } from './block.js'
import { QueryError } from './errors.js'
import { columnName, exprSql } from './expression-sql.js'
import type { ParameterValues } from './expression-sql.js'
import type { ColumnId, Expr, Relation, UnitColumn } from './form.js'
import { quoteText } from './literal.js'
import { showName } from './names.js'
import { relationSql, withReads } from './relation-sql.js'
import { translateSelect } from './select.js'
import type { ColumnType, DeclaredParameter } from './table.js'
import { indexTables } from './table.js'
import type { TranslateOptions } from './translate.js'
import { onlyStatement, sameUnits } from './translate.js'
import { Translation } from './translation.js'

/** Rows of people that a reviewed query gives, each with the units of every read of every owner. */
export interface ReviewedRows {
  readonly input: Relation
  readonly columns: readonly { readonly name: string; readonly type: ColumnType; readonly expr: Expr }[]
  readonly units: readonly UnitColumn[]
  /** Sets of unit columns that hold the same unit in every row. */
  readonly sameUnits: readonly (readonly ColumnId[])[]
  /** Whether all units of a row are one person's, in every row: rows were joined on units alone. */
  readonly onePerson: boolean
  readonly parameters: Readonly<Record<string, DeclaredParameter>>
}

/** Each class is a bit of a 32-bit number. */
const maximumClasses = 30

/**
 * Checks a query of rows, as {@link translateQuery} checks one of groups.
 * @throws QueryError with the rule that refuses, the place, and how to mend it.
 */
export function translateRowsKeptInside(serialized: unknown, options: TranslateOptions): ReviewedRows {
  const translation = new Translation(indexTables(options.tables), options.parameters ?? {})
  const selected = translateSelect(onlyStatement(serialized), translation, CteScope.inside(), 0)
  const { rows, columns } =
    selected.kind === 'rows' ? selected : reduceToRows(selected.block, selected.columns, translation)
  if (rows.units.length === 0)
    throw new QueryError('NO_TABLE', 'the query reads no table, so its rows are nobody’s')
  const classes = sameUnits(
    rows.units.map(({ column }) => column),
    translation,
  )
  if (classes.length > maximumClasses)
    throw new QueryError(
      'QUERY_TOO_LARGE',
      `the rows hold ${classes.length} different kinds of units; at most ${maximumClasses} are told apart. Join on units, or read fewer tables`,
    )
  return {
    input: rows.relation,
    columns: columns.map(({ name, expr }) => namedColumn(name, expr)),
    units: rows.units,
    sameUnits: classes,
    onePerson: translation.knowledge.meet(rows.units.map(({ column }) => column)),
    parameters: Object.fromEntries(
      Object.entries(translation.parameters).filter(([name]) => translation.usedParameters.has(name)),
    ),
  }
}

function namedColumn(name: string, expr: Expr | undefined) {
  if (expr === undefined || expr.facts.type === 'null')
    throw new QueryError('PARAMETER_TYPE', `column ${showName(name)} has no type`)
  return { name, type: expr.facts.type, expr }
}

/** The columns of each table that a query of rows needs, the unit among them. */
export function rowColumnsRead(rows: ReviewedRows): Readonly<Record<string, readonly string[]>> {
  const keys = rows.columns.map(({ expr }, id) => ({ id, expr }))
  return columnsRead({ ...rows, keys, aggregates: [], conditions: [], outputs: [], order: [], ...noCut })
}

const noCut = { limit: null, offset: 0 } as const

/** A number of a row: a column's own, or 1 where it holds a text and 0 elsewhere. */
export interface RowColumn {
  readonly name: string
  readonly level: string | null
}

/** Which rows are held out: those of the units whose hash, begun with `seed`, lies in the first `part` of all hashes. */
export interface RowsSplit {
  readonly seed: string
  /** From 0 to 1. */
  readonly part: number
}

/**
 * Two queries. `rows`: each column as a single-precision number, NaN where it is missing; then `__held_out` (0 or 1) and `__classes`, bit
 * `c` of which says that the row has a unit of the class `c` of {@link ReviewedRows.sameUnits}. Rows where a column of `complete` is
 * missing, or too large for single precision, are left out. `repeated`: how many of these rows are a second row of some unit.
 * @throws QueryError `COLUMN_UNKNOWN`.
 */
export function generateRowsSql(
  rows: ReviewedRows,
  columns: readonly RowColumn[],
  options: {
    readonly complete: readonly string[]
    readonly split: RowsSplit | null
    readonly parameters: ParameterValues
  },
): { readonly rows: string; readonly repeated: string } {
  const { complete, split, parameters } = options
  const exprOf = (name: string): Expr => columnOf(rows, name).expr
  const units = rows.sameUnits.map((same) => columnName(same[0] ?? -1))
  const needed = withReads(
    new Set(rows.sameUnits.flatMap((same) => same.slice(0, 1))),
    ...rows.columns.map(({ expr }) => expr),
  )
  const present = complete
    .map(exprOf)
    .filter((expr) => !isSurelySingle(expr))
    .map((expr) => `${singleSql(exprSql(expr, parameters))} IS NOT NULL`)
  const where = present.length === 0 ? '' : ` WHERE ${present.join(' AND ')}`
  const from = `FROM (${relationSql(rows.input, needed, parameters)}) AS r${where}`
  const numbers = columns.map(
    (column, i) => `${numberSql(exprSql(exprOf(column.name), parameters), column)} AS __f${i}`,
  )
  const classes = units.map((unit, c) => `CASE WHEN ${unit} IS NULL THEN 0 ELSE ${2 ** c} END`)
  return {
    rows:
      `SELECT ${[...numbers, `${heldOutSql(units, split)} AS __held_out`].join(', ')}, ` +
      `CAST(${classes.join(' + ')} AS INTEGER) AS __classes ${from}`,
    repeated: `SELECT CAST(${units.map((unit) => `count(${unit}) - count(DISTINCT ${unit})`).join(' + ')} AS BIGINT) AS __repeated ${from}`,
  }
}

/** A column of the rows. @throws QueryError `COLUMN_UNKNOWN`. */
export function columnOf(rows: ReviewedRows, name: string): ReviewedRows['columns'][number] {
  const column = rows.columns.find((one) => one.name === name)
  if (column === undefined)
    throw new QueryError(
      'COLUMN_UNKNOWN',
      `the query gives no column ${showName(name)}; it gives ${rows.columns.map((one) => showName(one.name)).join(', ')}`,
    )
  return column
}

function numberSql(sql: string, { level }: RowColumn): string {
  if (level !== null) return `CAST(CASE WHEN ${sql} = ${quoteText(level)} THEN 1 ELSE 0 END AS FLOAT)`
  return `coalesce(${singleSql(sql)}, CAST('NaN' AS FLOAT))`
}

/** Half of the greatest single-precision number: bounds of a double may be passed by its last place. */
const surelySingle = 2 ** 127

/**
 * Whether each row has a value that single precision holds, which what is known of the expression proves: nullable nowhere, outer joins
 * considered, and a number that cannot be too large. To ask the database again would take a tenth of a training.
 */
function isSurelySingle({ facts: { type, nullable, bounds } }: Expr): boolean {
  if (nullable) return false
  if (type === 'bool' || type === 'int') return true
  return (
    type === 'double' && bounds !== undefined && bounds.min >= -surelySingle && bounds.max <= surelySingle
  )
}

function singleSql(sql: string): string {
  return `TRY_CAST(${sql} AS FLOAT)`
}

// 32 bits of the hash decide, as hexadecimal text, which is ordered as the numbers are.
function heldOutSql(units: readonly string[], split: RowsSplit | null): string {
  if (split === null) return 'CAST(0 AS FLOAT)'
  const below = Math.min(2 ** 32 - 1, Math.round(split.part * 2 ** 32))
    .toString(16)
    .padStart(8, '0')
  const unit = `coalesce(${units.map((one) => `CAST(${one} AS VARCHAR)`).join(', ')})`
  return `CAST(CASE WHEN left(sha256(concat(${quoteText(split.seed)}, ':', ${unit})), 8) < ${quoteText(below)} THEN 1 ELSE 0 END AS FLOAT)`
}
