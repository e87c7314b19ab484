/** The body of one SELECT: rows that are passed on, a block that aggregates them, or a choice from the groups of a block below. */
import { AggregateList, aggregateIds } from './aggregate.js'
import type { AstNode } from './ast.js'
import { expectList, expectNode, locationOf, malformed, optionalList } from './ast.js'
import { expectType } from './build.js'
import type { Block } from './block.js'
import { keyOf, liftAbove, project, readsData } from './block.js'
import { QueryError } from './errors.js'
import type { ExpressionScope } from './expression.js'
import { holdsAggregate, translateExpression } from './expression.js'
import type { ColumnId, Expr, NamedExpr, Relation } from './form.js'
import { eachPart, exprKey } from './form.js'
import { findColumn, type Names } from './columns-in-scope.js'
import type { From, FromContext } from './from.js'
import { expectOneGrouping, makesGroups } from './grouping.js'
import type { Modifiers } from './modifiers.js'
import { ordinalOf, readModifiers } from './modifiers.js'
import { foldName, showName } from './names.js'
import { orderLeak, tailOf, type Tail } from './output-order.js'
import { labelsIn, translateItem, withLabels, type Item } from './select-items.js'
import type { NamedColumn, Rows, Translation } from './translation.js'

/** What a SELECT gives: its columns are over `rows`, or over the keys and aggregates of `block`. */
export type Selected =
  | { readonly kind: 'rows'; readonly rows: Rows; readonly columns: readonly NamedColumn[] }
  | { readonly kind: 'block'; readonly block: Block; readonly columns: readonly NamedColumn[] }

/** One SELECT over what its FROM gives. */
export class Select {
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
    const aggregating = modifiers.distinct || makesGroups(this.node, list)
    const { source } = this.from
    if (!aggregating && source.kind === 'nested' && source.nested.kind === 'block')
      return this.above(source.nested.block, list, modifiers, tail)
    const rows = this.where(this.asRows())
    if (!aggregating) {
      this.items = list.map((item) => translateItem(item, this.rowScope, this.names))
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
        withLabels(this.rowScope, this.names, () => this.labels()),
      ),
      'WHERE',
    )
    const relation: Relation = { kind: 'filter', input: rows.relation, condition }
    this.translation.learnFrom(condition)
    return { ...rows, relation }
  }

  /** Labels that WHERE and GROUP BY may name, as the engine allows. */
  private labels(): ReadonlyMap<string, () => Expr> {
    return labelsIn(expectList(this.node['select_list'], 'select_list'), this.rowScope)
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
    this.items = list.map((item) => translateItem(item, this.rowScope, this.names))
    tail?.(tailOf(modifiers, this.items, (value) => translateExpression(value, this.rowScope)))
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
    const raw = list.map((item) => translateItem(item, this.blockScope, this.names))
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
    tail?.(
      tailOf(modifiers, this.items, (value) => {
        const expr = lift(translateExpression(value, byLabel), undefined)
        if (this.aggregates.all.length > released) throw orderLeak(undefined)
        return expr
      }),
    )
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
    expectOneGrouping(this.node, expressions.length)
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
        withLabels(this.rowScope, this.names, () => this.labels()),
      ),
      location,
    }
  }
}

function rawRows(location: number | undefined): QueryError {
  return new QueryError(
    'RAW_VALUE_OUTPUT',
    'the query returns rows of people, not groups of them; aggregate, with or without GROUP BY',
    location,
  )
}
