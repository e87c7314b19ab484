import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ComputationError } from './errors.js'
import type { ComputationErrorCode } from './errors.js'
import type { ParameterDeclarations } from './parameters.js'
import { declaredForQuery, parseParameters } from './parameters.js'

const declared: ParameterDeclarations = {
  text: { type: 'string', maxLength: 5 },
  choice: { type: 'string', oneOf: ['north', 'south'] },
  int: { type: 'int', min: -5, max: 5 },
  double: { type: 'double', min: '0', max: '0.5' },
  bool: { type: 'bool' },
  date: { type: 'date', min: '2025-01-01', max: '2025-12-31' },
  time: { type: 'timestamp', min: '2025-01-01T00:00:00.000Z', max: '2025-12-31T00:00:00.000Z' },
}
const valid = {
  text: 'abc',
  choice: 'north',
  int: -5,
  double: '0.25',
  bool: false,
  date: '2025-02-28',
  time: '2025-03-01T12:30:00.250Z',
}

describe('parseParameters', () => {
  it('gives typed literals', () => {
    expect(parseParameters(declared, valid)).toEqual({
      text: { type: 'string', value: 'abc' },
      choice: { type: 'string', value: 'north' },
      int: { type: 'int', value: -5 },
      double: { type: 'double', value: 0.25 },
      bool: { type: 'bool', value: false },
      date: { type: 'date', value: '2025-02-28' },
      time: { type: 'timestamp', value: '2025-03-01 12:30:00.25' },
    })
  })

  const mutations: readonly [keyof typeof valid | 'other', unknown, ComputationErrorCode][] = [
    ['text', 'abcdef', 'PARAMETER_INVALID'],
    ['text', '\ud800', 'PARAMETER_INVALID'],
    ['text', 'a\0b', 'PARAMETER_INVALID'],
    ['text', 3, 'PARAMETER_INVALID'],
    ['text', null, 'PARAMETER_INVALID'],
    ['choice', 'North', 'PARAMETER_INVALID'],
    ['int', 6, 'PARAMETER_INVALID'],
    ['int', '3', 'PARAMETER_INVALID'],
    ['int', 1.5, 'PARAMETER_INVALID'],
    ['int', -0, 'PARAMETER_INVALID'],
    ['double', '0.51', 'PARAMETER_INVALID'],
    ['double', '0.250', 'PARAMETER_INVALID'],
    ['double', '1e-1', 'PARAMETER_INVALID'],
    ['double', 0.25, 'PARAMETER_INVALID'],
    ['double', '-0', 'PARAMETER_INVALID'],
    ['bool', 'true', 'PARAMETER_INVALID'],
    ['date', '2025-02-30', 'PARAMETER_INVALID'],
    ['date', '2026-01-01', 'PARAMETER_INVALID'],
    ['date', '2025-1-1', 'PARAMETER_INVALID'],
    ['time', '2025-03-01T25:00:00.000Z', 'PARAMETER_INVALID'],
    ['time', '2025-03-01T12:00:00Z', 'PARAMETER_INVALID'],
    ['time', undefined, 'PARAMETER_INVALID'],
    ['other', 1, 'PARAMETER_UNKNOWN'],
  ]
  it.each(mutations)('refuses %s as %j', (name, value, code) => {
    const error = refusal({ ...valid, [name]: value })
    expect(error.code).toBe(code)
    if (name !== 'other') expect(error.message).toContain(name)
    if (typeof value === 'string' && name !== 'bool') expect(error.message).not.toContain(value)
  })

  it('refuses a parameter that is missing, and what is no object', () => {
    const rest: Partial<typeof valid> = { ...valid }
    delete rest.bool
    expect(refusal(rest).code).toBe('PARAMETER_MISSING')
    expect(refusal([]).code).toBe('PARAMETER_INVALID')
    expect(refusal(null).code).toBe('PARAMETER_INVALID')
    expect(refusal(Object.create(valid)).code).toBe('PARAMETER_MISSING')
  })

  it('answers anything with literals or a ComputationError', () => {
    fc.assert(
      fc.property(
        fc.record(Object.fromEntries(Object.keys(valid).map((name) => [name, fc.anything()]))),
        (given) => {
          expect(() => parseParameters(declared, given)).toThrow(ComputationError)
        },
      ),
    )
  })

  it('tells the checker of queries the bounds', () => {
    expect(declaredForQuery(declared)).toMatchObject({
      int: { type: 'int', min: -5, max: 5 },
      double: { min: 0, max: 0.5 },
      text: { type: 'string' },
    })
  })
})

function refusal(given: unknown): ComputationError {
  try {
    parseParameters(declared, given)
  } catch (error) {
    if (error instanceof ComputationError) return error
    throw error
  }
  throw new Error('accepted')
}
