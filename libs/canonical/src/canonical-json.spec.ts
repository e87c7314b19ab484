import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import { utf8 } from './bytes.js'
import { canonicalBytes, canonicalJson, maximumDepth, parseCanonical } from './canonical-json.js'
import { CanonicalError, type CanonicalErrorCode } from './errors.js'

const runs = slow ? 50_000 : 2_000

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error
    return error.code
  }
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

describe('canonicalJson', () => {
  it('is a fixed point of itself, and keeps the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(parseCanonical(utf8(text)))).toBe(text)
      }),
      { numRuns: runs },
    )
  })

  it('does not depend on the order in which members were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        return (
          codeOf(() => canonicalJson(value)) !== undefined || canonicalJson(value) === canonicalJson(reversed)
        )
      }),
    )
  })

  it('sorts by UTF-16 code units, where code points would sort otherwise', () => {
    expect(canonicalJson({ '\ufb33': 1, '\u{1f600}': 2, z: 3, '': 4 })).toBe(
      '{"":4,"z":3,"\u{1f600}":2,"\ufb33":1}',
    )
  })

  it('writes members called like those of every object', () => {
    const value: unknown = JSON.parse('{"toString":1,"__proto__":2,"constructor":3}')
    expect(canonicalJson(value)).toBe('{"__proto__":2,"constructor":3,"toString":1}')
  })

  const unsupported: [string, unknown][] = [
    ['undefined', undefined],
    ['a member that is undefined', { a: undefined }],
    ['a function', { a: () => 1 }],
    ['a symbol', [Symbol('x')]],
    ['a bigint', 1n],
    ['not a number', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['a lone surrogate', 'x\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(2)],
    ['an array with a hole', Array(2)],
    ['an instance of a class', new URLSearchParams()],
  ]
  it.each(unsupported)('refuses %s', (_name, value) => {
    expect(codeOf(() => canonicalJson(value))).toBe('JSON_UNSUPPORTED_VALUE')
  })

  it('refuses what is too deep, and what contains itself', () => {
    expect(codeOf(() => canonicalJson(nested(maximumDepth)))).toBeUndefined()
    expect(codeOf(() => canonicalJson(nested(maximumDepth + 1)))).toBe('JSON_TOO_DEEP')
    const loop: unknown[] = []
    loop.push(loop)
    expect(codeOf(() => canonicalJson(loop))).toBe('JSON_TOO_DEEP')
  })
})

describe('parseCanonical', () => {
  const cases: [string, string, CanonicalErrorCode][] = [
    ['nothing', '', 'JSON_MALFORMED'],
    ['half a value', '{"a":', 'JSON_MALFORMED'],
    ['two values', '1 2', 'JSON_MALFORMED'],
    ['a comment', '/**/1', 'JSON_MALFORMED'],
    ['a byte order mark', '\ufeff1', 'JSON_MALFORMED'],
    ['a space', '{"a": 1}', 'JSON_NOT_CANONICAL'],
    ['a newline at the end', '{"a":1}\n', 'JSON_NOT_CANONICAL'],
    ['names in another order', '{"b":1,"a":2}', 'JSON_NOT_CANONICAL'],
    ['a name twice', '{"a":1,"a":1}', 'JSON_NOT_CANONICAL'],
    ['a name twice with two values', '{"a":1,"a":2}', 'JSON_NOT_CANONICAL'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'JSON_NOT_CANONICAL'],
    ['an escape that is not needed', '"\\u0061"', 'JSON_NOT_CANONICAL'],
    ['an escaped slash', '"\\/"', 'JSON_NOT_CANONICAL'],
    ['an escape in upper case', '"\\u001F"', 'JSON_NOT_CANONICAL'],
    ['a number with a point', '1.0', 'JSON_NOT_CANONICAL'],
    ['a number with an exponent', '1e2', 'JSON_NOT_CANONICAL'],
    ['negative zero', '-0', 'JSON_NOT_CANONICAL'],
    ['an integer that a double cannot hold', '9007199254740993', 'JSON_NOT_CANONICAL'],
    ['a number beyond a double', '1e999', 'JSON_UNSUPPORTED_VALUE'],
    ['an escaped lone surrogate', '"\\ud800"', 'JSON_UNSUPPORTED_VALUE'],
    ['a hundred thousand brackets', '['.repeat(100_000) + ']'.repeat(100_000), 'JSON_TOO_DEEP'],
    ['a hundred thousand open brackets', '['.repeat(100_000), 'JSON_MALFORMED'],
  ]
  it.each(cases)('refuses %s', (_name, text, code) => {
    expect(codeOf(() => parseCanonical(utf8(text)))).toBe(code)
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(codeOf(() => parseCanonical(Uint8Array.of(0x22, 0xff, 0x22)))).toBe('BYTES_MALFORMED')
  })

  it('lets only a CanonicalError out, and only canonical bytes in', () => {
    const json = fc.jsonValue().map((value) => utf8(JSON.stringify(value)))
    const pieces = fc
      .array(
        fc.constantFrom('{', '}', '[', ']', '"', ':', ',', 'a', '1', '\\u', 'd800', '-', '.', 'e', ' '),
        { maxLength: 12 },
      )
      .map((list) => utf8(list.join('')))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), json, pieces), (bytes) => {
        const code = codeOf(() => {
          expect(canonicalBytes(parseCanonical(bytes))).toEqual(Uint8Array.from(bytes))
        })
        return code === undefined || /^(?:JSON|BYTES)_/.test(code)
      }),
      { numRuns: runs },
    )
  })
})
