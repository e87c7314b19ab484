import type { AstNode } from './ast.js'
import { expectList, optionalList } from './ast.js'
import { QueryError } from './errors.js'
import { holdsAggregate } from './expression.js'

/** Whether a SELECT makes groups of rows, be it one group of all. */
export function makesGroups(node: AstNode, list: readonly unknown[]): boolean {
  return (
    node['aggregate_handling'] === 'FORCE_AGGREGATES' ||
    optionalList(node['group_expressions'], 'group_expressions').length > 0 ||
    optionalList(node['group_sets'], 'group_sets').length > 0 ||
    node['having'] !== undefined ||
    list.some((item) => holdsAggregate(item))
  )
}

/** One grouping by all keys, and no totals beside it. @throws QueryError `TOTALS_NOT_NESTED`. */
export function expectOneGrouping(node: AstNode, keys: number): void {
  const sets = optionalList(node['group_sets'], 'group_sets').map((set) => expectList(set, 'grouping set'))
  if (sets.length === 0 && keys === 0) return
  const [only] = sets
  const complete =
    sets.length === 1 &&
    only?.length === keys &&
    new Set(only).size === keys &&
    only.every((at) => typeof at === 'number' && at >= 0 && at < keys)
  if (!complete)
    throw new QueryError(
      'TOTALS_NOT_NESTED',
      'ROLLUP, CUBE and GROUPING SETS are not supported yet; run a second query without the key for totals',
    )
}
