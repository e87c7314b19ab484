import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerFault, readProfile, readTable } from './reply-values.js'

const base = {
  columns: [
    { name: 'ward', type: 'string' },
    { name: 'n', type: 'int' },
    { name: 'rate', type: 'double' },
    { name: 'day', type: 'date' },
    { name: 'at', type: 'timestamp' },
    { name: 'yes', type: 'bool' },
  ],
  rows: 1,
  values: [['a'], ['9007199254740993'], [0.5], ['2025-01-31'], ['2025-01-31 00:00:00.500000'], [true]],
}

interface Loose {
  columns: { name: unknown; type: unknown }[]
  rows: unknown
  values: unknown[][]
}

const mutations: [name: string, mutate: (table: Loose) => void][] = [
  [
    'more rows than allowed',
    (t) => {
      t.rows = 11
      t.values = t.values.map((c) => Array<unknown>(11).fill(c[0]))
    },
  ],
  [
    'a row count that is not one',
    (t) => {
      t.rows = -1
    },
  ],
  [
    'a column shorter than the others',
    (t) => {
      t.values[0] = []
    },
  ],
  [
    'a column without a name',
    (t) => {
      t.values.push([1])
    },
  ],
  [
    'an unknown type',
    (t) => {
      t.columns[0]!.type = 'blob'
    },
  ],
  [
    'a name that is not text',
    (t) => {
      t.columns[0]!.name = 1
    },
  ],
  [
    'text where a number belongs',
    (t) => {
      t.values[2] = ['secret']
    },
  ],
  [
    'text that is no integer',
    (t) => {
      t.values[1] = ['secret']
    },
  ],
  [
    'a fraction where an integer belongs',
    (t) => {
      t.values[1] = [1.5]
    },
  ],
  [
    'text that is no date',
    (t) => {
      t.values[3] = ['2025-02-30']
    },
  ],
  [
    'text that is no timestamp',
    (t) => {
      t.values[4] = ['2025-01-31T00:00:00']
    },
  ],
  [
    'an object as value',
    (t) => {
      t.values[0] = [{}]
    },
  ],
]

describe('readTable', () => {
  it('takes a table of every type', () => {
    expect(readTable(base, 10)).toEqual(base)
  })

  it.each(mutations)('refuses %s', (_name, mutate) => {
    const table = structuredClone(base) as Loose
    mutate(table)
    expect(() => readTable(table, 10)).toThrow(AnswerFault)
  })

  it('lets nothing but a fault come out of any value', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const read of [(v: unknown) => readTable(v, 10), readProfile])
          try {
            read(value)
          } catch (cause) {
            expect(cause).toBeInstanceOf(AnswerFault)
          }
      }),
    )
  })
})
