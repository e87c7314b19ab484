/** What stands behind a SELECT: DISTINCT, ORDER BY, LIMIT and OFFSET. */
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
import { showName } from './names.js'

/** The whole number that a clause gives in place of a column. */
export function ordinalOf(node: AstNode): number | undefined {
  if (node['class'] !== 'CONSTANT') return undefined
  const value = expectNode(node['value'], 'constant')
  return typeof value['value'] === 'number' && expectNode(value['type'], 'type')['id'] === 'INTEGER'
    ? value['value']
    : undefined
}

/** DISTINCT, ORDER BY and LIMIT of a SELECT. */
export interface Modifiers {
  readonly distinct: boolean
  readonly orders: readonly {
    readonly value: unknown
    readonly descending: boolean
    readonly nullsFirst: boolean
  }[]
  readonly limit: number | null
  readonly offset: number
}

/** @throws QueryError for what is allowed in the outermost SELECT only, or nowhere. */
export function readModifiers(node: AstNode, outermost: boolean): Modifiers {
  let distinct = false
  const orders: Modifiers['orders'][number][] = []
  let limit: number | null = null
  let offset = 0
  for (const value of optionalList(node['modifiers'], 'modifiers')) {
    const modifier = expectNode(value, 'modifier')
    switch (modifier['type']) {
      case 'DISTINCT_MODIFIER':
        onlyFields(modifier, ['distinct_on_targets'], 'DISTINCT')
        if (optionalList(modifier['distinct_on_targets'], 'distinct_on_targets').length > 0)
          throw new QueryError('NESTED_NOT_UNDERSTOOD', 'DISTINCT ON picks single rows')
        distinct = true
        break
      case 'ORDER_MODIFIER':
        onlyFields(modifier, ['orders'], 'ORDER BY')
        for (const order of optionalList(modifier['orders'], 'orders'))
          orders.push(readOrder(expectNode(order, 'order')))
        break
      case 'LIMIT_MODIFIER':
        onlyFields(modifier, ['limit', 'offset'], 'LIMIT')
        if (modifier['limit'] !== undefined) limit = count(modifier['limit'], 'LIMIT')
        if (modifier['offset'] !== undefined) offset = count(modifier['offset'], 'OFFSET')
        limit ??= Number.MAX_SAFE_INTEGER
        break
      default:
        throw new QueryError('LIMIT_NOT_ALLOWED', `${showName(String(modifier['type']))} is not allowed`)
    }
  }
  if (!outermost && limit !== null)
    throw new QueryError(
      'LIMIT_NOT_ALLOWED',
      'LIMIT inside a CTE or derived table picks single rows; use it in the outermost SELECT',
    )
  if (!outermost && orders.length > 0)
    throw new QueryError('NESTED_NOT_UNDERSTOOD', 'ORDER BY belongs in the outermost SELECT')
  return { distinct, orders, limit, offset }
}

function ownMember<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function readOrder(order: AstNode): Modifiers['orders'][number] {
  onlyFields(order, ['null_order', 'expression'], 'ORDER BY')
  const directions: Readonly<Record<string, boolean>> = {
    ORDER_DEFAULT: false,
    ASCENDING: false,
    DESCENDING: true,
  }
  const nulls: Readonly<Record<string, boolean>> = {
    ORDER_DEFAULT: false,
    'NULLS LAST': false,
    'NULLS FIRST': true,
  }
  const descending = ownMember(directions, expectString(order['type'], 'type of an order'))
  // NULLs come last by default, ascending or descending.
  const nullsFirst = ownMember(nulls, optionalString(order['null_order'], 'null_order') ?? 'ORDER_DEFAULT')
  if (descending === undefined || nullsFirst === undefined) throw malformed('ORDER BY has no direction')
  return { value: order['expression'], descending, nullsFirst }
}

function count(value: unknown, what: string): number {
  const node = expectNode(value, what)
  if (node['class'] === 'SUBQUERY')
    throw new QueryError('NESTED_NOT_UNDERSTOOD', `${what} takes a literal, no subquery`, locationOf(node))
  const number = ordinalOf(node)
  if (number === undefined || !Number.isSafeInteger(number) || number < 0)
    throw new QueryError('LIMIT_NOT_ALLOWED', `${what} takes a literal whole number`, locationOf(node))
  return number
}
