/** Comparisons, connectives, CASE and casts: each to one operation of the form, or refused. */
import type { AstNode } from './ast.js'
import { expectList, expectNode, expectString, isSet, malformed, onlyFields } from './ast.js'
import {
  call,
  castCannotFail,
  castTo,
  caseExpr,
  dateLiteral,
  expectType,
  literalExpr,
  unify,
} from './build.js'
import { QueryError } from './errors.js'
import type { Expr, Operation } from './form.js'
import { showName } from './names.js'
import type { ColumnType } from './table.js'

const maximumListLength = 1_000

/** The operands of a node, translated. */
export function children(
  node: AstNode,
  inner: (child: unknown) => Expr,
  location: number | undefined,
): Expr[] {
  const list = expectList(node['children'], 'children')
  if (list.length > maximumListLength + 1)
    throw new QueryError(
      'QUERY_TOO_LARGE',
      `a list has ${list.length} parts; at most ${maximumListLength}`,
      location,
    )
  return list.map(inner)
}

const comparisons: Readonly<Record<string, Operation>> = {
  COMPARE_EQUAL: 'equal',
  COMPARE_NOTEQUAL: 'notEqual',
  COMPARE_LESSTHAN: 'less',
  COMPARE_LESSTHANOREQUALTO: 'lessOrEqual',
  COMPARE_GREATERTHAN: 'greater',
  COMPARE_GREATERTHANOREQUALTO: 'greaterOrEqual',
  COMPARE_DISTINCT_FROM: 'distinctFrom',
  COMPARE_NOT_DISTINCT_FROM: 'notDistinctFrom',
}

export function comparison(type: string, operands: readonly Expr[], location: number | undefined): Expr {
  const operation = Object.hasOwn(comparisons, type) ? comparisons[type] : undefined
  if (operation === undefined)
    throw new QueryError('FUNCTION_NOT_ALLOWED', `comparison ${showName(type)} is not understood`, location)
  const { args } = unify(operands, 'a comparison', location)
  const total = operation === 'distinctFrom' || operation === 'notDistinctFrom'
  return call(operation, args, 'bool', total ? { nullable: false } : {})
}

export function conjunction(
  node: AstNode,
  inner: (child: unknown) => Expr,
  location: number | undefined,
): Expr {
  const args = children(node, inner, location).map((arg) => expectType(arg, ['bool'], 'AND and OR', location))
  if (args.length === 0) throw malformed('a conjunction is empty')
  if (node['type'] === 'CONJUNCTION_AND') return call('and', args, 'bool')
  if (node['type'] === 'CONJUNCTION_OR') return call('or', args, 'bool')
  throw malformed('a conjunction is neither AND nor OR')
}

export function operator(type: string, args: readonly Expr[], location: number | undefined): Expr {
  const [first] = args
  if (first === undefined) throw malformed('an operator has no operand')
  const one = (): Expr => {
    if (args.length !== 1) throw malformed('an operator has more than one operand')
    return first
  }
  switch (type) {
    case 'OPERATOR_NOT':
      return call('not', [expectType(one(), ['bool'], 'NOT', location)], 'bool')
    case 'OPERATOR_IS_NULL':
      return call('isNull', [one()], 'bool', { nullable: false })
    case 'OPERATOR_IS_NOT_NULL':
      return call('isNotNull', [one()], 'bool', { nullable: false })
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      // The parser takes no empty list; a tree that has one is not the parser's.
      if (args.length < 2) throw malformed('IN has no values')
      return call(type === 'COMPARE_IN' ? 'in' : 'notIn', unify(args, 'IN', location).args, 'bool')
    case 'OPERATOR_COALESCE': {
      const { args: same, type: common } = unify(args, 'coalesce', location)
      const bounded = same.every((arg) => arg.facts.bounds !== undefined)
      const bounds = bounded
        ? {
            min: Math.min(...same.map((arg) => arg.facts.bounds?.min ?? 0)),
            max: Math.max(...same.map((arg) => arg.facts.bounds?.max ?? 0)),
          }
        : undefined
      return call('coalesce', same, common, { nullable: same.every((arg) => arg.facts.nullable), bounds })
    }
    case 'GROUPING_FUNCTION':
      throw new QueryError(
        'TOTALS_NOT_NESTED',
        'grouping() needs totals, which are not supported yet',
        location,
      )
    default:
      throw new QueryError('FUNCTION_NOT_ALLOWED', `operator ${showName(type)} is not understood`, location)
  }
}

export function between(input: Expr, lower: Expr, upper: Expr, location: number | undefined): Expr {
  const { args } = unify([input, lower, upper], 'BETWEEN', location)
  const [value, least, most] = args
  if (value === undefined || least === undefined || most === undefined)
    throw malformed('BETWEEN has no operands')
  return call(
    'and',
    [call('greaterOrEqual', [value, least], 'bool'), call('lessOrEqual', [value, most], 'bool')],
    'bool',
  )
}

export function caseOf(node: AstNode, inner: (child: unknown) => Expr, location: number | undefined): Expr {
  const checks = expectList(node['case_checks'], 'case_checks')
  if (checks.length > 200)
    throw new QueryError('QUERY_TOO_LARGE', `a CASE has ${checks.length} branches; at most 200`, location)
  const branches = checks.map((value) => {
    const check = expectNode(value, 'branch of CASE')
    onlyFields(check, ['when_expr', 'then_expr'], 'a branch of CASE')
    return { when: inner(check['when_expr']), then: inner(check['then_expr']) }
  })
  return caseExpr(
    branches,
    node['else_expr'] === undefined ? literalExpr({ type: 'null' }) : inner(node['else_expr']),
    location,
  )
}

const castTypes: Readonly<Record<string, readonly [ColumnType, 8 | 16 | 32 | 64]>> = {
  VARCHAR: ['string', 64],
  TINYINT: ['int', 8],
  SMALLINT: ['int', 16],
  INTEGER: ['int', 32],
  BIGINT: ['int', 64],
  DOUBLE: ['double', 64],
  BOOLEAN: ['bool', 64],
  DATE: ['date', 64],
  TIMESTAMP: ['timestamp', 64],
}

export function cast(node: AstNode, arg: Expr, location: number | undefined): Expr {
  const target = expectNode(node['cast_type'], 'cast_type')
  const id = expectString(target['id'], 'id of a type')
  const type = Object.hasOwn(castTypes, id) ? castTypes[id] : undefined
  if (type === undefined || target['type_info'] !== undefined)
    throw new QueryError(
      'PARAMETER_TYPE',
      `a cast to ${showName(id)} is not understood; use varchar, int, bigint, double, boolean, date or timestamp`,
      location,
    )
  const [to, bits] = type
  if (arg.kind === 'literal' && arg.literal.type === 'string') {
    if (to === 'date' || to === 'timestamp')
      return literalExpr(dateLiteral(arg.literal.value, to, 'a cast', location))
    // The parser writes true and false as casts of 't' and 'f'.
    if (to === 'bool' && /^(?:t|f|true|false)$/i.test(arg.literal.value))
      return literalExpr({ type: 'bool', value: /^t/i.test(arg.literal.value) })
  }
  if (!castable(arg.facts.type, to))
    throw new QueryError(
      'PARAMETER_TYPE',
      `a cast of ${arg.facts.type} to ${id} has no meaning here`,
      location,
    )
  if (!isSet(node['try_cast'], 'try_cast') && !castCannotFail(arg, to, bits))
    throw new QueryError(
      'ERROR_ORACLE',
      `a cast of ${arg.facts.type} to ${id} can fail, and failing tells of the value: write TRY_CAST, which gives NULL`,
      location,
    )
  return castTo(to, arg, bits)
}

/** The engine knows no cast between other pairs, not even TRY_CAST. */
function castable(from: ColumnType | 'null', to: ColumnType): boolean {
  const numbers = ['int', 'double', 'bool']
  const moments = ['date', 'timestamp']
  if (from === 'null' || from === 'string' || to === 'string') return true
  return (numbers.includes(from) && numbers.includes(to)) || (moments.includes(from) && moments.includes(to))
}
