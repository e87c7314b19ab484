/** Items of a SELECT list and their labels: what a label may be, and what WHERE, GROUP BY and HAVING may name by it. */
import type { AstNode } from './ast.js'
import { expectNode, locationOf, optionalString } from './ast.js'
import { hasColumn, type Names } from './columns-in-scope.js'
import { QueryError } from './errors.js'
import type { ExpressionScope } from './expression.js'
import { translateExpression } from './expression.js'
import type { Expr } from './form.js'
import { expectLabel, foldName, showName } from './names.js'

/** One item of the SELECT list. */
export interface Item {
  readonly label: string
  readonly explicit: boolean
  readonly expr: Expr
  readonly node: AstNode
  readonly location: number | undefined
}

/** Reads an item. @throws QueryError `NAME_SHADOWING`, and what its expression is refused for. */
export function translateItem(value: unknown, scope: ExpressionScope, names: Names): Item {
  const node = expectNode(value, 'item of SELECT')
  const location = locationOf(node)
  const expr = translateExpression(value, scope)
  const alias = optionalString(node['alias'], 'alias')
  if (alias !== undefined) {
    expectLabel(alias, location)
    expectNoOtherColumn(names, alias, value, location)
  }
  return { label: alias ?? impliedLabel(node), explicit: alias !== undefined, expr, node, location }
}

/** A label may not be the name of a column that it is not computed from. */
function expectNoOtherColumn(
  names: Names,
  alias: string,
  value: unknown,
  location: number | undefined,
): void {
  const folded = foldName(alias)
  const named = names.items.flatMap(({ columns }) => columns).filter(({ name }) => foldName(name) === folded)
  if (named.length === 0 || namesColumn(value, folded)) return
  throw new QueryError(
    'NAME_SHADOWING',
    `label ${showName(alias)} is the name of a column that it is not computed from; choose another`,
    location,
  )
}

/** Labels that WHERE and GROUP BY may name, as the engine allows. */
export function labelsIn(list: readonly unknown[], scope: ExpressionScope): ReadonlyMap<string, () => Expr> {
  const labels = new Map<string, () => Expr>()
  for (const value of list) {
    const item = expectNode(value, 'item of SELECT')
    const alias = optionalString(item['alias'], 'alias')
    if (alias !== undefined && !labels.has(foldName(alias)))
      labels.set(foldName(alias), () => translateExpression(value, scope))
  }
  return labels
}

/** Columns first, then labels. */
export function withLabels(
  scope: ExpressionScope,
  names: Names,
  labels: () => ReadonlyMap<string, () => Expr>,
): ExpressionScope {
  return {
    ...scope,
    column: (path, location) => {
      const [name = ''] = path
      const label = path.length === 1 && !hasColumn(names, path) ? labels().get(foldName(name)) : undefined
      return label === undefined ? scope.column(path, location) : label()
    },
  }
}

function impliedLabel(node: AstNode): string {
  const path = node['column_names']
  const last: unknown = Array.isArray(path) ? path[path.length - 1] : undefined
  if (node['class'] === 'COLUMN_REF' && typeof last === 'string') return last
  const name = node['function_name']
  if (node['class'] === 'FUNCTION' && typeof name === 'string' && /^[a-z_]+$/i.test(name))
    return name === 'count_star' ? 'count' : foldName(name)
  return 'column'
}

function namesColumn(value: unknown, folded: string): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some((item) => namesColumn(item, folded))
  const node = value as AstNode
  const path = node['column_names']
  if (node['class'] === 'COLUMN_REF' && Array.isArray(path)) {
    const last: unknown = path[path.length - 1]
    return typeof last === 'string' && foldName(last) === folded
  }
  return Object.values(node).some((item) => namesColumn(item, folded))
}
