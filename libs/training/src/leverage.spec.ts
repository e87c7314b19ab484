import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appendBatch, blockRows, emptyPart, type Block } from './blocks.js'
import { workAlone } from './crew.js'
import { hasDominantRow } from './leverage.js'

function blocksOf(columns: readonly (readonly number[])[]): readonly Block[] {
  const rows = columns[0]?.length ?? 0
  const parts = { train: emptyPart(columns.length), test: emptyPart(columns.length) }
  const zeros = new Float32Array(rows)
  appendBatch(parts, { rows, columns, target: zeros, part: zeros, classes: new Int32Array(rows).fill(1) })
  return parts.train.blocks
}

const found = (...columns: readonly (readonly number[])[]) =>
  hasDominantRow(
    workAlone(columns.length),
    blocksOf(columns),
    columns.map((_, i) => i),
  )

/** With one column and an intercept a leverage is 1/n and the part of all squared distances from the mean. */
function byHand(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const squares = values.map((value) => (value - mean) ** 2)
  const all = squares.reduce((a, b) => a + b, 0)
  return Math.max(...squares.map((square) => 1 / values.length + (all === 0 ? 0 : square / all)))
}

describe('hasDominantRow', () => {
  const wave = (rows: number, of = 1) => Array.from({ length: rows }, (_, i) => Math.sin(of * i + of))
  const one = (rows: number, at: number) => Array.from({ length: rows }, (_, i) => (i === at ? 1 : 0))
  const plus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value + (b[i] ?? 0))

  it.each<[string, boolean, readonly (readonly number[])[]]>([
    ['a row that one column sets apart', true, [wave(100), one(100, 7)]],
    ['a row that two columns set apart together', true, [wave(100), plus(wave(100), one(100, 7))]],
    [
      'a row that three columns set apart together',
      true,
      [wave(100), wave(100, 2), plus(wave(100), plus(wave(100, 2), one(100, 7)))],
    ],
    ['a row that is nobody’s remainder', true, [one(100, 7).map((value) => 1 - value)]],
    ['a value far from all others', true, [[...wave(100), 1000]]],
    ['rows of which none is apart', false, [wave(100), wave(100, 2), wave(100, 3)]],
    ['three alike', false, [plus(one(100, 7), plus(one(100, 8), one(100, 9)))]],
    ['no columns of their own', false, [wave(100), wave(100)]],
  ])('finds %s: %s', (_name, is, columns) => {
    expect(found(...columns)).toBe(is)
  })

  it('finds one row among as many as a sample may leave out', () => {
    const rows = 20 * blockRows
    for (const at of [0, 3 * blockRows + 5, rows - 1]) {
      expect(found(wave(rows), one(rows, at))).toBe(true)
      expect(found(wave(rows), plus(wave(rows), one(rows, at)))).toBe(true)
    }
    expect(found(wave(rows), wave(rows, 2))).toBe(false)
  })

  it('says what a single column’s own formula says, shifted and stretched as it may be', () => {
    const whole = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 3, maxLength: 30 })
    fc.assert(
      fc.property(
        whole,
        fc.integer({ min: -50, max: 50 }),
        fc.constantFrom(0.5, 1, 8),
        (values, by, times) => {
          const most = byHand(values)
          fc.pre(Math.abs(most - 0.5) > 1e-6)
          expect(found(values.map((value) => value * times + by))).toBe(most > 0.5)
        },
      ),
    )
  })
})
