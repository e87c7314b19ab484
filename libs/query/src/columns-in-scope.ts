/** Which columns names mean above a FROM clause. */
import { QueryError } from './errors.js'
import type { Expr } from './form.js'
import { foldName, showName } from './names.js'
import type { NamedColumn } from './translation.js'

/** One table, CTE or derived table under its alias. */
export interface FromItem {
  readonly alias: string
  readonly columns: readonly NamedColumn[]
}

/** What names mean above a FROM clause. */
export interface Names {
  readonly items: readonly FromItem[]
  /** Columns joined by USING: one name for both. */
  readonly merged: readonly {
    readonly name: string
    readonly expr: Expr
    readonly instead: readonly NamedColumn[]
  }[]
}

function candidates(names: Names, path: readonly string[]): NamedColumn[] {
  const [last = '', table] = [path[path.length - 1], path.length === 2 ? foldName(path[0] ?? '') : undefined]
  const name = foldName(last)
  if (table !== undefined)
    return names.items
      .filter(({ alias }) => alias === table)
      .flatMap(({ columns }) => columns.filter((column) => foldName(column.name) === name))
  const merged = names.merged.filter((one) => one.name === name)
  const hidden = new Set(
    merged
      .flatMap(({ instead }) => instead)
      .flatMap(({ expr }) => (expr?.kind === 'column' ? [expr.id] : [])),
  )
  const plain = names.items.flatMap(({ columns }) =>
    columns.filter(
      ({ name: shown, expr }) =>
        foldName(shown) === name && !(expr?.kind === 'column' && hidden.has(expr.id)),
    ),
  )
  return [...merged.map(({ expr }) => ({ name, expr })), ...plain]
}

/** Whether names hold the column. */
export function hasColumn(names: Names, path: readonly string[]): boolean {
  return candidates(names, path).length > 0
}

/**
 * The column of that path.
 * @throws QueryError `COLUMN_UNKNOWN` where there is none or more than one, `COLUMN_NOT_ALLOWED`.
 */
export function findColumn(
  names: Names,
  path: readonly string[],
  location: number | undefined,
): NamedColumn & { readonly expr: Expr } {
  const found = candidates(names, path)
  const shown = path.map(showName).join('.')
  const [column] = found
  if (column === undefined) {
    const known = names.items.flatMap(({ columns }) => columns.map(({ name }) => name))
    throw new QueryError(
      'COLUMN_UNKNOWN',
      `there is no column ${shown} here; there are ${known.slice(0, 40).join(', ')}`,
      location,
    )
  }
  if (found.length > 1)
    throw new QueryError('COLUMN_UNKNOWN', `column ${shown} is in more than one table; qualify it`, location)
  if (column.expr === undefined)
    throw new QueryError(
      'COLUMN_NOT_ALLOWED',
      `column ${shown} has no use in the contract, so no query may read it`,
      location,
    )
  return { name: column.name, expr: column.expr }
}
