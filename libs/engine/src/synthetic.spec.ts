import { describe, expect, it } from 'vitest'
import { fits } from './reply-values.js'
import { syntheticTable } from './synthetic.js'
import type { ColumnRules } from './tables.js'

const columns: ColumnRules = {
  id: { type: 'string' },
  age: { type: 'int', min: 18, max: 99 },
  wide: { type: 'int', min: '-9223372036854775808', max: '9223372036854775807' },
  cost: { type: 'double', nullable: true, max: -5 },
  day: { type: 'date', min: '2024-02-28', max: '2024-03-01' },
  at: { type: 'timestamp', min: '2030-01-01 00:00:00' },
  died: { type: 'bool' },
  ward: { type: 'string' },
}
const options = { rows: 500, unit: 'id', units: 40, seed: 7 }

describe('syntheticTable', () => {
  const table = syntheticTable(columns, options)
  const column = (name: string) => table.values[Object.keys(columns).indexOf(name)]!

  it('is the same for the same seed and another for another', () => {
    expect(syntheticTable(columns, options)).toEqual(table)
    expect(syntheticTable(columns, { ...options, seed: 8 })).not.toEqual(table)
  })

  it('meets types, bounds and nullability', () => {
    for (const { name, type } of table.columns) {
      expect(column(name).every((value) => fits(type, value))).toBe(true)
      if (columns[name]!.nullable !== true) expect(column(name)).not.toContain(null)
    }
    expect(column('age').every((age) => Number(age) >= 18 && Number(age) <= 99)).toBe(true)
    expect(column('cost').every((cost) => cost === null || Number(cost) <= -5)).toBe(true)
    expect(new Set(column('day'))).toEqual(new Set(['2024-02-28', '2024-02-29', '2024-03-01']))
  })

  it('holds the extremes, missing values and as many units as asked', () => {
    expect(column('wide').slice(0, 2)).toEqual(['-9223372036854775808', '9223372036854775807'])
    expect(column('cost')).toContain(null)
    expect(new Set(column('id')).size).toBe(40)
  })
})
