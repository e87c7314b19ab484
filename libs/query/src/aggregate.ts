/** Aggregates: read with their conditions, and judged by where they stand. */
import { isSet, optionalList } from './ast.js'
import { call, expectType, varianceLimit } from './build.js'
import { QueryError } from './errors.js'
import type { AggregateCall } from './expression.js'
import { expectNoOrder } from './expression.js'
import type { Aggregate, ColumnId, Expr, Facts, UnitAggregateFunction } from './form.js'
import { exprKey } from './form.js'
import { showName } from './names.js'
import type { Translation } from './translation.js'

const functions: Readonly<Record<string, UnitAggregateFunction>> = {
  count_star: 'countRows',
  count: 'count',
  sum: 'sum',
  avg: 'avg',
  mean: 'avg',
  stddev: 'stddevSample',
  stddev_samp: 'stddevSample',
  stddev_pop: 'stddevPopulation',
  variance: 'varianceSample',
  var_samp: 'varianceSample',
  var_pop: 'variancePopulation',
  min: 'min',
  max: 'max',
  bool_or: 'boolOr',
  bool_and: 'boolAnd',
}

/** Of the aggregates those that return a value of some row: allowed in a reduction per unit only. */
const rawValued = new Set<UnitAggregateFunction>(['min', 'max', 'boolOr', 'boolAnd'])

/** The most rows that a table can have, for bounds of counts. */
const maximumRows = 2 ** 40
/** Columns multiplied in an argument: with as many power sums as people every value could be solved for. */
const maximumDegree = 2

/** The aggregates of one block; equal ones are one. */
export class AggregateList {
  readonly all: Aggregate[] = []
  private readonly known = new Map<string, Aggregate>()

  constructor(
    private readonly translation: Translation,
    private readonly expression: (value: unknown) => Expr,
  ) {}

  /** The aggregate as a column of the block. @throws QueryError `AGGREGATE_NOT_ALLOWED`, `CONDITION_NOT_ALLOWED`, `PARAMETER_TYPE`. */
  readonly add = (aggregateCall: AggregateCall): Expr => {
    const { name, node, location } = aggregateCall
    const named = Object.hasOwn(functions, name) ? functions[name] : undefined
    if (name.startsWith('grouping'))
      throw new QueryError(
        'TOTALS_NOT_NESTED',
        'grouping() needs totals, which are not supported yet',
        location,
      )
    if (named === undefined) throw refused(name, location)
    expectNoOrder(node, name, location)
    const args = optionalList(node['children'], 'children')
    const counting = named === 'count' && args.length === 0 ? 'countRows' : named
    if (args.length !== (counting === 'countRows' ? 0 : 1))
      throw new QueryError(
        'AGGREGATE_NOT_ALLOWED',
        `aggregate ${showName(name)} takes one argument, not ${args.length}`,
        location,
      )
    const distinct = isSet(node['distinct'], 'distinct')
    if (distinct && counting !== 'count')
      throw new QueryError(
        'AGGREGATE_NOT_ALLOWED',
        `DISTINCT is allowed in count only, not in ${showName(name)}`,
        location,
      )
    const fn = distinct ? 'countDistinct' : counting
    const written = args.length === 0 ? null : this.expression(args[0])
    const condition =
      node['filter'] === undefined
        ? null
        : expectType(this.expression(node['filter']), ['bool'], 'FILTER', location)
    const { argument, filter } = splitCondition(written, condition)
    return this.intern(fn, argument && prepare(fn, argument, name, location), filter, location)
  }

  private intern(
    fn: UnitAggregateFunction,
    argument: Expr | null,
    filter: Expr | null,
    location: number | undefined,
  ): Expr {
    const key = JSON.stringify([fn, argument && exprKey(argument), filter && exprKey(filter)])
    let aggregate = this.known.get(key)
    if (aggregate === undefined) {
      const id = this.translation.newColumn(factsOf(fn, argument, filter), undefined, location)
      aggregate = { id, function: fn, argument, filter }
      this.known.set(key, aggregate)
      this.all.push(aggregate)
    }
    return this.translation.column(aggregate.id)
  }
}

/** FILTER (WHERE c) and CASE WHEN c THEN x END mean the same; the form has the first. */
function splitCondition(
  argument: Expr | null,
  filter: Expr | null,
): { argument: Expr | null; filter: Expr | null } {
  if (argument?.kind !== 'case' || argument.branches.length !== 1 || !isNull(argument.otherwise))
    return { argument, filter }
  const [branch] = argument.branches
  if (branch === undefined) return { argument, filter }
  return splitCondition(
    branch.then,
    filter === null ? branch.when : call('and', [filter, branch.when], 'bool'),
  )
}

function isNull(expr: Expr): boolean {
  return (
    (expr.kind === 'literal' && expr.literal.type === 'null') || (expr.kind === 'cast' && isNull(expr.arg))
  )
}

function prepare(
  fn: UnitAggregateFunction,
  argument: Expr,
  name: string,
  location: number | undefined,
): Expr {
  switch (fn) {
    case 'countRows':
    case 'count':
    case 'countDistinct':
    case 'min':
    case 'max':
      return argument
    case 'boolOr':
    case 'boolAnd':
      return expectType(argument, ['bool'], name, location)
    case 'sum':
    case 'avg':
      return expectType(argument, ['int', 'double'], name, location)
    case 'stddevSample':
    case 'stddevPopulation':
    case 'varianceSample':
    case 'variancePopulation': {
      const number = expectType(argument, ['int', 'double'], name, location)
      const { type, bounds } = number.facts
      const safe =
        type === 'int' ||
        (bounds !== undefined && Math.max(Math.abs(bounds.min), Math.abs(bounds.max)) <= varianceLimit)
      // The engine's variance raises an error on values that are infinite, NaN or too large; they become NULL.
      return safe ? number : call('withinVariance', [number], 'double', { nullable: true })
    }
  }
}

function factsOf(fn: UnitAggregateFunction, argument: Expr | null, filter: Expr | null): Facts {
  if (argument === null || fn === 'count' || fn === 'countDistinct')
    return { type: 'int', nullable: false, bounds: { min: 0, max: maximumRows }, degree: 0 }
  const { type, bounds, degree } = argument.facts
  const nullable = filter !== null || argument.facts.nullable
  const kept = bounds === undefined ? {} : { bounds }
  switch (fn) {
    case 'sum':
      return { type, nullable: nullable || type === 'int', degree }
    case 'avg':
      return { type: 'double', nullable, degree, ...kept }
    case 'min':
    case 'max':
      return { type, nullable, degree, ...kept }
    case 'boolOr':
    case 'boolAnd':
      return { type: 'bool', nullable, degree }
    case 'countRows':
      return { type: 'int', nullable: false, degree: 0 }
    case 'stddevSample':
    case 'stddevPopulation':
    case 'varianceSample':
    case 'variancePopulation':
      return { type: 'double', nullable: true, degree }
  }
}

/**
 * The rules of the last block, whose aggregates are released.
 * @throws QueryError `AGGREGATE_NOT_ALLOWED`, `CONDITION_NOT_ALLOWED`, `POWER_SUM`.
 */
export function checkReleased(aggregates: readonly Aggregate[], translation: Translation): void {
  const conditions = new Set<string>()
  for (const { id, function: fn, argument, filter } of aggregates) {
    const location = translation.locationOf(id)
    if (rawValued.has(fn)) throw refused(fn, location)
    if (fn === 'countDistinct' && argument !== null && translation.originOf(argument)?.links !== true)
      throw new QueryError(
        'AGGREGATE_NOT_ALLOWED',
        'count(distinct …) takes a unit or a column with the use "join" only',
        location,
      )
    if (argument !== null && holdsCondition(argument))
      throw new QueryError(
        'CONDITION_NOT_ALLOWED',
        'a condition in an aggregate is written FILTER (WHERE …) or CASE WHEN … THEN … END without ELSE, so that the rows behind it can be counted',
        location,
      )
    if (
      argument !== null &&
      fn !== 'count' &&
      fn !== 'countDistinct' &&
      argument.facts.degree > maximumDegree
    )
      throw new QueryError(
        'POWER_SUM',
        `an aggregate multiplies over ${maximumDegree} columns; from many power sums single values follow`,
        location,
      )
    if (filter !== null) conditions.add(exprKey(filter))
    if (conditions.size > 1)
      throw new QueryError(
        'CONDITION_NOT_ALLOWED',
        'the aggregates of a query share one condition, since small groups follow from several; move them to WHERE or to a group key',
        location,
      )
  }
}

function holdsCondition(expr: Expr): boolean {
  switch (expr.kind) {
    case 'case':
      return true
    case 'cast':
      return (expr.arg.facts.type === 'bool' && expr.arg.kind !== 'column') || holdsCondition(expr.arg)
    case 'call':
      return expr.args.some(holdsCondition)
    case 'column':
    case 'literal':
    case 'parameter':
      return false
  }
}

function refused(name: string, location: number | undefined): QueryError {
  return new QueryError(
    'AGGREGATE_NOT_ALLOWED',
    `aggregate ${showName(name)} is refused here: the last block may use count, sum, avg, stddev and variance; ` +
      'min, max, bool_or and bool_and only in a CTE that groups by the unit',
    location,
  )
}

/** Columns of aggregates, by number. */
export function aggregateIds(aggregates: readonly Aggregate[]): ReadonlySet<ColumnId> {
  return new Set(aggregates.map(({ id }) => id))
}
