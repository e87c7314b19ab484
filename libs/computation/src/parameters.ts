/** Typed parameters of a run, as the request's sealed part gives them. */
import type { ParameterTerms } from '#libs/contract'
import type { DeclaredParameter, ParameterLiteral } from '#libs/query'
import { parseDate, parseTimestamp } from '#libs/query'
import { compareDecimal, decimalOf, parseDecimal } from './decimal.js'
import { ComputationError } from './errors.js'

/** Declarations by name, as a contract has them. */
export type ParameterDeclarations = Readonly<Record<string, ParameterTerms>>

/** Values by name, each of its declared type and within its bounds. */
export type ParameterSet = Readonly<Record<string, ParameterLiteral>>

/**
 * Reads the parameters of a run: every declared one, no other. A string is text, an int a safe whole number, a double a decimal
 * string in its shortest form or a whole number, a date `2026-11-01`, a timestamp `2026-11-01T09:30:00.000Z`.
 * @throws ComputationError `PARAMETER_UNKNOWN`, `PARAMETER_MISSING`, `PARAMETER_INVALID`, naming the parameter and what is expected,
 * never what was given.
 */
export function parseParameters(declared: ParameterDeclarations, given: unknown): ParameterSet {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ComputationError('PARAMETER_INVALID', 'parameters are an object of names and values')
  const values = given as Readonly<Record<string, unknown>>
  const names = Object.keys(declared)
  const others = Object.keys(values).filter((name) => !Object.hasOwn(declared, name))
  if (others.length > 0)
    throw new ComputationError(
      'PARAMETER_UNKNOWN',
      `${others.length} parameters are not declared; declared are ${names.length === 0 ? 'none' : names.join(', ')}`,
    )
  const entries = Object.entries(declared).map(([name, terms]): [string, ParameterLiteral] => {
    if (!Object.hasOwn(values, name))
      throw new ComputationError(
        'PARAMETER_MISSING',
        `parameter ${name} is missing; expected ${expectation(terms)}`,
      )
    const literal = literalOf(terms, values[name])
    if (literal === undefined)
      throw new ComputationError(
        'PARAMETER_INVALID',
        `parameter ${name} has another value than expected: ${expectation(terms)}`,
      )
    return [name, literal]
  })
  return Object.fromEntries(entries)
}

/** Declarations as the checker of queries takes them. Bounds of doubles become numbers that do not lie inside them. */
export function declaredForQuery(
  declared: ParameterDeclarations,
): Readonly<Record<string, DeclaredParameter>> {
  return Object.fromEntries(Object.entries(declared).map(([name, terms]) => [name, declaration(terms)]))
}

function declaration(terms: ParameterTerms): DeclaredParameter {
  if (terms.type === 'double') return { type: 'double', min: Number(terms.min), max: Number(terms.max) }
  if (terms.type !== 'int') return { type: terms.type }
  const [min, max] = [
    terms.min ?? Math.min(...(terms.oneOf ?? [])),
    terms.max ?? Math.max(...(terms.oneOf ?? [])),
  ]
  return Number.isSafeInteger(min) && Number.isSafeInteger(max) ? { type: 'int', min, max } : { type: 'int' }
}

function literalOf(terms: ParameterTerms, value: unknown): ParameterLiteral | undefined {
  switch (terms.type) {
    case 'bool':
      return typeof value === 'boolean' ? { type: 'bool', value } : undefined
    case 'string':
      return typeof value === 'string' && isText(terms, value) ? { type: 'string', value } : undefined
    case 'int':
      return typeof value === 'number' && isInteger(terms, value) ? { type: 'int', value } : undefined
    case 'double':
      return doubleOf(terms, value)
    case 'date':
      return typeof value === 'string' && parseDate(value) === value && within(terms, value)
        ? { type: 'date', value }
        : undefined
    case 'timestamp':
      return timestampOf(terms, value)
  }
}

function isText(terms: Extract<ParameterTerms, { type: 'string' }>, value: string): boolean {
  if (!value.isWellFormed() || value.includes('\0')) return false
  if (terms.oneOf !== undefined && !terms.oneOf.includes(value)) return false
  return Array.from(value).length <= (terms.maxLength ?? (terms.oneOf === undefined ? 0 : Infinity))
}

function isInteger(terms: Extract<ParameterTerms, { type: 'int' }>, value: number): boolean {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return false
  if (terms.oneOf !== undefined && !terms.oneOf.includes(value)) return false
  if (terms.oneOf === undefined && (terms.min === undefined || terms.max === undefined)) return false
  return value >= (terms.min ?? -Infinity) && value <= (terms.max ?? Infinity)
}

const decimalSpelling = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{0,29}[1-9])?$/

function doubleOf(
  terms: Extract<ParameterTerms, { type: 'double' }>,
  value: unknown,
): ParameterLiteral | undefined {
  if (typeof value === 'number' ? !Number.isSafeInteger(value) : typeof value !== 'string') return undefined
  const text = String(value)
  if (!decimalSpelling.test(text) || text === '-0') return undefined
  const [decimal, min, max] = [decimalOf(text), parseDecimal(terms.min), parseDecimal(terms.max)]
  if (
    min === undefined ||
    max === undefined ||
    compareDecimal(decimal, min) < 0 ||
    compareDecimal(decimal, max) > 0
  )
    return undefined
  return { type: 'double', value: Number(text) }
}

function timestampOf(
  terms: Extract<ParameterTerms, { type: 'timestamp' }>,
  value: unknown,
): ParameterLiteral | undefined {
  if (
    typeof value !== 'string' ||
    !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) ||
    !within(terms, value)
  )
    return undefined
  const timestamp = parseTimestamp(value.slice(0, -1))
  return timestamp === undefined ? undefined : { type: 'timestamp', value: timestamp }
}

// ISO 8601 in one spelling sorts as time does.
function within(terms: { readonly min: string; readonly max: string }, value: string): boolean {
  return value >= terms.min && value <= terms.max
}

function expectation(terms: ParameterTerms): string {
  const choice = 'oneOf' in terms && terms.oneOf !== undefined ? [`one of ${terms.oneOf.length} values`] : []
  if (terms.type === 'bool') return 'true or false'
  if (terms.type === 'string')
    return [
      ...choice,
      ...(terms.maxLength === undefined ? [] : [`text of at most ${terms.maxLength} characters`]),
    ].join(', ')
  const kinds = {
    int: 'a whole number',
    double: 'a decimal number as text, such as "0.5"',
    date: 'a date such as 2026-11-01',
    timestamp: 'a time such as 2026-11-01T09:30:00.000Z',
  }
  const range =
    terms.min === undefined || terms.max === undefined ? [] : [`from ${terms.min} to ${terms.max}`]
  return [...choice, kinds[terms.type], ...range].join(', ')
}
