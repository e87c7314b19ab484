import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ComputationTerms } from '#libs/contract'
import { AgentError } from '../errors.js'
import { readParameters } from './parameters.js'

const computation = {
  parameters: {
    count: { type: 'int', min: 0, max: 10 },
    share: { type: 'double', min: '0', max: '1' },
    flag: { type: 'bool' },
    word: { type: 'string', maxLength: 20 },
    day: { type: 'date', min: '2026-01-01', max: '2026-12-31' },
    time: { type: 'timestamp', min: '2026-01-01T00:00:00.000Z', max: '2026-12-31T00:00:00.000Z' },
  },
} as unknown as ComputationTerms

const good = [
  'count=5',
  'share=0.50',
  'flag=true',
  'word=a=b',
  'day=2026-11-01',
  'time=2026-11-01T09:30:00.000Z',
]

describe('parameters on a command line', () => {
  it('become values of the contract’s types', () => {
    expect(readParameters(good, computation)).toEqual({
      count: 5,
      share: '0.5',
      flag: true,
      word: 'a=b',
      day: '2026-11-01',
      time: '2026-11-01T09:30:00.000Z',
    })
  })

  it.each([
    'count=5.5',
    'count=',
    'count=1e3',
    'count=9007199254740993',
    'share=half',
    'share=1e-3',
    'flag=yes',
    'day=1.11.2026',
    'time=2026-11-01',
    'word',
    '=x',
    'other=1',
    'constructor=1',
  ])('are refused where one is %j', (pair) => {
    const name = pair.split('=')[0] ?? ''
    const rest = good.filter((other) => !other.startsWith(`${name}=`))
    expect(() => readParameters([...rest, pair], computation)).toThrow(
      expect.objectContaining({ code: 'USAGE' }) as Error,
    )
  })

  it('end in values or a coded error for whatever is typed', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (pairs) => {
        try {
          readParameters([...good, ...pairs], computation)
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError)
        }
      }),
    )
  })
})
