import fc from 'fast-check'
import { expect } from 'vitest'
import { CodedError } from '#libs/canonical'
import { slow } from '#libs/testing'

/** How often a parser is tried; `SLOW=1` tries it far more often. */
export const runs = slow ? 20_000 : 300

/** Whatever goes in: a value or a CodedError comes out, and soon. */
export async function expectCodedOnly<T>(
  input: fc.Arbitrary<T>,
  parse: (value: T) => unknown,
  numRuns = runs,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(input, async (value) => {
      const begun = performance.now()
      try {
        await parse(value)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        expect(error.code).toMatch(/^[A-Z_]+$/)
      }
      // Far above what any of them takes, far below what an attacker would call a success.
      expect(performance.now() - begun).toBeLessThan(5000)
    }),
    { numRuns },
  )
}

/** JSON with one thing changed: a member gone, of another type, very long, very deep, or one too many. */
export function mutated(base: unknown): fc.Arbitrary<unknown> {
  const paths = pathsOf(base, [])
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.oneof(fc.constantFrom(...oddValues), fc.jsonValue({ maxDepth: 2 })),
      fc.constantFrom('set', 'remove', 'add'),
    )
    .map(([path, value, how]) => change(base, path, value, how))
}

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  2 ** 53,
  1e308,
  '',
  '__proto__',
  'constructor',
  'A'.repeat(70_000),
  '\u0000',
  '\ud800',
  'é',
  [],
  {},
  [[[[[[[[[[[[]]]]]]]]]]]],
  { __proto__: null, toString: 1 },
  '2026-02-30T00:00:00.000Z',
]

type Path = readonly (string | number)[]

function pathsOf(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const members = Object.entries(value).slice(0, 40)
  return [
    path,
    ...members.flatMap(([name, member]) =>
      pathsOf(member, [...path, Array.isArray(value) ? Number(name) : name]),
    ),
  ]
}

function change(base: unknown, path: Path, value: unknown, how: 'set' | 'remove' | 'add'): unknown {
  const [first, ...rest] = path
  if (first === undefined) return how === 'add' && isRecord(base) ? { ...base, unexpected: value } : value
  if (Array.isArray(base)) {
    const items = base as unknown[]
    if (rest.length === 0 && how === 'remove') return items.filter((_, index) => index !== first)
    return items.map((item, index) => (index === first ? change(item, rest, value, how) : item))
  }
  if (!isRecord(base)) return value
  if (rest.length === 0 && how === 'remove')
    return Object.fromEntries(Object.entries(base).filter(([name]) => name !== first))
  return { ...base, [first]: change(base[first], rest, value, how) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
