/** The scalar functions and operators that a query may use. What is not in this table is refused. */
import { arithmetic, call, castTo, expectType, hull, literalExpr, unify } from './build.js'
import { QueryError } from './errors.js'
import type { Expr, Operation } from './form.js'
import { showName } from './names.js'
import type { ColumnType } from './table.js'

type Location = number | undefined
type Builder = (args: readonly Expr[], name: string, location: Location) => Expr

const maximumPatternLength = 200
const maximumWildcards = 8
const maximumTextPosition = 1_000_000

const truncationParts = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute']
const dateParts: Readonly<Record<string, { min: number; max: number }>> = {
  year: { min: 1, max: 9999 },
  quarter: { min: 1, max: 4 },
  month: { min: 1, max: 12 },
  week: { min: 1, max: 53 },
  day: { min: 1, max: 31 },
  dow: { min: 0, max: 6 },
  isodow: { min: 1, max: 7 },
  doy: { min: 1, max: 366 },
  hour: { min: 0, max: 23 },
  minute: { min: 0, max: 59 },
}
const differenceParts = ['year', 'quarter', 'month', 'week', 'day']

const builders: Readonly<Record<string, Builder>> = {
  '+': sign('add', undefined),
  '-': sign('subtract', 'negate'),
  '*': binary('multiply'),
  '/': binary('divide'),
  '//': binary('integerDivide'),
  '%': binary('modulo'),
  mod: binary('modulo'),
  abs: (args, name, location) => {
    const arg = expectType(single(args, name, location), ['int', 'double'], name, location)
    const { bounds } = arg.facts
    const size = bounds && Math.max(Math.abs(bounds.min), Math.abs(bounds.max))
    return call('abs', [arg], typeOf(arg), {
      guarded: arg.facts.type === 'int' && bounds === undefined,
      bounds: size === undefined ? undefined : { min: 0, max: size },
    })
  },
  round: (args, name, location) => {
    count(args, 1, 2, name, location)
    const arg = expectType(at(args, 0), ['int', 'double'], name, location)
    const digits =
      args.length === 1 ? 0 : literalInteger(at(args, 1), -15, 15, `the digits of ${name}`, location)
    const step = digits < 0 ? 10 ** -digits : 1
    const { bounds } = arg.facts
    return call('round', [arg, literalExpr({ type: 'int', value: digits })], typeOf(arg), {
      guarded: arg.facts.type === 'int' && bounds === undefined,
      bounds: bounds && { min: Math.floor(bounds.min) - step, max: Math.ceil(bounds.max) + step },
    })
  },
  floor: rounding('floor'),
  ceil: rounding('ceil'),
  ceiling: rounding('ceil'),
  greatest: extreme('greatest'),
  least: extreme('least'),
  nullif: (args, name, location) => {
    count(args, 2, 2, name, location)
    const { args: same, type } = unify(args, name, location)
    return call('nullif', same, type, { nullable: true, bounds: same[0]?.facts.bounds })
  },
  lower: text('lower'),
  lcase: text('lower'),
  upper: text('upper'),
  ucase: text('upper'),
  trim: text('trim'),
  ltrim: text('ltrim'),
  rtrim: text('rtrim'),
  left: cut('left'),
  right: cut('right'),
  substr: substring,
  substring,
  length: (args, name, location) => {
    const arg = expectType(single(args, name, location), ['string'], name, location)
    return call('length', [arg], 'int', { bounds: { min: 0, max: 2 ** 40 } })
  },
  '||': (args, name, location) => {
    count(args, 2, 2, name, location)
    return call(
      'append',
      args.map((arg) => expectType(arg, ['string'], name, location)),
      'string',
    )
  },
  concat: (args, name, location) => {
    count(args, 1, 20, name, location)
    return call(
      'concat',
      args.map((arg) => expectType(arg, ['string'], name, location)),
      'string',
      { nullable: false },
    )
  },
  starts_with: test('startsWith'),
  prefix: test('startsWith'),
  ends_with: test('endsWith'),
  suffix: test('endsWith'),
  contains: test('contains'),
  '~~': pattern('like'),
  '!~~': pattern('notLike'),
  '~~*': pattern('ilike'),
  '!~~*': pattern('notIlike'),
  date_trunc: (args, name, location) => {
    count(args, 2, 2, name, location)
    const part = literalWord(at(args, 0), truncationParts, name, location)
    // The engine truncates a date to a timestamp.
    const moment = castTo('timestamp', expectType(at(args, 1), ['timestamp', 'date'], name, location))
    return call('dateTrunc', [word(part), moment], 'timestamp', { nullable: true })
  },
  date_part: datePart,
  datepart: datePart,
  date_diff: dateDifference,
  datediff: dateDifference,
  year: partNamed('year'),
  quarter: partNamed('quarter'),
  month: partNamed('month'),
  week: partNamed('week'),
  day: partNamed('day'),
  dayofmonth: partNamed('day'),
  dayofweek: partNamed('dow'),
  isodow: partNamed('isodow'),
  dayofyear: partNamed('doy'),
  hour: partNamed('hour'),
  minute: partNamed('minute'),
}

/** Known to be harmful, so that the refusal can say why. */
const harmful: readonly [
  QueryRule: 'SIDE_CHANNEL' | 'ERROR_ORACLE',
  why: string,
  names: readonly string[],
][] = [
  ['ERROR_ORACLE', 'it fails on purpose, which shows whether a row is there', ['error']],
  [
    'SIDE_CHANNEL',
    'its result depends on clock, randomness or state, or it takes time',
    [
      'random',
      'setseed',
      'sleep_ms',
      'pg_sleep',
      'uuid',
      'gen_random_uuid',
      'uuidv4',
      'uuidv7',
      'now',
      'today',
      'get_current_time',
      'get_current_timestamp',
      'current_timestamp',
      'transaction_timestamp',
      'current_query',
      'currval',
      'nextval',
      'txid_current',
      'write_log',
      'stats',
      'age',
    ],
  ],
]

/**
 * The expression of a scalar function of that name.
 * @throws QueryError `FUNCTION_NOT_ALLOWED`, `ERROR_ORACLE`, `SIDE_CHANNEL`, `PARAMETER_TYPE`.
 */
export function scalarFunction(name: string, args: readonly Expr[], location: Location): Expr {
  const builder = Object.hasOwn(builders, name) ? builders[name] : undefined
  if (builder !== undefined) return builder(args, name, location)
  for (const [rule, why, names] of harmful)
    if (names.includes(name))
      throw new QueryError(rule, `function ${showName(name)} is refused: ${why}`, location)
  throw new QueryError(
    'FUNCTION_NOT_ALLOWED',
    `function ${showName(name)} is not among those allowed: ${Object.keys(builders)
      .filter((known) => /^[a-z]/.test(known))
      .join(', ')}`,
    location,
  )
}

/** Whether the name is refused whatever its arguments are. */
export function isScalarFunction(name: string): boolean {
  return Object.hasOwn(builders, name)
}

function sign(two: 'add' | 'subtract', one: 'negate' | undefined): Builder {
  return (args, name, location) => {
    count(args, 1, 2, name, location)
    if (args.length === 2) return arithmetic(two, args, name, location)
    return one === undefined
      ? expectType(at(args, 0), ['int', 'double'], name, location)
      : arithmetic(one, args, name, location)
  }
}

function binary(operation: 'multiply' | 'divide' | 'integerDivide' | 'modulo'): Builder {
  return (args, name, location) => {
    count(args, 2, 2, name, location)
    return arithmetic(operation, args, name, location)
  }
}

function rounding(operation: 'floor' | 'ceil'): Builder {
  return (args, name, location) => {
    const arg = castTo('double', expectType(single(args, name, location), ['double', 'int'], name, location))
    const { bounds } = arg.facts
    return call(operation, [arg], 'double', {
      bounds: bounds && { min: Math.floor(bounds.min), max: Math.ceil(bounds.max) },
    })
  }
}

function extreme(operation: 'greatest' | 'least'): Builder {
  return (args, name, location) => {
    count(args, 2, 20, name, location)
    const { args: same, type } = unify(args, name, location)
    return call(operation, same, type, {
      nullable: same.every((arg) => arg.facts.nullable),
      bounds: hull(same),
    })
  }
}

function text(operation: Operation): Builder {
  return (args, name, location) =>
    call(operation, [expectType(single(args, name, location), ['string'], name, location)], 'string')
}

function cut(operation: 'left' | 'right'): Builder {
  return (args, name, location) => {
    count(args, 2, 2, name, location)
    const length = literalInteger(at(args, 1), 0, maximumTextPosition, `the length of ${name}`, location)
    return call(
      operation,
      [expectType(at(args, 0), ['string'], name, location), literalExpr({ type: 'int', value: length })],
      'string',
    )
  }
}

function substring(args: readonly Expr[], name: string, location: Location): Expr {
  count(args, 2, 3, name, location)
  const positions = args
    .slice(1)
    .map((arg) => literalInteger(arg, 0, maximumTextPosition, `a position of ${name}`, location))
  const numbers = positions.map((value) => literalExpr({ type: 'int', value }))
  return call('substr', [expectType(at(args, 0), ['string'], name, location), ...numbers], 'string')
}

function test(operation: Operation): Builder {
  return (args, name, location) => {
    count(args, 2, 2, name, location)
    return call(
      operation,
      args.map((arg) => expectType(arg, ['string'], name, location)),
      'bool',
    )
  }
}

function pattern(operation: Operation): Builder {
  return (args, _name, location) => {
    count(args, 2, 2, 'LIKE', location)
    const like = at(args, 1)
    if (like.kind !== 'literal' || like.literal.type !== 'string')
      throw new QueryError('FUNCTION_NOT_ALLOWED', 'LIKE takes a literal pattern', location)
    const wildcards = like.literal.value.split('%').length - 1
    if (like.literal.value.length > maximumPatternLength || wildcards > maximumWildcards)
      throw new QueryError(
        'SIDE_CHANNEL',
        `a pattern has at most ${maximumPatternLength} characters and ${maximumWildcards} times %`,
        location,
      )
    return call(operation, [expectType(at(args, 0), ['string'], 'LIKE', location), like], 'bool')
  }
}

function datePart(args: readonly Expr[], name: string, location: Location): Expr {
  count(args, 2, 2, name, location)
  return partOf(literalWord(at(args, 0), Object.keys(dateParts), name, location), at(args, 1), name, location)
}

function partNamed(part: string): Builder {
  return (args, name, location) => partOf(part, single(args, name, location), name, location)
}

function partOf(part: string, moment: Expr, name: string, location: Location): Expr {
  const arg = castTo('timestamp', expectType(moment, ['timestamp', 'date'], name, location))
  return call('datePart', [word(part), arg], 'int', { nullable: true, bounds: dateParts[part] })
}

function dateDifference(args: readonly Expr[], name: string, location: Location): Expr {
  count(args, 3, 3, name, location)
  const part = literalWord(at(args, 0), differenceParts, name, location)
  const moments = args
    .slice(1)
    .map((arg) => castTo('timestamp', expectType(arg, ['timestamp', 'date'], name, location)))
  return call('dateDiff', [word(part), ...moments], 'int', {
    nullable: true,
    bounds: { min: -4_000_000, max: 4_000_000 },
  })
}

function word(value: string): Expr {
  return literalExpr({ type: 'string', value })
}

function typeOf(arg: Expr): ColumnType {
  return arg.facts.type === 'null' ? 'string' : arg.facts.type
}

function at(args: readonly Expr[], index: number): Expr {
  const arg = args[index]
  if (arg === undefined)
    throw new QueryError('AST_MALFORMED', 'a function has fewer arguments than were counted')
  return arg
}

function single(args: readonly Expr[], name: string, location: Location): Expr {
  count(args, 1, 1, name, location)
  return at(args, 0)
}

function count(args: readonly Expr[], least: number, most: number, name: string, location: Location): void {
  if (args.length < least || args.length > most)
    throw new QueryError(
      'FUNCTION_NOT_ALLOWED',
      `${name} takes ${least === most ? least : `${least} to ${most}`} arguments here, not ${args.length}`,
      location,
    )
}

function literalInteger(arg: Expr, least: number, most: number, what: string, location: Location): number {
  if (
    arg.kind !== 'literal' ||
    arg.literal.type !== 'int' ||
    arg.literal.value < least ||
    arg.literal.value > most
  )
    throw new QueryError(
      'FUNCTION_NOT_ALLOWED',
      `${what} must be a literal from ${least} to ${most}`,
      location,
    )
  return arg.literal.value
}

function literalWord(arg: Expr, words: readonly string[], name: string, location: Location): string {
  const found = arg.kind === 'literal' && arg.literal.type === 'string' ? arg.literal.value.toLowerCase() : ''
  if (!words.includes(found))
    throw new QueryError(
      'FUNCTION_NOT_ALLOWED',
      `${name} takes as its part one of ${words.join(', ')}, as a literal`,
      location,
    )
  return found
}
