/** FROM: tables of the contract, CTEs, derived tables and joins on equal keys. */
import type { AstNode } from './ast.js'
import {
  expectList,
  expectNode,
  expectString,
  locationOf,
  malformed,
  onlyFields,
  optionalList,
  optionalString,
} from './ast.js'
import { QueryError } from './errors.js'
import type { Expr } from './form.js'
import { expectName, foldName, showName } from './names.js'
import type { NamedColumn, Rows, Translation } from './translation.js'
import { provided } from './relation-sql.js'

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
      return join(
        node,
        fromTable(node['left'], context, depth + 1),
        fromTable(node['right'], context, depth + 1),
        context,
      )
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

function join<Nested>(
  node: AstNode,
  left: From<Nested>,
  right: From<Nested>,
  context: FromContext<Nested>,
): From<Nested> {
  const location = locationOf(node)
  const kinds: Readonly<Record<string, 'inner' | 'left' | 'right'>> = {
    INNER: 'inner',
    LEFT: 'left',
    RIGHT: 'right',
  }
  const type = String(node['join_type'])
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined
  if (kind === undefined || node['ref_type'] !== 'REGULAR')
    throw new QueryError(
      'JOIN_KIND_NOT_ALLOWED',
      'only INNER, LEFT and RIGHT JOIN with ON or USING are allowed',
      location,
    )
  const [from, to] = [asRows(left, context), asRows(right, context)]
  refuseRepeatedReads(from.rows, to.rows, location)
  const using = optionalList(node['using_columns'], 'using_columns').map((name) =>
    expectString(name, 'using_columns'),
  )
  const pairs =
    using.length > 0
      ? using.map((name) => ({ name, ...usingPair(name, from.names, to.names, location) }))
      : onPairs(node['condition'], from.names, to.names, context.translation, location)
  if (pairs.length === 0 || (using.length > 0 && node['condition'] !== undefined))
    throw new QueryError('JOIN_KIND_NOT_ALLOWED', 'a join needs ON or USING', location)
  const on = pairs.map((pair) => ({
    left: linkColumn(pair.left.expr, context.translation, location),
    right: linkColumn(pair.right.expr, context.translation, location),
  }))
  for (const pair of pairs)
    if (pair.left.expr?.facts.type !== pair.right.expr?.facts.type || pair.left.expr?.facts.type === 'double')
      throw new QueryError(
        'JOIN_KEY_NOT_ALLOWED',
        'joined columns must be of one type, and that not double',
        location,
      )
  learnFromJoin(kind, on, from.rows, to.rows, context.translation)
  const refreshed = (column: NamedColumn): NamedColumn => refresh(column, context.translation)
  const items = [...from.names.items, ...to.names.items].map((item) => ({
    ...item,
    columns: item.columns.map(refreshed),
  }))
  const merged = [...from.names.merged, ...to.names.merged].map((one) => ({
    ...one,
    expr: refreshExpr(one.expr, context.translation),
  }))
  if (using.length > 0) addMerged(pairs, kind, merged, items, context.translation)
  return {
    source: {
      kind: 'rows',
      rows: {
        relation: { kind: 'join', join: kind, left: from.rows.relation, right: to.rows.relation, on },
        units: [...from.rows.units, ...to.rows.units],
      },
    },
    names: { items, merged },
  }
}

interface Pair {
  readonly name?: string
  readonly left: NamedColumn
  readonly right: NamedColumn
}

function addMerged(
  pairs: readonly Pair[],
  kind: 'inner' | 'left' | 'right',
  merged: { name: string; expr: Expr; instead: readonly NamedColumn[] }[],
  items: readonly FromItem[],
  translation: Translation,
): void {
  for (const { name = '', left, right } of pairs) {
    const folded = foldName(name)
    const kept = (kind === 'right' ? right : left).expr
    if (kept === undefined) continue
    // Columns that an earlier USING merged stay hidden behind the new one.
    const earlier = merged.filter((one) => one.name === folded)
    const ids = new Set([left, right].flatMap(({ expr }) => (expr?.kind === 'column' ? [expr.id] : [])))
    const hidden = items.flatMap((item) =>
      item.columns.filter(
        (column) =>
          foldName(column.name) === folded && column.expr?.kind === 'column' && ids.has(column.expr.id),
      ),
    )
    const instead = [...earlier.flatMap((one) => one.instead), ...hidden].map(({ name: shown, expr }) => ({
      name: shown,
      expr,
    }))
    for (const one of earlier) merged.splice(merged.indexOf(one), 1)
    merged.push({ name: folded, expr: refreshExpr(kept, translation), instead })
  }
}

function refresh(column: NamedColumn, translation: Translation): NamedColumn {
  return column.expr === undefined ? column : { ...column, expr: refreshExpr(column.expr, translation) }
}

function refreshExpr(expr: Expr, translation: Translation): Expr {
  return expr.kind === 'column' ? translation.column(expr.id) : expr
}

function asRows<Nested>(from: From<Nested>, context: FromContext<Nested>): { rows: Rows; names: Names } {
  if (from.source.kind === 'rows') return { rows: from.source.rows, names: from.names }
  const [item] = from.names.items
  if (item === undefined) throw malformed('a derived table has no columns')
  const { rows, columns } = context.toRows(from.source.nested, item.columns)
  return { rows, names: { items: [{ ...item, columns }], merged: [] } }
}

/** At most one of several reads of a table may be unreduced, so that no row pairs two persons of one table. */
export function refuseRepeatedReads(left: Rows, right: Rows, location: number | undefined): void {
  for (const unit of left.units)
    if (!unit.reduced && right.units.some((other) => other.table === unit.table && !other.reduced))
      throw new QueryError(
        'TABLE_REPEATED',
        `table ${showName(unit.table)} is read twice; reduce one of them to a row per unit first (GROUP BY its unit in a CTE)`,
        location,
      )
}

function usingPair(name: string, left: Names, right: Names, location: number | undefined): Pair {
  return { left: findColumn(left, [name], location), right: findColumn(right, [name], location) }
}

function onPairs(
  value: unknown,
  left: Names,
  right: Names,
  translation: Translation,
  location: number | undefined,
): Pair[] {
  if (value === undefined) return []
  const node = expectNode(value, 'condition of a join')
  const at = locationOf(node) ?? location
  translation.budget.spend(at)
  if (node['class'] === 'CONJUNCTION' && node['type'] === 'CONJUNCTION_AND') {
    onlyFields(node, ['children'], 'a condition of a join', 'JOIN_KEY_NOT_ALLOWED')
    const parts = expectList(node['children'], 'children')
    if (parts.length > 8) throw new QueryError('QUERY_TOO_LARGE', 'a join compares over 8 columns', at)
    return parts.flatMap((part) => {
      const pairs = onPairs(part, left, right, translation, at)
      if (pairs.length !== 1) throw keyRefused(at)
      return pairs
    })
  }
  if (node['class'] !== 'COMPARISON' || node['type'] !== 'COMPARE_EQUAL') throw keyRefused(at)
  onlyFields(node, ['left', 'right'], 'a condition of a join', 'JOIN_KEY_NOT_ALLOWED')
  const paths = [columnPath(node['left'], at), columnPath(node['right'], at)]
  const sides = paths.map((path) => ({ path, left: hasColumn(left, path), right: hasColumn(right, path) }))
  const [first, second] = sides
  if (first === undefined || second === undefined) throw keyRefused(at)
  for (const side of sides)
    if (side.left === side.right)
      throw new QueryError(
        'COLUMN_UNKNOWN',
        `column ${side.path.map(showName).join('.')} is ${side.left ? 'in both sides' : 'in neither side'} of the join`,
        at,
      )
  if (first.left === second.left)
    throw new QueryError('JOIN_KEY_NOT_ALLOWED', 'both columns of a join condition are of one side', at)
  const [ofLeft, ofRight] = first.left ? [first, second] : [second, first]
  return [{ left: findColumn(left, ofLeft.path, at), right: findColumn(right, ofRight.path, at) }]
}

function columnPath(value: unknown, location: number | undefined): string[] {
  const node = expectNode(value, 'side of a join condition')
  if (node['class'] !== 'COLUMN_REF') throw keyRefused(location)
  onlyFields(node, ['column_names'], 'a column')
  const path = expectList(node['column_names'], 'column_names').map((name) =>
    expectString(name, 'a column name'),
  )
  if (path.length < 1 || path.length > 2)
    throw new QueryError('COLUMN_UNKNOWN', 'a column is qualified by more than a table', location)
  return path
}

function keyRefused(location: number | undefined): QueryError {
  return new QueryError(
    'JOIN_KEY_NOT_ALLOWED',
    'a join condition is one or more equalities of plain columns, joined by AND; put the rest in WHERE',
    location,
  )
}

function linkColumn(expr: Expr | undefined, translation: Translation, location: number | undefined): number {
  const origin = expr === undefined ? undefined : translation.originOf(expr)
  if (expr?.kind !== 'column' || origin?.links !== true)
    throw new QueryError(
      'JOIN_KEY_NOT_ALLOWED',
      `${origin === undefined ? 'a computed column' : `column ${showName(origin.column)} of ${showName(origin.table)}`} may not link rows; use the unit or a column with the use "join"`,
      location,
    )
  return expr.id
}

function learnFromJoin(
  kind: 'inner' | 'left' | 'right',
  on: readonly { readonly left: number; readonly right: number }[],
  left: Rows,
  right: Rows,
  translation: Translation,
): void {
  for (const pair of on) {
    if (kind === 'inner') {
      translation.knowledge.equate(pair.left, pair.right)
      translation.setNullable(pair.left, false)
      translation.setNullable(pair.right, false)
    }
    if (kind === 'left') translation.knowledge.nullOrEqual(pair.right, pair.left)
    if (kind === 'right') translation.knowledge.nullOrEqual(pair.left, pair.right)
  }
  if (kind === 'left') for (const id of provided(right.relation)) translation.setNullable(id, true)
  if (kind === 'right') for (const id of provided(left.relation)) translation.setNullable(id, true)
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
