import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EnvelopeError } from './errors.js'
import { pad, paddedLength, unpad } from './padding.js'

describe('padding', () => {
  it('gives back what it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        const padded = pad(bytes)
        expect(padded.length).toBe(paddedLength(bytes.length))
        expect(unpad(padded)).toEqual(bytes)
      }),
    )
  })

  it('makes all short contents one length', () => {
    for (const length of [0, 1, 100, 4088]) expect(paddedLength(length)).toBe(4096)
    expect(paddedLength(4089)).toBeGreaterThan(4096)
  })

  // Padmé keeps the exponent E and the upper floor(log2 E) + 1 bits: 9 has E = 3, S = 2, so lengths step by 2.
  it('follows the examples worked by hand', () => {
    expect(paddedLength(100_000 - 8)).toBe(100_352)
    expect(paddedLength(1_000_000 - 8)).toBe(1_015_808)
    expect(paddedLength(2 ** 30 - 8)).toBe(2 ** 30)
    expect(paddedLength(2 ** 30 - 7)).toBe(2 ** 30 + 2 ** 25)
  })

  it('adds less than 12 % and never shrinks as lengths grow', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4096, max: 2 ** 40 }), (length) => {
        expect(paddedLength(length)).toBeGreaterThanOrEqual(length + 8)
        expect(paddedLength(length)).toBeLessThan((length + 8) * 1.12)
        expect(paddedLength(length + 1)).toBeGreaterThanOrEqual(paddedLength(length))
      }),
    )
  })

  const mutations: [name: string, mutate: (padded: Uint8Array) => Uint8Array][] = [
    ['a byte after the content', (padded) => padded.fill(1, 20, 21)],
    ['a byte at the very end', (padded) => padded.fill(1, -1)],
    ['a length beyond the end', (padded) => padded.fill(255, 0, 8)],
    ['a length of one too many', (padded) => padded.fill(16, 6, 7)],
    ['a byte cut off', (padded) => padded.subarray(1)],
    ['a longer tail of zeros', (padded) => Uint8Array.from([...padded, ...new Uint8Array(4096)])],
    ['nothing', () => new Uint8Array(0)],
  ]
  it.each(mutations)('is refused with %s', (_name, mutate) => {
    expect(() => unpad(mutate(pad(Uint8Array.of(1, 2, 3))))).toThrow(
      expect.objectContaining({ code: 'PADDING_MALFORMED' }),
    )
  })

  it('ends foreign bytes in a coded error or in the only content they can have', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4000, maxLength: 5000 }), (bytes) => {
        try {
          expect(pad(unpad(bytes))).toEqual(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(EnvelopeError)
        }
      }),
    )
  })
})
