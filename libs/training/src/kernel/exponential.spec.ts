import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assemble, define, repeat, v128 } from './assembler.js'
import { exponential } from './exponential.js'

const memory = new WebAssembly.Memory({ initial: 1 })
const module = new WebAssembly.Module(
  assemble({
    power: define(['at', 'end'], ({ at, end }, local) => {
      const [power, shifted, rest] = [local('v128'), local('v128'), local('v128')]
      return [
        repeat(at, 16, end.get, [
          power.set(v128.load(at.get)),
          ...exponential(power, shifted, rest),
          v128.store(at.get, power.get),
        ]),
      ]
    }),
  }),
)
const { exports } = new WebAssembly.Instance(module, { room: { memory } })
const power = exports['power'] as (at: number, end: number) => void

/** e^x by the kernel, of both lanes of as many vectors as it takes. */
function powers(values: readonly number[]): readonly number[] {
  const place = new Float64Array(memory.buffer, 0, values.length + (values.length % 2))
  place.set(values)
  power(0, place.byteLength)
  return [...place.subarray(0, values.length)]
}

const least = Math.exp(-708)
const away = (x: number, found: number): number => Math.abs(found / Math.exp(x) - 1)

describe('the exponential of kernels', () => {
  it('is that of the language to three units in the last place, over its whole range', () => {
    const values = Array.from({ length: 8000 }, (_, i) => (-708 * i) / 7999)
    const worst = powers(values).reduce((most, found, i) => Math.max(most, away(values[i] ?? NaN, found)), 0)
    expect(worst).toBeLessThan(3 * 2 ** -52)
  })

  it('is so for any number, most of them near zero or where the whole part changes', () => {
    const near = fc.tuple(
      fc.integer({ min: 0, max: 1020 }),
      fc.double({ min: -1e-9, max: 1e-9, noNaN: true }),
    )
    const edge = near.map(([whole, by]) => Math.max(-708, Math.min(0, -(whole + 0.5) * Math.LN2 + by)))
    const any = fc.double({ min: -708, max: 0, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.oneof(edge, any), { minLength: 1, maxLength: 50 }), (values) => {
        powers(values).forEach((found, i) => {
          expect(away(values[i] ?? NaN, found)).toBeLessThan(3 * 2 ** -52)
        })
      }),
    )
  })

  it.each<[string, number, number]>([
    ['zero', 0, 1],
    ['zero below', -0, 1],
    ['the least number below zero', -5e-324, 1],
    ['the least normal number below zero', -(2 ** -1022), 1],
    ['half a unit of one', -(2 ** -54), 1],
  ])('of %s is one', (_name, x, expected) => {
    expect(powers([x, -1])[0]).toBe(expected)
    expect(powers([-1, x])[1]).toBe(expected)
  })

  it.each([-708.0000001, -709, -745.2, -1e300, -Number.MAX_VALUE, -Infinity])(
    'of %s is what it is at the end of its range: small, and not zero',
    (x) => {
      const [found, end] = powers([x, -708])
      expect(found).toBe(end)
      expect(Math.abs((found ?? NaN) / least - 1)).toBeLessThan(3 * 2 ** -52)
    },
  )

  it('of what is no number is no number, and leaves its neighbour alone', () => {
    const [one] = powers([-3])
    expect(powers([NaN, -3])).toEqual([NaN, one])
    expect(powers([-3, NaN])).toEqual([one, NaN])
  })
})
