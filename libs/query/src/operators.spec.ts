import { describe, expect, it } from 'vitest'
import { operator } from './operators.js'

describe('operator', () => {
  it.each(['COMPARE_IN', 'COMPARE_NOT_IN'])(
    'refuses %s without values, of which no SQL can be made',
    (type) => {
      const column = { kind: 'column', id: 0, facts: { type: 'int', nullable: false, degree: 1 } } as const
      expect(() => operator(type, [column], undefined)).toThrow(
        expect.objectContaining({ code: 'AST_MALFORMED' }) as Error,
      )
    },
  )
})
