/** SELECT of the AST: rows that are passed on, or a block that aggregates. */
import { AggregateList, aggregateIds } from './aggregate.js'
import type { AstNode } from './ast.js'
import {
  expectList,
  expectNode,
  expectString,
  isSet,
  locationOf,
  malformed,
  onlyFields,
  optionalList,
  optionalString,
} from './ast.js'
import { expectType } from './build.js'
import type { Block } from './block.js'
import { keyOf, liftAbove, project, readsData, reduceToRows } from './block.js'
import { CteScope } from './cte-scope.js'
import { QueryError } from './errors.js'
import type { ExpressionScope } from './expression.js'
import { holdsAggregate, translateExpression } from './expression.js'
import type { ColumnId, Expr, NamedExpr, OutputOrder, Relation } from './form.js'
import { eachPart, exprKey } from './form.js'
import { findColumn, hasColumn, type Names } from './columns-in-scope.js'
import { renameColumns, translateFrom, type From, type FromContext } from './from.js'
import type { Modifiers } from './modifiers.js'
import { ordinalOf, readModifiers } from './modifiers.js'
import { expectLabel, expectName, foldName, showName } from './names.js'
import type { NamedColumn, Rows, Translation } from './translation.js'
import { unionRows } from './union.js'

const maximumNesting = 12

/** What a SELECT gives: its columns are over `rows`, or over the keys and aggregates of `block`. */
export type Selected =
  | { readonly kind: 'rows'; readonly rows: Rows; readonly columns: readonly NamedColumn[] }
  | { readonly kind: 'block'; readonly block: Block; readonly columns: readonly NamedColumn[] }

/** Order and cut of the outermost SELECT. */
export interface Tail {
  readonly order: readonly OutputOrder[]
  readonly limit: number | null
  readonly offset: number
}

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

/** One item of the SELECT list. */
interface Item {
  readonly label: string
  readonly explicit: boolean
  readonly expr: Expr
  readonly node: AstNode
  readonly location: number | undefined
}

class Select {
  private readonly aggregates: AggregateList
  private readonly rowScope: ExpressionScope
  private readonly blockScope: ExpressionScope
  private items: readonly Item[] = []
  private names: Names

  constructor(
    private readonly node: AstNode,
    private readonly translation: Translation,
    private readonly from: From<Selected>,
    private readonly context: FromContext<Selected>,
  ) {
    this.names = from.names
    const shared = {
      budget: translation.budget,
      parameters: translation.parameters,
      usesParameter: (name: string) => translation.usedParameters.add(name),
    }
    this.rowScope = {
      ...shared,
      column: (path, location) => this.column(path, location),
      aggregate: ({ name, location }) => {
        throw new QueryError(
          'AGGREGATE_NOT_ALLOWED',
          `aggregate ${showName(name)} may not stand here: it would see single rows, or another aggregate`,
          location,
        )
      },
    }
    this.aggregates = new AggregateList(translation, (inner) => translateExpression(inner, this.rowScope))
    this.blockScope = { ...shared, column: this.rowScope.column, aggregate: this.aggregates.add }
  }

  private column(path: readonly string[], location: number | undefined): Expr {
    const { expr } = findColumn(this.names, path, location)
    // What WHERE and joins have taught since the name was read counts too.
    return expr.kind === 'column' ? this.translation.column(expr.id) : this.inPlace(expr)
  }

  /** An expression put in the place of its name; repeated, it may grow with every level, so its size is spent. */
  private inPlace(expr: Expr): Expr {
    eachPart(expr, () => {
      this.translation.budget.spend()
    })
    return expr
  }

  translate(tail: ((tail: Tail) => void) | undefined): Selected {
    const modifiers = readModifiers(this.node, tail !== undefined)
    const list = expectList(this.node['select_list'], 'select_list')
    if (list.length === 0 || list.length > 200)
      throw new QueryError('QUERY_TOO_LARGE', `SELECT has ${list.length} columns; 1 to 200 are allowed`)
    const aggregating = modifiers.distinct || this.groups(list)
    const { source } = this.from
    if (!aggregating && source.kind === 'nested' && source.nested.kind === 'block')
      return this.above(source.nested.block, list, modifiers, tail)
    const rows = this.where(this.asRows())
    if (!aggregating) {
      this.items = list.map((item) => this.item(item, this.rowScope))
      if (tail !== undefined) throw rawRows(this.items[0]?.location)
      return {
        kind: 'rows',
        ...project(
          rows,
          this.items.map(({ label, expr }) => ({ name: label, expr })),
          this.translation,
        ),
      }
    }
    return this.block(rows, list, modifiers, tail)
  }

  private groups(list: readonly unknown[]): boolean {
    const { node } = this
    return (
      node['aggregate_handling'] === 'FORCE_AGGREGATES' ||
      optionalList(node['group_expressions'], 'group_expressions').length > 0 ||
      optionalList(node['group_sets'], 'group_sets').length > 0 ||
      node['having'] !== undefined ||
      list.some((item) => holdsAggregate(item))
    )
  }

  /** The rows that FROM gives; a block in it must be a reduction per unit. */
  private asRows(): Rows {
    const { source, names } = this.from
    if (source.kind === 'rows') return source.rows
    const [item] = names.items
    if (item === undefined) throw malformed('a derived table has no columns')
    const { rows, columns } = this.context.toRows(source.nested, item.columns)
    // Names stay; what they stand for is now a column of the rows.
    this.names = { items: [{ ...item, columns }], merged: [] }
    return rows
  }

  private where(rows: Rows): Rows {
    const { where_clause: clause } = this.node
    if (clause === undefined) return rows
    const condition = this.condition(
      translateExpression(
        clause,
        withLabels(this.rowScope, this.names, () => this.labels(this.rowScope)),
      ),
      'WHERE',
    )
    const relation: Relation = { kind: 'filter', input: rows.relation, condition }
    this.translation.learnFrom(condition)
    return { ...rows, relation }
  }

  /** Labels that WHERE and GROUP BY may name, as the engine allows. */
  private labels(scope: ExpressionScope): ReadonlyMap<string, () => Expr> {
    const labels = new Map<string, () => Expr>()
    for (const value of expectList(this.node['select_list'], 'select_list')) {
      const item = expectNode(value, 'item of SELECT')
      const alias = optionalString(item['alias'], 'alias')
      if (alias !== undefined && !labels.has(foldName(alias)))
        labels.set(foldName(alias), () => translateExpression(value, scope))
    }
    return labels
  }

  private condition(expr: Expr, what: string): Expr {
    return expectType(expr, ['bool'], what, undefined)
  }

  /** A SELECT over the groups of a block: it chooses, computes and filters what the block gives. */
  private above(
    block: Block,
    list: readonly unknown[],
    modifiers: Modifiers,
    tail: ((tail: Tail) => void) | undefined,
  ): Selected {
    const conditions = [...block.conditions]
    if (this.node['where_clause'] !== undefined)
      conditions.push(this.condition(translateExpression(this.node['where_clause'], this.rowScope), 'WHERE'))
    this.items = list.map((item) => this.item(item, this.rowScope))
    this.finish(modifiers, tail, (value) => translateExpression(value, this.rowScope))
    return {
      kind: 'block',
      block: { ...block, conditions },
      columns: this.items.map(({ label, expr }) => ({ name: label, expr })),
    }
  }

  private block(
    rows: Rows,
    list: readonly unknown[],
    modifiers: Modifiers,
    tail: ((tail: Tail) => void) | undefined,
  ): Selected {
    const raw = list.map((item) => this.item(item, this.blockScope))
    if (
      modifiers.distinct &&
      (this.aggregates.all.length > 0 ||
        optionalList(this.node['group_expressions'], 'group_expressions').length > 0)
    )
      throw new QueryError(
        'NESTED_NOT_UNDERSTOOD',
        'DISTINCT over aggregates is not understood; GROUP BY already gives each group once',
      )
    const ids = (): ReadonlySet<ColumnId> => aggregateIds(this.aggregates.all)
    const keys = this.keys(raw, modifiers.distinct)
    const lift = (expr: Expr, location: number | undefined): Expr => liftAbove(expr, keys, ids(), location)
    this.items = raw.map((item) => ({ ...item, expr: lift(item.expr, item.location) }))
    const byLabel = withLabels(
      this.blockScope,
      this.names,
      () =>
        new Map(
          raw
            .filter(({ explicit }) => explicit)
            .map(({ label, expr }) => [foldName(label), () => this.inPlace(expr)]),
        ),
    )
    const conditions: Expr[] = []
    if (this.node['having'] !== undefined) {
      const having = expectNode(this.node['having'], 'HAVING')
      conditions.push(
        lift(this.condition(translateExpression(having, byLabel), 'HAVING'), locationOf(having)),
      )
    }
    const released = this.aggregates.all.length
    this.finish(modifiers, tail, (value) => {
      const expr = lift(translateExpression(value, byLabel), undefined)
      if (this.aggregates.all.length > released) throw orderLeak(undefined)
      return expr
    })
    const block: Block = {
      input: rows,
      keys,
      aggregates: this.aggregates.all,
      conditions,
      location: raw[0]?.location,
    }
    return { kind: 'block', block, columns: this.items.map(({ label, expr }) => ({ name: label, expr })) }
  }

  private keys(raw: readonly Item[], distinct: boolean): NamedExpr[] {
    const expressions = optionalList(this.node['group_expressions'], 'group_expressions')
    const all = this.node['aggregate_handling'] === 'FORCE_AGGREGATES'
    if (!all && this.node['aggregate_handling'] !== 'STANDARD_HANDLING') throw malformed('aggregate_handling')
    this.expectOneGrouping(expressions.length)
    const chosen =
      all || distinct
        ? raw.filter(({ node }) => !holdsAggregate(node)).map(({ expr, location }) => ({ expr, location }))
        : expressions.map((value) => this.key(value, raw))
    const keys: NamedExpr[] = []
    for (const { expr, location } of chosen) {
      // A constant key makes no groups.
      if (!readsData(expr)) continue
      if (keys.some((key) => exprKey(key.expr) === exprKey(expr))) continue
      keys.push(keyOf(expr, this.translation, location))
    }
    return keys
  }

  private expectOneGrouping(keys: number): void {
    const sets = optionalList(this.node['group_sets'], 'group_sets').map((set) =>
      expectList(set, 'grouping set'),
    )
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

  private key(value: unknown, raw: readonly Item[]): { expr: Expr; location: number | undefined } {
    const node = expectNode(value, 'GROUP BY')
    const location = locationOf(node)
    const ordinal = ordinalOf(node)
    if (ordinal !== undefined) {
      const item = raw[ordinal - 1]
      if (item === undefined)
        throw new QueryError(
          'COLUMN_UNKNOWN',
          `GROUP BY ${ordinal}: there are ${raw.length} columns`,
          location,
        )
      if (holdsAggregate(item.node))
        throw new QueryError('AGGREGATE_NOT_ALLOWED', `GROUP BY ${ordinal} names an aggregate`, location)
      return { expr: item.expr, location }
    }
    return {
      expr: translateExpression(
        value,
        withLabels(this.rowScope, this.names, () => this.labels(this.rowScope)),
      ),
      location,
    }
  }

  private item(value: unknown, scope: ExpressionScope): Item {
    const node = expectNode(value, 'item of SELECT')
    const location = locationOf(node)
    const expr = translateExpression(value, scope)
    const alias = optionalString(node['alias'], 'alias')
    if (alias !== undefined) {
      expectLabel(alias, location)
      this.expectNoOtherColumn(alias, value, location)
    }
    return { label: alias ?? impliedLabel(node), explicit: alias !== undefined, expr, node, location }
  }

  /** A label may not be the name of a column that it is not computed from. */
  private expectNoOtherColumn(alias: string, value: unknown, location: number | undefined): void {
    const folded = foldName(alias)
    const named = this.names.items
      .flatMap(({ columns }) => columns)
      .filter(({ name }) => foldName(name) === folded)
    if (named.length === 0 || namesColumn(value, folded)) return
    throw new QueryError(
      'NAME_SHADOWING',
      `label ${showName(alias)} is the name of a column that it is not computed from; choose another`,
      location,
    )
  }

  /** Order and cut of the outermost SELECT, over its labels, ordinals and columns. */
  private finish(
    modifiers: Modifiers,
    tail: ((tail: Tail) => void) | undefined,
    expression: (value: unknown) => Expr,
  ): void {
    if (tail === undefined) return
    const order = modifiers.orders.flatMap(({ value, descending, nullsFirst }) =>
      this.orderedBy(value, expression).map((output) => ({ output, descending, nullsFirst })),
    )
    if (modifiers.limit !== null && order.length === 0)
      throw new QueryError(
        'LIMIT_NOT_ALLOWED',
        'LIMIT needs ORDER BY, since without order the rows it leaves are chance',
      )
    tail({ order, limit: modifiers.limit, offset: modifiers.offset })
  }

  private orderedBy(value: unknown, expression: (value: unknown) => Expr): number[] {
    const node = expectNode(value, 'ORDER BY')
    const location = locationOf(node)
    if (node['class'] === 'STAR') {
      const lists = ['exclude_list', 'replace_list', 'rename_list', 'qualified_exclude_list']
      onlyFields(node, ['columns', ...lists], 'ORDER BY ALL', 'STAR_NOT_ALLOWED')
      if (lists.some((name) => optionalList(node[name], name).length > 0))
        throw new QueryError('STAR_NOT_ALLOWED', 'ORDER BY ALL takes no list', location)
      return this.items.map((_item, index) => index)
    }
    const ordinal = ordinalOf(node)
    if (ordinal !== undefined) {
      if (ordinal < 1 || ordinal > this.items.length)
        throw new QueryError(
          'COLUMN_UNKNOWN',
          `ORDER BY ${ordinal}: there are ${this.items.length} columns`,
          location,
        )
      return [ordinal - 1]
    }
    const path = node['class'] === 'COLUMN_REF' ? optionalList(node['column_names'], 'column_names') : []
    const [name] = path
    if (path.length === 1 && typeof name === 'string') {
      const labelled = this.items.findIndex(({ label }) => foldName(label) === foldName(name))
      if (labelled >= 0) return [labelled]
    }
    const key = exprKey(expression(value))
    const output = this.items.findIndex(({ expr }) => exprKey(expr) === key)
    if (output < 0) throw orderLeak(location)
    return [output]
  }
}

function rawRows(location: number | undefined): QueryError {
  return new QueryError(
    'RAW_VALUE_OUTPUT',
    'the query returns rows of people, not groups of them; aggregate, with or without GROUP BY',
    location,
  )
}

function orderLeak(location: number | undefined): QueryError {
  return new QueryError(
    'ORDER_LEAK',
    'ORDER BY takes columns of the output only, since order tells of what it sorts by',
    location,
  )
}

/** Columns first, then labels. */
function withLabels(
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
