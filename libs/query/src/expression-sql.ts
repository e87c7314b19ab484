/** Expressions of the form as SQL. Names are numbers, literals are encoded anew; nothing of a party's text comes through. */
import type { Aggregate, ColumnId, Expr, Literal } from './form.js'
import { varianceLimit } from './build.js'
import { literalSql } from './literal.js'
import type { ColumnType } from './table.js'

/** Values of the parameters, by name. */
export type ParameterValues = Readonly<Record<string, Literal>>

/** The engine's names of the types. */
export const sqlTypes = {
  string: 'VARCHAR',
  int: 'BIGINT',
  double: 'DOUBLE',
  bool: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
} as const satisfies Record<ColumnType, string>

const narrowTypes = { 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' } as const
const firstMoment = "TIMESTAMP '0001-01-01 00:00:00'"
const lastMoment = "TIMESTAMP '9999-12-31 23:59:59.999999'"

/** The name of a column in generated SQL. No name of a contract and no label starts with two underscores, so none is taken for it. */
export function columnName(id: ColumnId): string {
  return `__c${id}`
}

/** @throws RangeError for a parameter without a value, which {@link generateSql} has checked. */
export function exprSql(expr: Expr, parameters: ParameterValues): string {
  const inner = (child: Expr): string => exprSql(child, parameters)
  switch (expr.kind) {
    case 'column':
      return columnName(expr.id)
    case 'literal':
      return literalSql(expr.literal)
    case 'parameter': {
      const value = Object.hasOwn(parameters, expr.name) ? parameters[expr.name] : undefined
      if (value === undefined) throw new RangeError('a parameter has no value')
      return literalSql(value)
    }
    case 'case': {
      const branches = expr.branches.map(({ when, then }) => `WHEN ${inner(when)} THEN ${inner(then)}`)
      return `(CASE ${branches.join(' ')} ELSE ${inner(expr.otherwise)} END)`
    }
    case 'cast':
      return expr.to === 'int' && expr.bits !== 64
        ? `CAST(TRY_CAST(${inner(expr.arg)} AS ${narrowTypes[expr.bits]}) AS BIGINT)`
        : `TRY_CAST(${inner(expr.arg)} AS ${sqlTypes[expr.to]})`
    case 'call': {
      const sql = callSql(expr, expr.args.map(inner))
      return expr.guarded ? `TRY(${sql})` : sql
    }
  }
}

function callSql({ operation }: Extract<Expr, { kind: 'call' }>, args: readonly string[]): string {
  const [a = '', b = '', c = ''] = args
  switch (operation) {
    case 'and':
      return `(${args.join(' AND ')})`
    case 'or':
      return `(${args.join(' OR ')})`
    case 'not':
      return `(NOT ${a})`
    case 'isNull':
      return `(${a} IS NULL)`
    case 'isNotNull':
      return `(${a} IS NOT NULL)`
    case 'equal':
      return `(${a} = ${b})`
    case 'notEqual':
      return `(${a} <> ${b})`
    case 'less':
      return `(${a} < ${b})`
    case 'lessOrEqual':
      return `(${a} <= ${b})`
    case 'greater':
      return `(${a} > ${b})`
    case 'greaterOrEqual':
      return `(${a} >= ${b})`
    case 'distinctFrom':
      return `(${a} IS DISTINCT FROM ${b})`
    case 'notDistinctFrom':
      return `(${a} IS NOT DISTINCT FROM ${b})`
    case 'in':
      return `(${a} IN (${args.slice(1).join(', ')}))`
    case 'notIn':
      return `(${a} NOT IN (${args.slice(1).join(', ')}))`
    case 'like':
      return `(${a} LIKE ${b})`
    case 'notLike':
      return `(${a} NOT LIKE ${b})`
    case 'ilike':
      return `(${a} ILIKE ${b})`
    case 'notIlike':
      return `(${a} NOT ILIKE ${b})`
    case 'add':
      return `(${a} + ${b})`
    case 'subtract':
      return `(${a} - ${b})`
    case 'multiply':
      return `(${a} * ${b})`
    case 'negate':
      return `(- ${a})`
    // A division by zero is NULL, where the engine would give an infinity.
    case 'divide':
      return `(${a} / nullif(${b}, 0e0))`
    case 'integerDivide':
      return `(${a} // nullif(${b}, 0))`
    case 'modulo':
      return `(${a} % nullif(${b}, 0))`
    case 'abs':
      return `abs(${a})`
    case 'round':
      return `round(${a}, CAST(${b} AS INTEGER))`
    case 'floor':
      return `floor(${a})`
    case 'ceil':
      return `ceil(${a})`
    case 'greatest':
      return `greatest(${args.join(', ')})`
    case 'least':
      return `least(${args.join(', ')})`
    case 'coalesce':
      return `coalesce(${args.join(', ')})`
    case 'nullif':
      return `nullif(${a}, ${b})`
    // NaN is greater than every number here, so it is left out too.
    case 'withinVariance':
      return `(CASE WHEN abs(${a}) <= ${varianceLimit} THEN ${a} END)`
    case 'lower':
    case 'upper':
    case 'trim':
    case 'ltrim':
    case 'rtrim':
    case 'length':
    case 'contains':
      return `${operation}(${args.join(', ')})`
    case 'left':
    case 'right':
      return `"${operation}"(${a}, ${b})`
    case 'substr':
      return `substr(${args.join(', ')})`
    case 'concat':
      return `concat(${args.join(', ')})`
    case 'append':
      return `(${a} || ${b})`
    case 'startsWith':
      return `starts_with(${a}, ${b})`
    case 'endsWith':
      return `ends_with(${a}, ${b})`
    case 'dateTrunc':
      return `date_trunc(${a}, ${inReach(b)})`
    case 'datePart':
      return `CAST(date_part(${a}, ${inReach(b)}) AS BIGINT)`
    case 'dateDiff':
      return `date_diff(${a}, ${inReach(b)}, ${inReach(c)})`
  }
}

/** Date functions of the engine raise errors near the ends of its calendar; years outside 1 to 9999 are NULL here. */
function inReach(moment: string): string {
  return `(CASE WHEN ${moment} BETWEEN ${firstMoment} AND ${lastMoment} THEN ${moment} END)`
}

/** An aggregate over columns whose SQL is given, so that a condition and an argument are computed once. */
export function aggregateSql(aggregate: Aggregate, argument: string | null, filter: string | null): string {
  const condition = filter === null ? '' : ` FILTER (WHERE ${filter})`
  const of = (name: string): string => `${name}(${argument ?? '*'})${condition}`
  switch (aggregate.function) {
    case 'countRows':
      return `count(*)${condition}`
    case 'count':
      return of('count')
    case 'countDistinct':
      return `count(DISTINCT ${argument ?? 'NULL'})${condition}`
    case 'sum':
      // The engine sums whole numbers in 128 bits; what leaves 64 is NULL.
      return aggregate.argument?.facts.type === 'int' ? `TRY_CAST(${of('sum')} AS BIGINT)` : of('sum')
    case 'avg':
      return of('avg')
    case 'stddevSample':
      return of('stddev_samp')
    case 'stddevPopulation':
      return of('stddev_pop')
    case 'varianceSample':
      return of('var_samp')
    case 'variancePopulation':
      return of('var_pop')
    case 'min':
      return of('min')
    case 'max':
      return of('max')
    case 'boolOr':
      return of('bool_or')
    case 'boolAnd':
      return of('bool_and')
  }
}

/** An output as a value of its type that can be written down: no infinities, years 1 to 9999. */
export function outputSql(expr: Expr, parameters: ParameterValues): string {
  const sql = exprSql(expr, parameters)
  switch (expr.facts.type) {
    case 'int':
      return `TRY_CAST(${sql} AS BIGINT)`
    case 'double':
      return `(CASE WHEN isfinite(${sql}) THEN ${sql} END)`
    case 'date':
      return `(CASE WHEN ${sql} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31' THEN ${sql} END)`
    case 'timestamp':
      return inReach(sql)
    case 'bool':
    case 'string':
      return sql
    case 'null':
      return 'CAST(NULL AS VARCHAR)'
  }
}
