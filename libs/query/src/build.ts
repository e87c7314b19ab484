/** Makes expressions with what is known of them. Everything made here is total; see {@link Operation}. */
import { QueryError } from './errors.js'
import type { Expr, Facts, Literal, Operation } from './form.js'
import { parseDate, parseTimestamp } from './literal.js'
import type { ColumnType } from './table.js'

type Bounds = NonNullable<Facts['bounds']>
type BinaryArithmetic = 'add' | 'subtract' | 'multiply' | 'divide' | 'integerDivide' | 'modulo'

/** Whole numbers within this are exact, and no sum or product of two of them leaves 64 bits unnoticed. */
const exactLimit = Number.MAX_SAFE_INTEGER
/** Squares of such doubles, summed over all rows, stay finite; the engine's variance raises an error where they do not. */
export const varianceLimit = 1e140

/** An expression without data. */
export function literalExpr(literal: Literal): Expr {
  const facts: Facts =
    literal.type === 'int' || literal.type === 'double'
      ? { type: literal.type, nullable: false, bounds: { min: literal.value, max: literal.value }, degree: 0 }
      : { type: literal.type, nullable: literal.type === 'null', degree: 0 }
  return { kind: 'literal', literal, facts }
}

/** A call whose facts the caller knows. */
export function call(
  operation: Operation,
  args: readonly Expr[],
  type: ColumnType,
  more: { nullable?: boolean; bounds?: Bounds | undefined; degree?: number; guarded?: boolean } = {},
): Expr {
  const guarded = more.guarded ?? false
  const nullable = guarded || (more.nullable ?? args.some((arg) => arg.facts.nullable))
  const degree = more.degree ?? Math.max(0, ...args.map((arg) => arg.facts.degree))
  const facts = { type, nullable, degree, ...(more.bounds === undefined ? {} : { bounds: more.bounds }) }
  return { kind: 'call', operation, args, guarded, facts }
}

/** `arg` as another type; what does not convert is NULL. */
export function castTo(to: ColumnType, arg: Expr, bits: 8 | 16 | 32 | 64 = 64): Expr {
  const from = arg.facts.type
  if (from === 'null') return { kind: 'cast', to, bits, arg, facts: { type: to, nullable: true, degree: 0 } }
  if (from === to && (to !== 'int' || bits === 64)) return arg
  if (arg.kind === 'literal' && arg.literal.type === 'int' && to === 'double')
    return literalExpr({ type: 'double', value: arg.literal.value })
  const bounds = from === 'bool' && to !== 'string' ? { min: 0, max: 1 } : arg.facts.bounds
  const total = castCannotFail(arg, to, bits)
  const keepsBounds = bounds !== undefined && total && (to === 'int' || to === 'double')
  const facts: Facts = {
    type: to,
    nullable: arg.facts.nullable || !total,
    degree: arg.facts.degree,
    ...(keepsBounds
      ? { bounds: to === 'int' ? { min: Math.floor(bounds.min), max: Math.ceil(bounds.max) } : bounds }
      : {}),
  }
  return { kind: 'cast', to, bits, arg, facts }
}

/** Whether a plain cast gives a value for every value. */
export function castCannotFail(arg: Expr, to: ColumnType, bits: 8 | 16 | 32 | 64 = 64): boolean {
  const { type, bounds } = arg.facts
  if (type === 'null' || to === 'string') return true
  if (type === to && to !== 'int') return true
  if (to === 'int') {
    if (type === 'bool') return true
    const limit = bits === 64 ? exactLimit : 2 ** (bits - 1) - 1
    if (type === 'int' && bits === 64) return true
    return (
      (type === 'int' || type === 'double') &&
      bounds !== undefined &&
      bounds.min >= -limit &&
      bounds.max <= limit
    )
  }
  if (to === 'double') return type === 'bool' || type === 'int'
  if (to === 'bool') return type === 'int'
  // From a date whose year the engine's timestamps do not reach the value is NULL; the policy counts the cast as safe.
  return (type === 'date' && to === 'timestamp') || (type === 'timestamp' && to === 'date')
}

/**
 * Brings operands to one type: int to double, date to timestamp, NULL and text literals of dates to what they meet.
 * @throws QueryError `PARAMETER_TYPE` for what would be a hidden cast.
 */
export function unify(
  args: readonly Expr[],
  what: string,
  location: number | undefined,
): { args: Expr[]; type: ColumnType } {
  const types = new Set(args.map((arg) => arg.facts.type))
  types.delete('null')
  const textLiterals = args.some((arg) => arg.kind === 'literal' && arg.literal.type === 'string')
  if (textLiterals && types.size === 2 && (types.has('date') || types.has('timestamp')))
    types.delete('string')
  const only = (...allowed: ColumnType[]): boolean =>
    [...types].every((type) => (allowed as string[]).includes(type))
  const type: ColumnType | undefined =
    types.size === 0
      ? 'string'
      : types.size === 1
        ? ([...types][0] as ColumnType)
        : only('int', 'double')
          ? 'double'
          : only('date', 'timestamp')
            ? 'timestamp'
            : undefined
  if (type === undefined)
    throw new QueryError(
      'PARAMETER_TYPE',
      `${what} mixes ${[...types].sort().join(' with ')}; that would be a hidden cast: cast one side`,
      location,
    )
  return { args: args.map((arg) => convert(arg, type, what, location)), type }
}

function convert(arg: Expr, type: ColumnType, what: string, location: number | undefined): Expr {
  if (arg.kind === 'literal' && arg.literal.type === 'string' && (type === 'date' || type === 'timestamp'))
    return literalExpr(dateLiteral(arg.literal.value, type, what, location))
  return castTo(type, arg)
}

/** A text literal as date or timestamp. @throws QueryError `PARAMETER_TYPE`. */
export function dateLiteral(
  text: string,
  type: 'date' | 'timestamp',
  what: string,
  location: number | undefined,
): Literal {
  const value = type === 'date' ? parseDate(text) : parseTimestamp(text)
  if (value === undefined)
    throw new QueryError(
      'PARAMETER_TYPE',
      `${what} holds a text that is no ${type} such as ${type === 'date' ? '2025-01-31' : '2025-01-31 08:00:00'}`,
      location,
    )
  return { type, value }
}

/** @throws QueryError `PARAMETER_TYPE` where an operand is not of the types. */
export function expectType(
  arg: Expr,
  types: readonly ColumnType[],
  what: string,
  location: number | undefined,
): Expr {
  const { type } = arg.facts
  if (type === 'null') return castTo(types[0] ?? 'string', arg)
  if (!types.includes(type))
    throw new QueryError('PARAMETER_TYPE', `${what} takes ${types.join(' or ')}, not ${type}`, location)
  return arg
}

/** `+ - * / // %` and negation of numbers. */
export function arithmetic(
  operation: BinaryArithmetic | 'negate',
  operands: readonly Expr[],
  what: string,
  location: number | undefined,
): Expr {
  for (const arg of operands) expectType(arg, ['int', 'double'], what, location)
  const { args, type } = unify(
    operands.map((arg) => expectType(arg, ['int', 'double'], what, location)),
    what,
    location,
  )
  const [left, right] = args
  if (left === undefined) throw new QueryError('AST_MALFORMED', `${what} has no operand`, location)
  if (operation === 'negate') return numeric(operation, args, type, negated(left.facts.bounds))
  if (right === undefined) throw new QueryError('AST_MALFORMED', `${what} has one operand`, location)
  const bounds = boundsOf(operation, left.facts.bounds, right.facts.bounds)
  const degree =
    operation === 'add' || operation === 'subtract' ? undefined : left.facts.degree + right.facts.degree
  if (operation === 'divide') {
    const doubles = args.map((arg) => castTo('double', arg))
    return call(operation, doubles, 'double', {
      nullable: left.facts.nullable || mayBeZero(right),
      bounds,
      ...(degree === undefined ? {} : { degree }),
    })
  }
  if (operation === 'integerDivide' || operation === 'modulo') {
    if (type !== 'int') throw new QueryError('PARAMETER_TYPE', `${what} takes whole numbers`, location)
    const nullable = left.facts.nullable || mayBeZero(right)
    return call(operation, args, 'int', {
      nullable,
      guarded: left.facts.bounds === undefined,
      bounds,
      ...(degree === undefined ? {} : { degree }),
    })
  }
  return numeric(operation, args, type, bounds, degree)
}

function numeric(
  operation: Operation,
  args: readonly Expr[],
  type: ColumnType,
  bounds: Bounds | undefined,
  degree?: number,
): Expr {
  const within =
    bounds !== undefined && (type === 'double' ? finite(bounds) : exact(bounds)) ? bounds : undefined
  return call(operation, args, type, {
    bounds: within,
    guarded: type === 'int' && within === undefined,
    ...(degree === undefined ? {} : { degree }),
  })
}

/** A number with known bounds, as far as they are useful. */
export function finite(bounds: Bounds): boolean {
  return Number.isFinite(bounds.min) && Number.isFinite(bounds.max)
}

function exact(bounds: Bounds): boolean {
  return bounds.min >= -exactLimit && bounds.max <= exactLimit
}

function mayBeZero({ facts: { nullable, bounds } }: Expr): boolean {
  return nullable || bounds === undefined || (bounds.min <= 0 && bounds.max >= 0)
}

function negated(bounds: Bounds | undefined): Bounds | undefined {
  return bounds && { min: -bounds.max, max: -bounds.min }
}

function boundsOf(
  operation: BinaryArithmetic,
  left: Bounds | undefined,
  right: Bounds | undefined,
): Bounds | undefined {
  if (left === undefined || right === undefined) return undefined
  switch (operation) {
    case 'add':
      return spread([left.min + right.min, left.max + right.max])
    case 'subtract':
      return spread([left.min - right.max, left.max - right.min])
    case 'multiply':
      return spread([left.min * right.min, left.min * right.max, left.max * right.min, left.max * right.max])
    case 'divide':
    case 'integerDivide': {
      if (right.min <= 0 && right.max >= 0) return undefined
      const corners = [left.min / right.min, left.min / right.max, left.max / right.min, left.max / right.max]
      return spread(
        operation === 'divide'
          ? corners
          : corners.flatMap((corner) => [Math.floor(corner), Math.ceil(corner)]),
      )
    }
    case 'modulo': {
      const size = Math.max(Math.abs(right.min), Math.abs(right.max))
      return spread([-size, size])
    }
  }
}

function spread(corners: readonly number[]): Bounds | undefined {
  const bounds = { min: Math.min(...corners), max: Math.max(...corners) }
  // Rounding of doubles may pass the exact bound by one unit in the last place.
  return finite(bounds) ? bounds : undefined
}

/** The bounds that hold for the values of all. */
export function hull(args: readonly Expr[]): Bounds | undefined {
  let all: Bounds | undefined
  for (const { facts } of args) {
    if (facts.type === 'null') continue
    if (facts.bounds === undefined) return undefined
    all =
      all === undefined
        ? facts.bounds
        : { min: Math.min(all.min, facts.bounds.min), max: Math.max(all.max, facts.bounds.max) }
  }
  return all
}

/** CASE WHEN: conditions of type bool, branches of one type. */
export function caseExpr(
  branches: readonly { readonly when: Expr; readonly then: Expr }[],
  otherwise: Expr,
  location: number | undefined,
): Expr {
  const whens = branches.map(({ when }) => expectType(when, ['bool'], 'a condition of CASE', location))
  const values = unify([...branches.map(({ then }) => then), otherwise], 'CASE', location)
  const results = values.args
  const last = results[results.length - 1]
  if (last === undefined || branches.length === 0)
    throw new QueryError('AST_MALFORMED', 'CASE has no branch', location)
  const bounds = hull(
    results.filter((result) => !(result.kind === 'cast' && result.arg.facts.type === 'null')),
  )
  const facts: Facts = {
    type: values.type,
    nullable: results.some((result) => result.facts.nullable),
    degree: Math.max(
      0,
      ...results.map((result) => result.facts.degree),
      ...whens.map((when) => when.facts.degree),
    ),
    ...(bounds === undefined ? {} : { bounds }),
  }
  return {
    kind: 'case',
    branches: whens.map((when, index) => ({ when, then: results[index] ?? last })),
    otherwise: last,
    facts,
  }
}
