import { beforeAll, describe, expect, it } from 'vitest'
import { EngineFixture } from './engine-fixture.node.js'
import { exampleTables } from './example-tables.js'
import { translateRowsKeptInside } from './rows-inside.js'
import { generateScoredRowsSql } from './scored-rows.js'

let engine: EngineFixture
beforeAll(async () => {
  engine = await EngineFixture.start()
  await engine.load(exampleTables, {
    visits: [
      { patient_id: 'a', region: 'w', age: 40, stay: 3, urgent: true },
      { patient_id: 'b', region: null, age: 50, stay: null, urgent: false },
    ],
    claims: [{ insured_id: 'a', amount: 10 }],
    stays: [
      { person_id: 'a', ward: 'x', days: 1, __owner: 'north' },
      { person_id: 'b', ward: 'y', days: 2, __owner: 'south' },
      { person_id: 'a', ward: 'y', days: 5, __owner: 'south' },
    ],
  })
})

const reviewed = async (text: string) =>
  translateRowsKeptInside(await engine.parse(text), { tables: exampleTables })
const days = [{ name: 'days', whole: true }]

describe('rows to be scored', () => {
  it('of one owner are that owner’s alone, with their unit, in an order that tells nothing', async () => {
    const rows = await reviewed('select days from stays')
    const of = async (owner: string) =>
      engine.rows(
        generateScoredRowsSql(rows, days, { own: { owner, unitType: 'string' }, parameters: {} }).sql,
      )
    expect((await of('north')).map((row) => row.slice(0, 2))).toEqual([['a', 1]])
    expect((await of('south')).map((row) => row.slice(0, 2))).toEqual([
      ['a', 5],
      ['b', 2],
    ])
    expect(await of('nobody')).toEqual([])
  })

  it('say of each row whose unit is in it', async () => {
    const own = { owner: 'north', unitType: 'string' } as const
    const { sql, unitCounts, columns } = generateScoredRowsSql(
      await reviewed('select days from stays'),
      days,
      {
        ...{ own, parameters: {} },
      },
    )
    const [row = []] = await engine.rows(sql)
    const count = (owner: string) => {
      const column = unitCounts.find((one) => one.owner === owner)?.column
      return row[columns.findIndex(({ name }) => name === column)]
    }
    expect([count('north'), count('south')]).toEqual([1, 0])
  })

  it('have NULL for what is missing, infinite or no number', async () => {
    const rows = await reviewed('select stay, age * 1e300 * 1e300 as vast, urgent from visits')
    const features = ['stay', 'vast', 'urgent'].map((name) => ({ name, whole: false }))
    const { sql } = generateScoredRowsSql(rows, features, { own: null, parameters: {} })
    expect((await engine.rows(sql)).map((row) => row.slice(0, 3))).toEqual([
      [3, null, 1],
      [null, null, 0],
    ])
  })

  it('are of one person where tables are joined on units, and not where they meet on anything else', async () => {
    const stays = exampleTables.find(({ name }) => name === 'stays')
    const ward = { type: 'string', nullable: false, use: ['join', 'dimension'] } as const
    const linked = exampleTables.map((table) =>
      table === stays ? { ...table, columns: { ...table.columns, ward } } : table,
    )
    const one = async (text: string) =>
      translateRowsKeptInside(await engine.parse(text), { tables: linked }).onePerson
    const paid = 'with paid as (select insured_id, sum(amount) as amount from claims group by insured_id)'
    expect(await one('select days from stays')).toBe(true)
    expect(await one(`${paid} select age, amount from visits join paid on patient_id = insured_id`)).toBe(
      true,
    )
    expect(
      await one(`${paid} select age, amount from visits left join paid on patient_id = insured_id`),
    ).toBe(true)
    const summed =
      'with b as (select person_id, ward, sum(days) as all_days from stays group by person_id, ward)'
    const joined = (key: string) =>
      `${summed} select days, all_days from stays join b on stays.${key} = b.${key}`
    expect(await one(joined('person_id'))).toBe(true)
    expect(await one(joined('ward'))).toBe(false)
  })
})
