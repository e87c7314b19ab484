/** A block that aggregates: grouped rows, not yet judged to be the last one or a reduction per unit. */
import { QueryError } from './errors.js'
import type { Aggregate, ColumnId, Expr, NamedExpr, Relation, UnitColumn } from './form.js'
import { eachColumn, exprKey } from './form.js'
import { showName } from './names.js'
import type { NamedColumn, Rows, Translation } from './translation.js'

/** Groups of rows. Expressions above it read keys and aggregates only. */
export interface Block {
  readonly input: Rows
  readonly keys: readonly NamedExpr[]
  readonly aggregates: readonly Aggregate[]
  readonly conditions: readonly Expr[]
  readonly location: number | undefined
}

/** Names an expression as a grouping key. */
export function keyOf(expr: Expr, translation: Translation, location: number | undefined): NamedExpr {
  return { id: translation.nameExpr(expr, location), expr }
}

/**
 * An expression over the rows of a block as one over its keys and aggregates.
 * @throws QueryError `RAW_VALUE_OUTPUT` where it reads a column that is neither.
 */
export function liftAbove(
  expr: Expr,
  keys: readonly NamedExpr[],
  aggregates: ReadonlySet<ColumnId>,
  location: number | undefined,
): Expr {
  const known = new Map(keys.map((key) => [exprKey(key.expr), key.id]))
  const lift = (at: Expr): Expr => {
    const key = known.get(exprKey(at))
    if (key !== undefined) return { kind: 'column', id: key, facts: at.facts }
    switch (at.kind) {
      case 'column':
        if (aggregates.has(at.id)) return at
        throw new QueryError(
          'RAW_VALUE_OUTPUT',
          'a column is neither grouped by nor aggregated, so its raw values would be shown; add it to GROUP BY or aggregate it',
          location,
        )
      case 'literal':
      case 'parameter':
        return at
      case 'call':
        return { ...at, args: at.args.map(lift) }
      case 'case':
        return {
          ...at,
          branches: at.branches.map(({ when, then }) => ({ when: lift(when), then: lift(then) })),
          otherwise: lift(at.otherwise),
        }
      case 'cast':
        return { ...at, arg: lift(at.arg) }
    }
  }
  return lift(expr)
}

/**
 * A block as rows for more to come, if each of its groups holds rows of one unit at most, of each owner read.
 * @throws QueryError `NESTED_NOT_UNDERSTOOD` where groups hold rows of several units: above it nobody could count them.
 */
export function reduceToRows(
  block: Block,
  columns: readonly NamedColumn[],
  translation: Translation,
): { rows: Rows; columns: readonly NamedColumn[] } {
  const plainKeys = block.keys.flatMap(({ expr }) => (expr.kind === 'column' ? [expr.id] : []))
  const units: UnitColumn[] = []
  const carried: { id: ColumnId; unit: ColumnId }[] = []
  for (const unit of block.input.units) {
    const same = plainKeys.find((key) => translation.knowledge.same(key, unit.column))
    const determines = plainKeys.find((key) => translation.knowledge.determinedBy(unit.column, key))
    if (same === undefined && determines === undefined)
      throw new QueryError(
        'NESTED_NOT_UNDERSTOOD',
        `a CTE or derived table aggregates over several units of ${showName(unit.table)}, so the people behind a result cannot be counted; ` +
          'group it by the unit column, or make it the last block',
        block.location,
      )
    let column = same
    if (column === undefined) {
      const earlier = carried.find((one) => translation.knowledge.same(one.unit, unit.column))
      column =
        earlier?.id ?? translation.newColumn({ ...translation.column(unit.column).facts, nullable: true })
      if (earlier === undefined) carried.push({ id: column, unit: unit.column })
      if (determines !== undefined) translation.knowledge.nullOrEqual(column, determines)
    }
    units.push({ ...unit, column, reduced: true })
  }
  let relation: Relation = {
    kind: 'reduce',
    input: block.input.relation,
    keys: block.keys,
    aggregates: block.aggregates,
    units: carried,
  }
  for (const condition of block.conditions) {
    relation = { kind: 'filter', input: relation, condition }
    translation.learnFrom(condition)
  }
  return project({ relation, units }, columns, translation)
}

/** Gives computed columns numbers of their own, so that outer joins see them as columns. */
export function project(
  rows: Rows,
  columns: readonly NamedColumn[],
  translation: Translation,
): { rows: Rows; columns: readonly NamedColumn[] } {
  const computed: NamedExpr[] = []
  const named = columns.map(({ name, expr }): NamedColumn => {
    if (expr === undefined || expr.kind === 'column')
      return { name, expr: expr && translation.column(expr.id) }
    const id = translation.nameExpr(expr)
    computed.push({ id, expr })
    return { name, expr: translation.column(id) }
  })
  if (computed.length === 0) return { rows, columns: named }
  return {
    rows: { ...rows, relation: { kind: 'project', input: rows.relation, columns: computed } },
    columns: named,
  }
}

/** Whether an expression reads data. */
export function readsData(expr: Expr): boolean {
  let reads = false
  eachColumn(expr, () => {
    reads = true
  })
  return reads
}
