/** Parameters of a request against their declarations. Says which parameter and what is expected, never a value. */
import type { JsonValue } from '#libs/canonical'
import { canonicalDecimalOf, compareDecimals, dateSchema, timestampSchema } from '../terms/quantities.js'
import type { ParameterTerms } from '../terms/terms.js'

/** A parameter that does not meet its declaration. */
export interface ParameterFault {
  readonly parameter: string
  readonly expected: string
  readonly seen: string
}

/** Every fault of given parameters: each declared one given, none else, of its type and within its bounds. */
export function parameterFaults(
  declared: Readonly<Record<string, ParameterTerms>>,
  given: Readonly<Record<string, JsonValue>>,
): readonly ParameterFault[] {
  const faults = Object.entries(declared).flatMap(([parameter, terms]) => {
    if (!Object.hasOwn(given, parameter))
      return [{ parameter, expected: `the parameter ${parameter}`, seen: 'nothing' }]
    const expected = expectation(terms)
    return meets(terms, given[parameter])
      ? []
      : [{ parameter, expected: `${parameter}: ${expected}`, seen: 'another value' }]
  })
  const unknown = Object.keys(given).filter((parameter) => !Object.hasOwn(declared, parameter))
  return unknown.length === 0
    ? faults
    : [...faults, { parameter: '', expected: 'declared parameters only', seen: `${unknown.length} others` }]
}

function meets(terms: ParameterTerms, value: JsonValue | undefined): boolean {
  switch (terms.type) {
    case 'bool':
      return typeof value === 'boolean'
    case 'string':
      if (typeof value !== 'string' || !value.isWellFormed()) return false
      if (terms.oneOf !== undefined && !terms.oneOf.includes(value)) return false
      return Array.from(value).length <= (terms.maxLength ?? (terms.oneOf === undefined ? 0 : Infinity))
    case 'int':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false
      if (terms.oneOf !== undefined && !terms.oneOf.includes(value)) return false
      return value >= (terms.min ?? -Infinity) && value <= (terms.max ?? Infinity)
    case 'double':
      // A decimal string in its one spelling, or a whole number; no other has one meaning for all parties.
      if (typeof value === 'string' ? canonicalDecimalOf(value) !== value : !Number.isSafeInteger(value))
        return false
      return compareDecimals(text(value), terms.min) >= 0 && compareDecimals(text(value), terms.max) <= 0
    case 'date':
      return dateSchema.safeParse(value).success && text(value) >= terms.min && text(value) <= terms.max
    case 'timestamp':
      return timestampSchema.safeParse(value).success && text(value) >= terms.min && text(value) <= terms.max
  }
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function expectation(terms: ParameterTerms): string {
  const oneOf =
    'oneOf' in terms && terms.oneOf !== undefined ? `one of ${terms.oneOf.length} values` : undefined
  if (terms.type === 'string')
    return [oneOf, terms.maxLength && `text of at most ${terms.maxLength} characters`]
      .filter(Boolean)
      .join(', ')
  if (terms.type === 'bool') return 'true or false'
  const range = terms.min === undefined || terms.max === undefined ? '' : ` from ${terms.min} to ${terms.max}`
  return [oneOf, `${terms.type}${range}`].filter(Boolean).join(', ')
}
