import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { offerSetDigest } from './offer-set.js'
import {
  amountsSchema,
  bytesSchema,
  digestSchema,
  publicKeySchema,
  thumbprintSchema,
  timeSchema,
} from './primitives.js'
import { releasedTableSchema } from './released-output.js'
import { statementKinds, statementRules } from './statements/kinds.js'

const cases: readonly [name: string, schema: z.ZodType, good: unknown, bad: readonly unknown[]][] = [
  [
    'a digest',
    digestSchema,
    'ab'.repeat(32),
    ['AB'.repeat(32), 'ab'.repeat(31), `${'ab'.repeat(32)}\n`, 1, null],
  ],
  [
    'a thumbprint',
    thumbprintSchema,
    'A'.repeat(43),
    ['A'.repeat(42), `${'A'.repeat(42)}=`, `${'A'.repeat(42)}+`, ` ${'A'.repeat(42)}`],
  ],
  ['32 bytes', bytesSchema(32), 'A'.repeat(43), ['A'.repeat(44), `${'A'.repeat(43)}=`, '']],
  [
    'a time',
    timeSchema,
    '2026-11-01T09:30:00.000Z',
    [
      '2026-11-01T09:30:00Z',
      '2026-11-01 09:30:00.000Z',
      '2026-02-30T00:00:00.000Z',
      '2026-11-01T24:00:00.000Z',
      '2026-11-01T09:30:00.000+00:00',
      '1969-12-31T23:59:59.999Z',
    ],
  ],
  [
    'a public key',
    publicKeySchema,
    { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
    [
      { kty: 'OKP', crv: 'Ed448', x: 'A'.repeat(43) },
      { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43), d: 'A'.repeat(43) },
      { kty: 'OKP', crv: 'Ed25519' },
    ],
  ],
  [
    'amounts',
    amountsSchema,
    { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 },
    [
      { runs: -1, rows: 0, epsilonMicro: 0, deltaPico: 0 },
      { runs: 0.5, rows: 0, epsilonMicro: 0, deltaPico: 0 },
      { runs: 2 ** 53, rows: 0, epsilonMicro: 0, deltaPico: 0 },
      { runs: 1 },
    ],
  ],
  [
    'a released table',
    releasedTableSchema,
    { columns: [{ name: 'n', type: 'int' }], rows: 2, values: [[1, null]] },
    [
      { columns: [{ name: 'n', type: 'int' }], rows: 1, values: [[1, null]] },
      { columns: [{ name: 'n', type: 'int' }], rows: 2, values: [] },
      { columns: [], rows: 0, values: [] },
    ],
  ],
]

describe('primitives', () => {
  it.each(cases)('take %s in its one spelling and no other', (_name, schema, good, bad) => {
    expect(schema.safeParse(good).success).toBe(true)
    for (const value of bad) expect([value, schema.safeParse(value).success]).toEqual([value, false])
  })
})

describe('statement kinds', () => {
  it('are one for every type that the rules name, but for the contract, and each refuses what it does not know', () => {
    expect(Object.keys(statementKinds).toSorted()).toEqual(
      Object.keys(statementRules)
        .filter((type) => type !== 'contract')
        .toSorted(),
    )
    for (const kind of Object.values(statementKinds)) {
      expect(() => kind.parse({})).toThrow(TypeError)
      expect(() => kind.parse(null)).toThrow(TypeError)
    }
  })

  it('name the field in a refusal and never its value', () => {
    const secret = 'sensitive-value'
    expect(() => statementKinds.fetch.parse({ run: secret })).toThrow(/run/)
    expect(() => statementKinds.fetch.parse({ run: secret })).not.toThrow(secret)
  })

  it('leave out of the log only what gives nothing away', () => {
    const unlogged = Object.entries(statementRules).filter(([, { logged }]) => !logged)
    expect(unlogged.map(([type]) => type)).toEqual(['nonce', 'renewal'])
  })
})

describe('offerSetDigest', () => {
  it('depends on every Offer and on their order', () => {
    const [a, b] = ['ab'.repeat(32), 'cd'.repeat(32)]
    expect(new Set([[a], [b], [a, b], [b, a], [a, a]].map(offerSetDigest)).size).toBe(5)
  })
})
