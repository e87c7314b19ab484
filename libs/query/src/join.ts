/** Joins on equal keys: which columns may link rows, and what is known of rows once they are joined. */
import type { AstNode } from './ast.js'
import { expectList, expectNode, expectString, locationOf, onlyFields, optionalList } from './ast.js'
import { QueryError } from './errors.js'
import type { Expr } from './form.js'
import { foldName, showName } from './names.js'
import type { NamedColumn, Rows, Translation } from './translation.js'
import { provided } from './relation-sql.js'
import { findColumn, hasColumn, type FromItem, type Names } from './columns-in-scope.js'

/** Rows with the names that they have. */
export interface NamedRows {
  readonly rows: Rows
  readonly names: Names
}

export type JoinKind = 'inner' | 'left' | 'right'

/** @throws QueryError `JOIN_KIND_NOT_ALLOWED`. */
export function joinKindOf(node: AstNode): JoinKind {
  const kinds: Readonly<Record<string, JoinKind>> = { INNER: 'inner', LEFT: 'left', RIGHT: 'right' }
  const type = String(node['join_type'])
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined
  if (kind === undefined || node['ref_type'] !== 'REGULAR')
    throw new QueryError(
      'JOIN_KIND_NOT_ALLOWED',
      'only INNER, LEFT and RIGHT JOIN with ON or USING are allowed',
      locationOf(node),
    )
  return kind
}

/**
 * Joins two sides on equal keys.
 * @throws QueryError `JOIN_KIND_NOT_ALLOWED`, `JOIN_KEY_NOT_ALLOWED`, `TABLE_REPEATED`, and for columns that are not there.
 */
export function joinRows(
  node: AstNode,
  kind: JoinKind,
  from: NamedRows,
  to: NamedRows,
  translation: Translation,
): NamedRows {
  const location = locationOf(node)
  refuseRepeatedReads(from.rows, to.rows, location)
  const using = optionalList(node['using_columns'], 'using_columns').map((name) =>
    expectString(name, 'using_columns'),
  )
  const pairs =
    using.length > 0
      ? using.map((name) => ({ name, ...usingPair(name, from.names, to.names, location) }))
      : onPairs(node['condition'], from.names, to.names, translation, location)
  if (pairs.length === 0 || (using.length > 0 && node['condition'] !== undefined))
    throw new QueryError('JOIN_KIND_NOT_ALLOWED', 'a join needs ON or USING', location)
  const on = pairs.map((pair) => ({
    left: linkColumn(pair.left.expr, translation, location),
    right: linkColumn(pair.right.expr, translation, location),
  }))
  for (const pair of pairs)
    if (pair.left.expr?.facts.type !== pair.right.expr?.facts.type || pair.left.expr?.facts.type === 'double')
      throw new QueryError(
        'JOIN_KEY_NOT_ALLOWED',
        'joined columns must be of one type, and that not double',
        location,
      )
  learnFromJoin(kind, on, from.rows, to.rows, translation)
  const refreshed = (column: NamedColumn): NamedColumn => refresh(column, translation)
  const items = [...from.names.items, ...to.names.items].map((item) => ({
    ...item,
    columns: item.columns.map(refreshed),
  }))
  const merged = [...from.names.merged, ...to.names.merged].map((one) => ({
    ...one,
    expr: refreshExpr(one.expr, translation),
  }))
  if (using.length > 0) addMerged(pairs, kind, merged, items, translation)
  return {
    rows: {
      relation: { kind: 'join', join: kind, left: from.rows.relation, right: to.rows.relation, on },
      units: [...from.rows.units, ...to.rows.units],
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
  kind: JoinKind,
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
  kind: JoinKind,
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
