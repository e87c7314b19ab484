import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableJson } from './printable.js'
import { facts, table } from './table.js'

describe('what is printed', () => {
  it('cannot move the cursor, clear the screen or turn the direction of text', () => {
    expect(printable('a\u001b[2Jb\u202ec\u0007d\u0085e')).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{7}d\\u{85}e')
  })

  it('keeps letters of every script', () => {
    expect(printable('Gesundheit, здоровье, 健康, صحة')).toBe('Gesundheit, здоровье, 健康, صحة')
  })

  it('never holds a control or format character, whatever was given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u)
      }),
    )
  })

  it('stays the same value as JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = printableJson(value)
        expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('a table', () => {
  it('has columns of equal width, numbers to the right', () => {
    expect(
      table(
        ['ward', 'n'],
        [
          ['surgery', '12'],
          ['er', '7'],
        ],
      ),
    ).toEqual(['ward      n', '───────  ──', 'surgery  12', 'er        7'])
  })

  it('of nothing is its headings', () => {
    expect(table(['a', 'bc'], [])).toEqual(['a  bc', '─  ──'])
  })

  it('of facts stands below each other', () => {
    expect(
      facts([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toEqual(['a     1', 'long  2'])
  })
})
