/**
 * SQL that brings rows out of the engine one by one, for a model to be applied to: numbers that a model takes, and of one owner's rows
 * their unit. Guards: of another owner's rows nothing comes out where an owner is named. Says nothing about who may see scores; the
 * controls of the output do.
 */
import type { ParameterValues } from './expression-sql.js'
import { columnName, exprSql, sqlTypes } from './expression-sql.js'
import { relationSql, withReads } from './relation-sql.js'
import { columnOf, type ReviewedRows } from './rows-inside.js'
import type { ColumnType } from './table.js'

/** A feature: a column of the query, as a whole number or as a number in double precision. */
export interface ScoredColumn {
  readonly name: string
  readonly whole: boolean
}

/** Whose rows are brought out. */
export interface OwnRows {
  readonly owner: string
  /** The type of the unit as the owner's table has it. */
  readonly unitType: ColumnType
}

/** SQL and what comes back: the unit where an owner is named, the features, then one count of units for each class of units. */
export interface ScoredRowsSql {
  readonly sql: string
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  /** How many units of an owner each row rests on stands in this column: 0 or 1. */
  readonly unitCounts: readonly { readonly column: string; readonly table: string; readonly owner: string }[]
}

/** The column of the unit in what comes back. */
export const scoredUnit = '__unit'

/**
 * One row for each row of the query, and only those in which `own.owner` has a part where it is given. Missing and infinite numbers are
 * NULL. Rows come sorted, so that their order tells nothing.
 * @throws QueryError `COLUMN_UNKNOWN`.
 */
export function generateScoredRowsSql(
  rows: ReviewedRows,
  features: readonly ScoredColumn[],
  options: { readonly own: OwnRows | null; readonly parameters: ParameterValues },
): ScoredRowsSql {
  const { own, parameters } = options
  const classes = rows.sameUnits.map((same) => columnName(same[0] ?? -1))
  const classOf = (column: number) => rows.sameUnits.findIndex((same) => same.includes(column))
  const ownUnits =
    own === null
      ? []
      : [
          ...new Set(
            rows.units.flatMap(({ owner, column }) => (owner === own.owner ? [classOf(column)] : [])),
          ),
        ].map((unitClass) => classes[unitClass] ?? '')
  const selected = [
    ...(own === null ? [] : [{ name: scoredUnit, type: own.unitType, sql: unitSql(ownUnits, own.unitType) }]),
    ...features.map((feature, i) => ({
      name: `__f${i}`,
      type: feature.whole ? ('int' as const) : ('double' as const),
      sql: numberSql(exprSql(columnOf(rows, feature.name).expr, parameters), feature),
    })),
    ...classes.map((unit, i) => ({
      name: `__units_${i}`,
      type: 'int' as const,
      sql: `CAST(CASE WHEN ${unit} IS NULL THEN 0 ELSE 1 END AS BIGINT)`,
    })),
  ]
  const needed = withReads(
    new Set(rows.sameUnits.flatMap((same) => same.slice(0, 1))),
    ...features.map(({ name }) => columnOf(rows, name).expr),
  )
  // An owner without a part in any row has no rows: FALSE, never everything.
  const mine = ownUnits.length === 0 ? 'FALSE' : ownUnits.map((unit) => `${unit} IS NOT NULL`).join(' OR ')
  return {
    sql:
      `SELECT ${selected.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')} ` +
      `FROM (${relationSql(rows.input, needed, parameters)}) AS r${own === null ? '' : ` WHERE ${mine}`} ` +
      `ORDER BY ${selected.map((_column, i) => `${i + 1} ASC NULLS LAST`).join(', ')}`,
    columns: selected.map(({ name, type }) => ({ name, type })),
    unitCounts: rows.units.map(({ table, owner, column }) => ({
      column: `__units_${classOf(column)}`,
      table,
      owner,
    })),
  }
}

function unitSql(units: readonly string[], type: ColumnType): string {
  return units.length === 0
    ? `CAST(NULL AS ${sqlTypes[type]})`
    : `TRY_CAST(coalesce(${units.join(', ')}) AS ${sqlTypes[type]})`
}

function numberSql(sql: string, { whole }: ScoredColumn): string {
  if (whole) return `TRY_CAST(${sql} AS BIGINT)`
  const number = `TRY_CAST(${sql} AS DOUBLE)`
  return `(CASE WHEN isfinite(${number}) THEN ${number} END)`
}
