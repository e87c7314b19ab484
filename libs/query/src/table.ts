import { QueryError } from './errors.js'
import { expectDeclaredName, foldName, showName } from './names.js'

/** The types of a contract's columns. In the engine: VARCHAR, BIGINT, DOUBLE, BOOLEAN, DATE, TIMESTAMP. */
export const columnTypes = ['string', 'int', 'double', 'bool', 'date', 'timestamp'] as const

/** One of {@link columnTypes}. */
export type ColumnType = (typeof columnTypes)[number]

/** A column of a contract's table. `use` of length zero: never, in any position. */
export interface QueryColumn {
  readonly type: ColumnType
  readonly nullable: boolean
  /** Inclusive bounds of numbers, which the enclave has checked against the opened data. */
  readonly min?: number
  readonly max?: number
  readonly use: readonly string[]
}

/**
 * A table that a query may read. With several owners the engine's table is their UNION ALL and has one more column,
 * {@link ownerColumn}, that holds the owner's label.
 */
export interface QueryTable {
  readonly name: string
  readonly owners: readonly string[]
  /** The column that names the privacy unit, for instance the patient. */
  readonly unit: string
  readonly columns: Readonly<Record<string, QueryColumn>>
}

/** The hidden column of a table with several owners: VARCHAR, never NULL, one of the owners' labels. */
export const ownerColumn = '__owner'

/** A parameter that a query may name as `$name`. Bounds of a number are those that its value was checked against. */
export interface DeclaredParameter {
  readonly type: ColumnType
  readonly min?: number
  readonly max?: number
}

/**
 * Checks that declarations are usable: names that differ without case, a unit among the columns, an owner at least.
 * @throws QueryError `TABLE_DECLARATION_INVALID`, `NAME_NOT_ALLOWED`.
 */
export function indexTables(tables: readonly QueryTable[]): ReadonlyMap<string, QueryTable> {
  const index = new Map<string, QueryTable>()
  for (const table of tables) {
    expectDeclaredName(table.name, 'table')
    const folded = foldName(table.name)
    if (index.has(folded)) throw invalid(`table ${showName(table.name)} is declared twice`)
    if (table.owners.length === 0 || new Set(table.owners).size !== table.owners.length)
      throw invalid(`table ${showName(table.name)} needs one or more different owners`)
    const columns = Object.keys(table.columns)
    for (const column of columns) expectDeclaredName(column, 'column')
    if (new Set(columns.map(foldName)).size !== columns.length)
      throw invalid(`two columns of table ${showName(table.name)} differ in case only`)
    if (!Object.hasOwn(table.columns, table.unit))
      throw invalid(`table ${showName(table.name)} has no column ${showName(table.unit)}, its privacy unit`)
    index.set(folded, table)
  }
  return index
}

function invalid(message: string): QueryError {
  return new QueryError('TABLE_DECLARATION_INVALID', message)
}
