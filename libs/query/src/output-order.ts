/** ORDER BY, LIMIT and OFFSET of the outermost SELECT: over what it gives, since order tells of what it sorts by. */
import { expectNode, locationOf, onlyFields, optionalList } from './ast.js'
import { QueryError } from './errors.js'
import type { Expr, OutputOrder } from './form.js'
import { exprKey } from './form.js'
import type { Modifiers } from './modifiers.js'
import { ordinalOf } from './modifiers.js'
import { foldName } from './names.js'
import type { Item } from './select-items.js'

/** Order and cut of the outermost SELECT. */
export interface Tail {
  readonly order: readonly OutputOrder[]
  readonly limit: number | null
  readonly offset: number
}

/**
 * Order and cut over the labels, ordinals and columns of what a SELECT gives.
 * @throws QueryError `LIMIT_NOT_ALLOWED`, `STAR_NOT_ALLOWED`, `COLUMN_UNKNOWN`, `ORDER_LEAK`.
 */
export function tailOf(
  modifiers: Modifiers,
  items: readonly Item[],
  expression: (value: unknown) => Expr,
): Tail {
  const order = modifiers.orders.flatMap(({ value, descending, nullsFirst }) =>
    orderedBy(value, items, expression).map((output) => ({ output, descending, nullsFirst })),
  )
  if (modifiers.limit !== null && order.length === 0)
    throw new QueryError(
      'LIMIT_NOT_ALLOWED',
      'LIMIT needs ORDER BY, since without order the rows it leaves are chance',
    )
  return { order, limit: modifiers.limit, offset: modifiers.offset }
}

function orderedBy(value: unknown, items: readonly Item[], expression: (value: unknown) => Expr): number[] {
  const node = expectNode(value, 'ORDER BY')
  const location = locationOf(node)
  if (node['class'] === 'STAR') {
    const lists = ['exclude_list', 'replace_list', 'rename_list', 'qualified_exclude_list']
    onlyFields(node, ['columns', ...lists], 'ORDER BY ALL', 'STAR_NOT_ALLOWED')
    if (lists.some((name) => optionalList(node[name], name).length > 0))
      throw new QueryError('STAR_NOT_ALLOWED', 'ORDER BY ALL takes no list', location)
    return items.map((_item, index) => index)
  }
  const ordinal = ordinalOf(node)
  if (ordinal !== undefined) {
    if (ordinal < 1 || ordinal > items.length)
      throw new QueryError(
        'COLUMN_UNKNOWN',
        `ORDER BY ${ordinal}: there are ${items.length} columns`,
        location,
      )
    return [ordinal - 1]
  }
  const path = node['class'] === 'COLUMN_REF' ? optionalList(node['column_names'], 'column_names') : []
  const [name] = path
  if (path.length === 1 && typeof name === 'string') {
    const labelled = items.findIndex(({ label }) => foldName(label) === foldName(name))
    if (labelled >= 0) return [labelled]
  }
  const key = exprKey(expression(value))
  const output = items.findIndex(({ expr }) => exprKey(expr) === key)
  if (output < 0) throw orderLeak(location)
  return [output]
}

export function orderLeak(location: number | undefined): QueryError {
  return new QueryError(
    'ORDER_LEAK',
    'ORDER BY takes columns of the output only, since order tells of what it sorts by',
    location,
  )
}
