import { beforeAll, describe, expect, it } from 'vitest'
import { EngineFixture } from './engine-fixture.node.js'
import type { QueryError } from './errors.js'
import { exampleTables } from './example-tables.js'
import { generateRowsSql, rowColumnsRead, translateRowsKeptInside } from './rows-inside.js'

let engine: EngineFixture
beforeAll(async () => {
  engine = await EngineFixture.start()
  await engine.load(exampleTables, {
    visits: [
      { patient_id: 'a', region: 'w', age: 40, stay: 3, score: 7, urgent: true },
      { patient_id: 'b', region: null, age: 50, stay: null, score: 8, urgent: false },
      { patient_id: 'c', region: 'e', age: 60, stay: 1, score: -9, urgent: true },
    ],
    claims: [
      { insured_id: 'a', amount: 10 },
      { insured_id: 'a', amount: 30 },
      { insured_id: 'b', amount: 5 },
    ],
    stays: [
      { person_id: 'a', ward: 'x', days: 1, __owner: 'north' },
      { person_id: 'b', ward: 'y', days: 2, __owner: 'south' },
    ],
  })
})

const rowsOf = async (text: string) =>
  translateRowsKeptInside(await engine.parse(text), { tables: exampleTables })
const joined = `with paid as (select insured_id, sum(amount) as amount from claims group by insured_id)
  select age, region, stay, amount, urgent from visits left join paid on patient_id = insured_id`
const all = { complete: [], split: null, parameters: {} } as const

describe('rows that stay inside', () => {
  it('come as numbers, with the classes of units that each has', async () => {
    const rows = await rowsOf(joined)
    const columns = [
      { name: 'age', level: null },
      { name: 'region', level: 'w' },
      { name: 'stay', level: null },
      { name: 'amount', level: null },
      { name: 'urgent', level: null },
    ]
    const sql = generateRowsSql(rows, columns, all)
    const found = (await engine.rows(`SELECT * FROM (${sql.rows}) ORDER BY 1`)).map((row) => row.map(Number))
    expect(found.map((row) => row.slice(0, 6))).toEqual([
      [40, 1, 3, 40, 1, 0],
      [50, 0, NaN, 5, 0, 0],
      [60, 0, 1, NaN, 1, 0],
    ])
    expect(await engine.rows(sql.repeated)).toEqual([[0]])
    expect(rowColumnsRead(rows)).toEqual({
      visits: ['age', 'patient_id', 'region', 'stay', 'urgent'],
      claims: ['amount', 'insured_id'],
    })
  })

  it('leave out who misses what must be there', async () => {
    const sql = generateRowsSql(await rowsOf(joined), [{ name: 'age', level: null }], {
      ...all,
      complete: ['stay', 'amount'],
    })
    expect((await engine.rows(sql.rows)).map(([age]) => Number(age))).toEqual([40])
  })

  it('leave out who has what single precision cannot hold, where it must be there', async () => {
    const rows = await rowsOf('select age, age * 1e300 as vast from visits')
    const sql = generateRowsSql(rows, [{ name: 'vast', level: null }], { ...all, complete: ['vast'] })
    expect(await engine.rows(sql.rows)).toEqual([])
    expect(await engine.rows(sql.repeated)).toEqual([[0]])
  })

  describe('whose columns must be there', () => {
    const paid = `with paid as (select insured_id, count(*) as claims, sum(amount) as amount from claims group by insured_id)`
    const sqlOf = async (text: string) =>
      generateRowsSql(await rowsOf(text), [{ name: 'x', level: null }], { ...all, complete: ['x'] }).rows

    it.each<[string, string]>([
      ['a whole number', 'select age as x from visits'],
      ['a whole number without bounds', 'select score as x from visits'],
      ['a truth', 'select urgent as x from visits'],
      ['a double with bounds', 'select age * 0.5 as x from visits'],
      ['a missing value that is filled', 'select coalesce(stay, 0) as x from visits'],
      [
        'a count of an inner join',
        `${paid} select claims as x from visits join paid on patient_id = insured_id`,
      ],
      [
        'the kept side of an outer join',
        `${paid} select age as x from visits left join paid on patient_id = insured_id`,
      ],
    ])('are not asked for where %s proves itself', async (_name, text) => {
      const sql = await sqlOf(text)
      expect(sql).not.toContain('IS NOT NULL')
      expect((await engine.rows(sql)).some(([x]) => Number.isNaN(Number(x)))).toBe(false)
    })

    it.each<[string, number, string]>([
      ['a column that may miss', 2, 'select stay as x from visits'],
      ['what is computed of it', 2, 'select stay + age as x from visits'],
      ['a case without an end', 1, 'select case when age > 55 then 1 end as x from visits'],
      ['a division by what may be zero', 2, 'select age / (age - 50) as x from visits'],
      ['a text that need not be a number', 0, 'select try_cast(patient_id as int) as x from visits'],
      ['a double as large as single precision or larger', 0, 'select (1 + age) * 1e300 as x from visits'],
      [
        'the other side of a left join',
        2,
        `${paid} select claims as x from visits left join paid on patient_id = insured_id`,
      ],
      [
        'the other side of a right join',
        2,
        `${paid} select claims as x from paid right join visits on patient_id = insured_id`,
      ],
      [
        'what was computed before an outer join',
        2,
        `with late as (select patient_id, age + 1 as later from visits where age < 55) select later as x
         from visits as v left join (select patient_id, max(later) as later from late group by patient_id) as l on v.patient_id = l.patient_id`,
      ],
    ])('are asked for where %s proves nothing', async (_name, rows, text) => {
      const sql = await sqlOf(text)
      expect(sql).toMatch(/TRY_CAST\(.* AS FLOAT\) IS NOT NULL/s)
      expect(await engine.rows(sql)).toHaveLength(rows)
    })
  })

  it('are refused of more kinds of units than can be told apart', async () => {
    const tree = await engine.parse('select days from stays')
    const owned = (count: number) =>
      exampleTables.map((table) =>
        table.name === 'stays'
          ? { ...table, owners: Array.from({ length: count }, (_, i) => `o${i}`) }
          : table,
      )
    expect(translateRowsKeptInside(tree, { tables: owned(30) }).sameUnits).toHaveLength(30)
    expect(() => translateRowsKeptInside(tree, { tables: owned(31) })).toThrow(
      expect.objectContaining({ code: 'QUERY_TOO_LARGE' }),
    )
  })

  it('tell that a unit has several', async () => {
    const rows = await rowsOf('select amount from claims')
    const { repeated } = generateRowsSql(rows, [{ name: 'amount', level: null }], all)
    expect(await engine.rows(repeated)).toEqual([[1]])
  })

  it('say whose they are, one class for each owner of one table', async () => {
    const { rows } = generateRowsSql(
      await rowsOf('select days from stays'),
      [{ name: 'days', level: null }],
      all,
    )
    expect((await engine.rows(`SELECT * FROM (${rows}) ORDER BY 1`)).map((row) => Number(row[2]))).toEqual([
      1, 2,
    ])
  })

  it('are held out by their unit alone, whatever else they hold', async () => {
    const heldOut = async (text: string, seed: string) => {
      const { rows } = generateRowsSql(await rowsOf(text), [], { ...all, split: { seed, part: 0.5 } })
      return (await engine.rows(rows)).map((row) => Number(row[0]))
    }
    const first = await heldOut('select age from visits', 's')
    expect(await heldOut('select stay, age + 1 as later from visits', 's')).toEqual(first)
    const seeds = await Promise.all(
      ['1', '2', '3', '4', '5'].map((seed) => heldOut('select age from visits', seed)),
    )
    expect(new Set(seeds.map(String)).size).toBeGreaterThan(1)
  })

  it.each<[string, string, QueryError['code']]>([
    ['a column without a use', 'select name from visits', 'COLUMN_NOT_ALLOWED'],
    [
      'a greatest value of many people',
      'select region, max(age) as oldest from visits group by region',
      'NESTED_NOT_UNDERSTOOD',
    ],
    [
      'groups that are nobody’s',
      'select region, avg(age) as age from visits group by region',
      'NESTED_NOT_UNDERSTOOD',
    ],
    ['an order', 'select age from visits order by age', 'NESTED_NOT_UNDERSTOOD'],
    ['a cut', 'select age from visits limit 2', 'LIMIT_NOT_ALLOWED'],
    ['no table', 'select 1 as one', 'NO_TABLE'],
  ])('are refused of %s', async (_name, text, code) => {
    await expect(rowsOf(text)).rejects.toMatchObject({ code })
  })

  it('have no column that the query does not give', async () => {
    const rows = await rowsOf('select age from visits')
    expect(() => generateRowsSql(rows, [{ name: 'stay', level: null }], all)).toThrow(
      expect.objectContaining({ code: 'COLUMN_UNKNOWN' }),
    )
  })
})
