import { describe, expect, it } from 'vitest'
import { ComputationError } from '#libs/computation'
import { EngineError, engineErrorCodes } from '#libs/engine'
import { EnvelopeError } from '#libs/envelope'
import { outcomes } from '#libs/protocol'
import { outcomeOf, RunFailure } from './outcome.js'

describe('outcomeOf', () => {
  it.each(engineErrorCodes)('tells the engine\u2019s %s as a word of the closed list', (code) => {
    expect(outcomes).toContain(outcomeOf(new EngineError(code, 'a secret')))
    expect(outcomeOf(new EngineError(code, 'a secret'))).not.toBe('completed')
  })

  it('tells everything that it does not know as one word', () => {
    for (const unknown of [new Error('a secret'), 'text', undefined, new RangeError('x')])
      expect(outcomeOf(unknown)).toBe('engineFailed')
  })

  it('tells segments that do not open as unreadable inputs', () => {
    expect(outcomeOf(new EnvelopeError('OPEN_FAILED', 'x'))).toBe('inputUnreadable')
  })

  it('does not tell whether a group was too small', () => {
    expect(outcomeOf(new ComputationError('GROUP_TOO_SMALL', 'x'))).toBe(outcomeOf(new Error('any other')))
  })

  it('keeps the word of a failure that has one', () => {
    expect(outcomeOf(new RunFailure('requestInvalid'))).toBe('requestInvalid')
  })
})
