/** Expressions of the AST to expressions of the form. What stands for a name or an aggregate, the scope says. */
import type { AstNode, VisitBudget } from './ast.js'
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
import { scalarFunction } from './functions.js'
import { literalOf } from './literal.js'
import { foldName, showName } from './names.js'
import type { ColumnType, DeclaredParameter } from './table.js'

const maximumDepth = 32
const maximumListLength = 1_000

/** An aggregate call, not yet judged: where it may stand depends on the clause. */
export interface AggregateCall {
  readonly name: string
  readonly node: AstNode
  readonly location: number | undefined
}

/** What names mean in a clause. */
export interface ExpressionScope {
  readonly budget: VisitBudget
  readonly parameters: Readonly<Record<string, DeclaredParameter>>
  /** Told of each parameter met. */
  readonly usesParameter: (name: string) => void
  /** A column by its path of one or two names. */
  readonly column: (path: readonly string[], location: number | undefined) => Expr
  readonly aggregate: (call: AggregateCall) => Expr
}

/** Names of aggregates of the engine; those that are allowed are chosen by the clause. */
const aggregateNames = new Set(
  (
    'count count_star sum avg mean stddev stddev_samp stddev_pop variance var_samp var_pop min max bool_or bool_and any_value arbitrary first last ' +
    'arg_min arg_max argmin argmax min_by max_by mode median quantile quantile_cont quantile_disc list array_agg string_agg group_concat listagg ' +
    'histogram histogram_exact approx_count_distinct approx_quantile approx_top_k reservoir_quantile bit_and bit_or bit_xor bitstring_agg corr ' +
    'covar_pop covar_samp entropy kurtosis kurtosis_pop skewness sem mad product fsum kahan_sum sumkahan favg geomean geometric_mean ' +
    'regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy count_if countif grouping grouping_id'
  ).split(' '),
)

/** Whether an expression of the AST holds an aggregate anywhere; no trust in its shape. */
export function holdsAggregate(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null || depth > 4 * maximumDepth) return false
  if (Array.isArray(value)) return value.some((item) => holdsAggregate(item, depth + 1))
  const node = value as AstNode
  if (
    node['class'] === 'FUNCTION' &&
    typeof node['function_name'] === 'string' &&
    aggregateNames.has(foldName(node['function_name']))
  )
    return true
  return Object.values(node).some((item) => holdsAggregate(item, depth + 1))
}

/** @throws QueryError for what is not understood or not allowed. */
export function translateExpression(value: unknown, scope: ExpressionScope, depth = 0): Expr {
  const node = expectNode(value, 'expression')
  const location = locationOf(node)
  scope.budget.spend(location)
  if (depth > maximumDepth)
    throw new QueryError('QUERY_TOO_LARGE', `an expression is nested over ${maximumDepth} levels`, location)
  const inner = (child: unknown): Expr => translateExpression(child, scope, depth + 1)
  switch (node['class']) {
    case 'COLUMN_REF':
      onlyFields(node, ['column_names'], 'a column')
      return columnRef(node, scope, location)
    case 'CONSTANT':
      onlyFields(node, ['value'], 'a constant')
      return literalExpr(literalOf(node['value'], location))
    case 'PARAMETER':
      onlyFields(node, ['identifier'], 'a parameter')
      return parameter(node, scope, location)
    case 'COMPARISON':
      onlyFields(node, ['left', 'right'], 'a comparison')
      return comparison(
        expectString(node['type'], 'type of a comparison'),
        [inner(node['left']), inner(node['right'])],
        location,
      )
    case 'CONJUNCTION':
      onlyFields(node, ['children'], 'a conjunction')
      return conjunction(node, inner, location)
    case 'OPERATOR':
      onlyFields(node, ['children'], 'an operator')
      return operator(
        expectString(node['type'], 'type of an operator'),
        children(node, inner, location),
        location,
      )
    case 'BETWEEN':
      onlyFields(node, ['input', 'lower', 'upper'], 'BETWEEN')
      return between(inner(node['input']), inner(node['lower']), inner(node['upper']), location)
    case 'CASE':
      onlyFields(node, ['case_checks', 'else_expr'], 'CASE')
      return caseOf(node, inner, location)
    case 'CAST':
      onlyFields(node, ['child', 'cast_type', 'try_cast'], 'a cast')
      return cast(node, inner(node['child']), location)
    case 'FUNCTION':
      return functionCall(node, scope, inner, location)
    case 'SUBQUERY':
      throw new QueryError(
        'NESTED_NOT_UNDERSTOOD',
        'a subquery in an expression is not understood; join a CTE instead',
        location,
      )
    case 'WINDOW':
      throw new QueryError(
        'WINDOW_NOT_ALLOWED',
        'a window function sees rows before small groups are left out',
        location,
      )
    case 'STAR':
      throw new QueryError(
        'STAR_NOT_ALLOWED',
        'name the columns; a star is allowed in count(*) only',
        location,
      )
    default:
      throw new QueryError(
        'FUNCTION_NOT_ALLOWED',
        `an expression of class ${showName(String(node['class']))} is not understood`,
        location,
      )
  }
}

function children(node: AstNode, inner: (child: unknown) => Expr, location: number | undefined): Expr[] {
  const list = expectList(node['children'], 'children')
  if (list.length > maximumListLength + 1)
    throw new QueryError(
      'QUERY_TOO_LARGE',
      `a list has ${list.length} parts; at most ${maximumListLength}`,
      location,
    )
  return list.map(inner)
}

function columnRef(node: AstNode, scope: ExpressionScope, location: number | undefined): Expr {
  const path = expectList(node['column_names'], 'column_names').map((name) =>
    expectString(name, 'a column name'),
  )
  if (path.length === 0) throw malformed('a column has no name')
  if (path.length > 2)
    throw new QueryError(
      'COLUMN_UNKNOWN',
      `column ${path.map(showName).join('.')} is qualified by more than a table`,
      location,
    )
  return scope.column(path, location)
}

function parameter(node: AstNode, scope: ExpressionScope, location: number | undefined): Expr {
  const name = expectString(node['identifier'], 'identifier of a parameter')
  const declared = Object.hasOwn(scope.parameters, name) ? scope.parameters[name] : undefined
  if (declared === undefined)
    throw new QueryError(
      'PARAMETER_TYPE',
      `parameter ${showName(`$${name}`)} is not declared; declare its name and type, or write a literal`,
      location,
    )
  scope.usesParameter(name)
  const bounds =
    (declared.type === 'int' || declared.type === 'double') &&
    declared.min !== undefined &&
    declared.max !== undefined
      ? { bounds: { min: declared.min, max: declared.max } }
      : {}
  return { kind: 'parameter', name, facts: { type: declared.type, nullable: false, degree: 0, ...bounds } }
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

function comparison(type: string, operands: readonly Expr[], location: number | undefined): Expr {
  const operation = Object.hasOwn(comparisons, type) ? comparisons[type] : undefined
  if (operation === undefined)
    throw new QueryError('FUNCTION_NOT_ALLOWED', `comparison ${showName(type)} is not understood`, location)
  const { args } = unify(operands, 'a comparison', location)
  const total = operation === 'distinctFrom' || operation === 'notDistinctFrom'
  return call(operation, args, 'bool', total ? { nullable: false } : {})
}

function conjunction(node: AstNode, inner: (child: unknown) => Expr, location: number | undefined): Expr {
  const args = children(node, inner, location).map((arg) => expectType(arg, ['bool'], 'AND and OR', location))
  if (args.length === 0) throw malformed('a conjunction is empty')
  if (node['type'] === 'CONJUNCTION_AND') return call('and', args, 'bool')
  if (node['type'] === 'CONJUNCTION_OR') return call('or', args, 'bool')
  throw malformed('a conjunction is neither AND nor OR')
}

function operator(type: string, args: readonly Expr[], location: number | undefined): Expr {
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

function between(input: Expr, lower: Expr, upper: Expr, location: number | undefined): Expr {
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

function caseOf(node: AstNode, inner: (child: unknown) => Expr, location: number | undefined): Expr {
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

function cast(node: AstNode, arg: Expr, location: number | undefined): Expr {
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

function functionCall(
  node: AstNode,
  scope: ExpressionScope,
  inner: (child: unknown) => Expr,
  location: number | undefined,
): Expr {
  const name = foldName(expectString(node['function_name'], 'function_name'))
  const schema = optionalString(node['schema'], 'schema')
  if ((schema !== undefined && schema !== 'main') || optionalString(node['catalog'], 'catalog') !== undefined)
    throw new QueryError(
      'FUNCTION_NOT_ALLOWED',
      `function ${showName(name)} is qualified; write its name only`,
      location,
    )
  if (aggregateNames.has(name)) {
    onlyFields(
      node,
      ['function_name', 'schema', 'catalog', 'children', 'filter', 'order_bys', 'distinct', 'is_operator'],
      `aggregate ${name}`,
      'AGGREGATE_NOT_ALLOWED',
    )
    return scope.aggregate({ name, node, location })
  }
  onlyFields(
    node,
    ['function_name', 'schema', 'catalog', 'children', 'order_bys', 'is_operator'],
    `function ${showName(name)}`,
    'FUNCTION_NOT_ALLOWED',
  )
  expectNoOrder(node, name, location)
  const args = optionalList(node['children'], 'children').map(inner)
  return scalarFunction(name, args, location)
}

/** ORDER BY within a call is refused. @throws QueryError `AGGREGATE_NOT_ALLOWED`. */
export function expectNoOrder(node: AstNode, name: string, location: number | undefined): void {
  if (node['order_bys'] === undefined) return
  const orders = expectNode(node['order_bys'], 'order_bys')
  onlyFields(orders, ['orders'], 'ORDER BY in a call', 'AGGREGATE_NOT_ALLOWED')
  if (optionalList(orders['orders'], 'orders').length > 0)
    throw new QueryError('AGGREGATE_NOT_ALLOWED', `ORDER BY inside ${showName(name)} is refused`, location)
}
