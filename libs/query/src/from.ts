/** FROM: tables of the contract, CTEs, derived tables and joins on equal keys. */
import type { AstNode } from './ast.js'
import {
  expectNode,
  expectString,
  locationOf,
  malformed,
  onlyFields,
  optionalList,
  optionalString,
} from './ast.js'
import { QueryError } from './errors.js'
import { expectName, foldName, showName } from './names.js'
import type { NamedColumn, Rows, Translation } from './translation.js'
import type { Names } from './columns-in-scope.js'
import { joinKindOf, joinRows, type NamedRows } from './join.js'

/** A FROM clause, read. `Nested` is what a subquery gives: rows, or groups. */
export interface From<Nested> {
  readonly source:
    { readonly kind: 'rows'; readonly rows: Rows } | { readonly kind: 'nested'; readonly nested: Nested }
  readonly names: Names
}

/** What the FROM clause needs of the SELECT that holds it. */
export interface FromContext<Nested> {
  readonly translation: Translation
  /** The CTE of that name, translated anew for each place, or undefined. */
  readonly cte: (
    name: string,
    location: number | undefined,
  ) => { nested: Nested; columns: readonly NamedColumn[] } | undefined
  readonly isCte: (name: string) => boolean
  readonly subquery: (
    node: unknown,
    location: number | undefined,
  ) => { nested: Nested; columns: readonly NamedColumn[] }
  /** Rows of a nested query, reduced per unit where it aggregates. */
  readonly toRows: (
    nested: Nested,
    columns: readonly NamedColumn[],
  ) => { rows: Rows; columns: readonly NamedColumn[] }
}

/** @throws QueryError for tables, joins and names that are not allowed. */
export function translateFrom<Nested>(value: unknown, context: FromContext<Nested>): From<Nested> {
  const from = fromTable(value, context, 0)
  const aliases = new Set<string>()
  for (const { alias } of from.names.items) {
    if (alias !== '' && aliases.has(alias))
      throw new QueryError('NAME_SHADOWING', `two tables are called ${showName(alias)}`)
    aliases.add(alias)
  }
  for (const { columns } of from.names.items)
    for (const { name } of columns)
      if (aliases.has(foldName(name)))
        throw new QueryError(
          'NAME_SHADOWING',
          `${showName(name)} names a table and a column; choose another alias`,
        )
  return from
}

function fromTable<Nested>(value: unknown, context: FromContext<Nested>, depth: number): From<Nested> {
  if (value === undefined) throw noTable()
  const node = expectNode(value, 'FROM')
  const location = locationOf(node)
  context.translation.budget.spend(location)
  if (depth > 20) throw new QueryError('QUERY_TOO_LARGE', 'over 20 joins', location)
  if (node['sample'] !== undefined)
    throw new QueryError('SAMPLE_NOT_ALLOWED', 'a sample is not allowed', location)
  switch (node['type']) {
    case 'BASE_TABLE':
      onlyFields(node, ['table_name', 'schema_name', 'catalog_name', 'column_name_alias'], 'a table')
      return baseTable(node, context, location)
    case 'SUBQUERY': {
      onlyFields(node, ['subquery', 'column_name_alias'], 'a derived table')
      const subquery = expectNode(node['subquery'], 'subquery')
      onlyFields(subquery, ['node'], 'a derived table')
      const { nested, columns } = context.subquery(subquery['node'], location)
      const alias = optionalString(node['alias'], 'alias')
      return nestedItem(nested, columns, aliasOf(alias, undefined, context, location), node)
    }
    case 'JOIN':
      onlyFields(
        node,
        ['left', 'right', 'condition', 'join_type', 'ref_type', 'using_columns'],
        'a join',
        'JOIN_KIND_NOT_ALLOWED',
      )
      return joined(node, context, depth)
    case 'EMPTY':
    case 'EXPRESSION_LIST':
      throw noTable()
    case 'TABLE_FUNCTION':
      throw new QueryError(
        'FUNCTION_NOT_ALLOWED',
        'a table function is not allowed in FROM; name a table of the contract',
        location,
      )
    case 'SHOW_REF':
    case 'PIVOT':
      throw new QueryError('NOT_A_SELECT', 'DESCRIBE, SHOW, SUMMARIZE and PIVOT are no SELECT', location)
    default:
      throw new QueryError(
        'NESTED_NOT_UNDERSTOOD',
        `${showName(String(node['type']))} in FROM is not understood`,
        location,
      )
  }
}

function joined<Nested>(node: AstNode, context: FromContext<Nested>, depth: number): From<Nested> {
  const left = fromTable(node['left'], context, depth + 1)
  const right = fromTable(node['right'], context, depth + 1)
  const kind = joinKindOf(node)
  const sides = [asRows(left, context), asRows(right, context)] as const
  const { rows, names } = joinRows(node, kind, ...sides, context.translation)
  return { source: { kind: 'rows', rows }, names }
}

function noTable(): QueryError {
  return new QueryError('NO_TABLE', 'the query reads no table of the contract')
}

function baseTable<Nested>(
  node: AstNode,
  context: FromContext<Nested>,
  location: number | undefined,
): From<Nested> {
  const name = expectString(node['table_name'], 'table_name')
  if (
    optionalString(node['schema_name'], 'schema_name') ??
    optionalString(node['catalog_name'], 'catalog_name')
  )
    throw new QueryError(
      'TABLE_UNKNOWN',
      `table ${showName(name)} is qualified by a schema; write its name only`,
      location,
    )
  const alias = aliasOf(optionalString(node['alias'], 'alias'), name, context, location)
  const cte = context.cte(name, location)
  if (cte !== undefined) return nestedItem(cte.nested, cte.columns, alias, node)
  const table = context.translation.findTable(name)
  if (table === undefined)
    throw new QueryError(
      'TABLE_UNKNOWN',
      `there is no table ${showName(name)}; the contract has ${[...context.translation.tables.values()].map((known) => known.name).join(', ')}`,
      location,
    )
  const { rows, columns } = context.translation.scan(table, location)
  const renamed = renameColumns(columns, node, location)
  return { source: { kind: 'rows', rows }, names: { items: [{ alias, columns: renamed }], merged: [] } }
}

function nestedItem<Nested>(
  nested: Nested,
  columns: readonly NamedColumn[],
  alias: string,
  node: AstNode,
): From<Nested> {
  const renamed = renameColumns(columns, node, locationOf(node))
  return { source: { kind: 'nested', nested }, names: { items: [{ alias, columns: renamed }], merged: [] } }
}

/** `t(a, b)` names the first columns anew. */
export function renameColumns(
  columns: readonly NamedColumn[],
  node: AstNode,
  location: number | undefined,
  field = 'column_name_alias',
): readonly NamedColumn[] {
  const names = optionalList(node[field], field).map((name) =>
    expectName(expectString(name, field), 'column', location),
  )
  if (names.length > columns.length)
    throw new QueryError(
      'COLUMN_UNKNOWN',
      `${names.length} names are given to ${columns.length} columns`,
      location,
    )
  const renamed = columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
  if (names.length > 0 && new Set(renamed.map(({ name }) => foldName(name))).size !== renamed.length)
    throw new QueryError('NAME_SHADOWING', 'two columns get one name', location)
  return renamed
}

function aliasOf<Nested>(
  alias: string | undefined,
  table: string | undefined,
  context: FromContext<Nested>,
  location: number | undefined,
): string {
  if (alias === undefined) return table === undefined ? '' : foldName(table)
  expectName(alias, 'alias', location)
  const folded = foldName(alias)
  const own = table !== undefined && folded === foldName(table)
  if (!own && (context.translation.findTable(alias) !== undefined || context.isCte(alias)))
    throw new QueryError('NAME_SHADOWING', `alias ${showName(alias)} is the name of a table or CTE`, location)
  return folded
}

function asRows<Nested>(from: From<Nested>, context: FromContext<Nested>): NamedRows {
  if (from.source.kind === 'rows') return { rows: from.source.rows, names: from.names }
  const [item] = from.names.items
  if (item === undefined) throw malformed('a derived table has no columns')
  const { rows, columns } = context.toRows(from.source.nested, item.columns)
  return { rows, names: { items: [{ ...item, columns }], merged: [] } }
}
