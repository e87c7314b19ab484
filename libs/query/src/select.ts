/** A query of the AST: a SELECT or a UNION ALL, with the CTEs and derived tables that it reads. */
import type { AstNode } from './ast.js'
import { expectNode, expectString, isSet, malformed, onlyFields, optionalList } from './ast.js'
import { project, reduceToRows } from './block.js'
import { CteScope } from './cte-scope.js'
import { QueryError } from './errors.js'
import { renameColumns, translateFrom, type FromContext } from './from.js'
import { expectName, showName } from './names.js'
import { Select, type Selected } from './one-select.js'
import type { Tail } from './output-order.js'
import type { NamedColumn, Translation } from './translation.js'
import { unionRows } from './union.js'

const maximumNesting = 12

/**
 * Reads a SELECT. `tail` receives order and cut where it is the outermost; elsewhere they are refused.
 * @throws QueryError for what is not allowed.
 */
export function translateSelect(
  value: unknown,
  translation: Translation,
  ctes: CteScope,
  depth: number,
  tail?: (tail: Tail) => void,
): Selected {
  const node = expectNode(value, 'query')
  translation.budget.spend()
  if (depth > maximumNesting)
    throw new QueryError('QUERY_TOO_LARGE', `queries are nested over ${maximumNesting} levels`)
  if (node['type'] === 'SET_OPERATION_NODE')
    return setOperation(node, translation, ctes, depth, tail !== undefined)
  if (node['type'] !== 'SELECT_NODE')
    throw new QueryError(
      'NESTED_NOT_UNDERSTOOD',
      `a query of kind ${showName(String(node['type']))} is not understood`,
    )
  refuseClauses(node)
  const scope = declareCtes(node, translation, ctes)
  const context = fromContext(translation, scope, depth)
  const from = translateFrom(node['from_table'], context)
  const selected = new Select(node, translation, from, context).translate(tail)
  checkUnused(scope, translation, depth)
  return selected
}

function refuseClauses(node: AstNode): void {
  onlyFields(
    node,
    [
      'modifiers',
      'cte_map',
      'select_list',
      'from_table',
      'where_clause',
      'group_expressions',
      'group_sets',
      'aggregate_handling',
      'having',
      'sample',
      'qualify',
    ],
    'SELECT',
  )
  if (node['sample'] !== undefined) throw new QueryError('SAMPLE_NOT_ALLOWED', 'a sample is not allowed')
  if (node['qualify'] !== undefined)
    throw new QueryError('WINDOW_NOT_ALLOWED', 'QUALIFY sees rows before small groups are left out')
}

function declareCtes(node: AstNode, translation: Translation, outer: CteScope): CteScope {
  const scope = CteScope.inside(outer)
  // The field is there even when empty, unless the AST was made with skip_empty, which loses empty grouping sets.
  if (node['cte_map'] === undefined)
    throw malformed('it was serialized with skip_empty, which loses totals; use serializeStatement')
  const map = expectNode(node['cte_map'], 'cte_map')
  onlyFields(map, ['map'], 'WITH')
  for (const item of optionalList(map['map'], 'map of cte_map')) {
    const entry = expectNode(item, 'CTE')
    const name = expectName(expectString(entry['key'], 'key of a CTE'), 'CTE')
    const cte = expectNode(entry['value'], 'CTE')
    onlyFields(cte, ['query', 'materialized', 'aliases'], 'a CTE')
    if (translation.findTable(name) !== undefined || scope.has(name))
      throw new QueryError(
        'NAME_SHADOWING',
        `CTE ${showName(name)} takes the name of a table or of another CTE`,
      )
    const query = expectNode(cte['query'], 'query of a CTE')
    onlyFields(query, ['node'], 'a CTE')
    scope.declare(name, query['node'], cte)
  }
  return scope
}

/** A CTE that nothing reads is judged all the same, and then dropped. */
function checkUnused(scope: CteScope, translation: Translation, depth: number): void {
  for (const name of scope.unused()) {
    const cte = scope.find(name)
    if (cte !== undefined) translateSelect(cte.node, translation, cte.scope, depth + 1)
  }
}

function fromContext(translation: Translation, ctes: CteScope, depth: number): FromContext<Selected> {
  const nested = (selected: Selected): { nested: Selected; columns: readonly NamedColumn[] } => ({
    nested: selected,
    columns: selected.columns,
  })
  return {
    translation,
    isCte: (name) => ctes.has(name),
    cte: (name, location) => {
      const found = ctes.find(name)
      if (found === undefined) return undefined
      const selected = translateSelect(found.node, translation, found.scope, depth + 1)
      return { nested: selected, columns: renameColumns(selected.columns, found.value, location, 'aliases') }
    },
    subquery: (node) => nested(translateSelect(node, translation, ctes, depth + 1)),
    toRows: (selected, columns) =>
      selected.kind === 'block'
        ? reduceToRows(selected.block, columns, translation)
        : project(selected.rows, columns, translation),
  }
}

function setOperation(
  node: AstNode,
  translation: Translation,
  ctes: CteScope,
  depth: number,
  outermost: boolean,
): Selected {
  onlyFields(
    node,
    ['cte_map', 'setop_type', 'left', 'right', 'setop_all', 'modifiers'],
    'a set operation',
    'SETOP_NOT_ALLOWED',
  )
  const all = node['setop_all'] === undefined || isSet(node['setop_all'], 'setop_all')
  if (node['setop_type'] !== 'UNION' || !all || outermost)
    throw new QueryError(
      'SETOP_NOT_ALLOWED',
      'only UNION ALL is allowed, in a CTE or derived table, below the last block',
    )
  if (optionalList(node['modifiers'], 'modifiers').length > 0)
    throw new QueryError('LIMIT_NOT_ALLOWED', 'ORDER BY and LIMIT are allowed in the outermost SELECT only')
  const scope = declareCtes(node, translation, ctes)
  const branches = [node['left'], node['right']].map((branch) => {
    const selected = translateSelect(branch, translation, scope, depth + 1)
    return selected.kind === 'block'
      ? reduceToRows(selected.block, selected.columns, translation)
      : project(selected.rows, selected.columns, translation)
  })
  checkUnused(scope, translation, depth)
  return { kind: 'rows', ...unionRows(branches, translation) }
}
