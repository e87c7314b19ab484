/** Expressions of the AST to expressions of the form. What stands for a name or an aggregate, the scope says. */
import type { AstNode, VisitBudget } from './ast.js'
import {
  expectList,
  expectNode,
  expectString,
  locationOf,
  malformed,
  onlyFields,
  optionalList,
  optionalString,
} from './ast.js'
import { literalExpr } from './build.js'
import { QueryError } from './errors.js'
import type { Expr } from './form.js'
import { scalarFunction } from './functions.js'
import { literalOf } from './literal.js'
import { foldName, showName } from './names.js'
import type { DeclaredParameter } from './table.js'
import { children, comparison, conjunction, operator, between, caseOf, cast } from './operators.js'

const maximumDepth = 32

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
