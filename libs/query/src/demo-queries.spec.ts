/** The two queries of the demonstration, on its data, against results computed by hand in TypeScript. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { vectorsFolder } from '#libs/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { columnsRead } from './columns-read.js'
import type { Value } from './engine-fixture.node.js'
import { EngineFixture } from './engine-fixture.node.js'
import { generateSql } from './generate.js'
import type { QueryTable } from './table.js'
import { translateQuery } from './translate.js'

const folder = join(vectorsFolder, '../data/nafld')
const present = existsSync(join(folder, 'registry.csv'))
const k = 10

const key = { type: 'int', nullable: false, use: ['join'] } as const
const tables: readonly QueryTable[] = [
  {
    ...{ name: 'registry', owners: ['registry'], unit: 'id' },
    columns: {
      id: key,
      age: { type: 'int', nullable: false, min: 0, max: 120, use: ['dimension', 'filter'] },
      male: { type: 'bool', nullable: false, use: ['dimension'] },
      weight: { type: 'double', nullable: true, use: [] },
      bmi: { type: 'double', nullable: true, use: ['dimension', 'filter'] },
      died: { type: 'bool', nullable: false, use: ['avg'] },
    },
  },
  {
    ...{ name: 'labs', owners: ['laboratory'], unit: 'id' },
    columns: {
      id: key,
      days: { type: 'int', nullable: false, use: [] },
      test: { type: 'string', nullable: false, use: ['filter'] },
      value: { type: 'double', nullable: false, use: ['avg'] },
    },
  },
  {
    ...{ name: 'events', owners: ['insurer'], unit: 'id' },
    columns: {
      id: key,
      days: { type: 'int', nullable: false, use: [] },
      event: { type: 'string', nullable: false, use: ['filter'] },
    },
  },
]

const deathRate = `with e as (select id, bool_or(event = 'diabetes') as diabetes from events group by id),
  l as (select id, avg(value) as chol from labs where test = 'chol' group by id)
select case when bmi < 25 then 'under 25' when bmi < 30 then '25 to 30' else '30 and over' end as bmi_band, diabetes,
  count(*) as people, avg(died::int) as death_rate, avg(chol) as mean_chol
from registry join e using (id) join l using (id) where bmi is not null group by all order by 1, 2`

const meanByAge = `with l as (select id, avg(value) filter (where test = 'hdl') as hdl from labs group by id)
select case when age < 40 then 'under 40' when age < 60 then '40 to 59' else '60 and over' end as age_band, male, count(*) as people, avg(hdl) as mean_hdl
from registry join l using (id) where hdl is not null group by 1, 2 order by age_band desc, male`

interface Person {
  readonly id: number
  readonly age: number
  readonly male: boolean
  readonly bmi: number | null
  readonly died: boolean
}

describe.skipIf(!present)('the queries of the demonstration', () => {
  let engine: EngineFixture
  let people: Person[]
  let labs: Value[][]
  let events: Value[][]
  beforeAll(async () => {
    engine = await EngineFixture.start()
    await engine.run(
      `CREATE TABLE registry AS SELECT id, age, male, weight, bmi, died FROM read_csv('${folder}/registry.csv')`,
    )
    await engine.run(
      `CREATE TABLE labs AS SELECT CAST(id AS BIGINT) AS id, days, test, value FROM read_parquet('${folder}/labs.parquet')`,
    )
    await engine.run(`CREATE TABLE events AS SELECT * FROM read_csv('${folder}/events.csv')`)
    people = (await engine.rows('SELECT id, age, male, CAST(bmi AS DOUBLE), died FROM registry')).map(
      ([id, age, male, bmi, died]) => ({
        ...{
          id: Number(id),
          age: Number(age),
          male: male === true,
          bmi: bmi === null ? null : Number(bmi),
          died: died === true,
        },
      }),
    )
    labs = await engine.rows('SELECT id, test, value FROM labs')
    events = await engine.rows('SELECT id, event FROM events')
  })

  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const meansPerId = (test: string): Map<number, number> => {
    const values = new Map<number, number[]>()
    for (const [id, name, value] of labs)
      if (name === test) values.set(Number(id), [...(values.get(Number(id)) ?? []), Number(value)])
    return new Map([...values].map(([id, list]) => [id, mean(list)]))
  }

  async function run(text: string): Promise<Value[][]> {
    const query = translateQuery(await engine.parse(text), { tables })
    const { sql, outputs } = generateSql(query, { minimumGroupSize: k })
    return (await engine.rows(sql)).map((row) => row.slice(0, outputs.length))
  }

  it('gives the death rate by BMI band and diabetes', async () => {
    const diabetes = new Map<number, boolean>()
    for (const [id, event] of events)
      diabetes.set(Number(id), diabetes.get(Number(id)) === true || event === 'diabetes')
    const chol = meansPerId('chol')
    const groups = new Map<string, { died: number[]; chol: number[]; ids: Set<number> }>()
    for (const { id, bmi, died } of people) {
      const [ill, level] = [diabetes.get(id), chol.get(id)]
      if (bmi === null || ill === undefined || level === undefined) continue
      const name = JSON.stringify([bmi < 25 ? 'under 25' : bmi < 30 ? '25 to 30' : '30 and over', ill])
      const group = groups.get(name) ?? { died: [], chol: [], ids: new Set() }
      group.died.push(died ? 1 : 0)
      group.chol.push(level)
      group.ids.add(id)
      groups.set(name, group)
    }
    const expected = [...groups]
      .filter(([, { ids }]) => ids.size >= k)
      .map(([name, group]) => [
        ...(JSON.parse(name) as Value[]),
        group.died.length,
        mean(group.died),
        mean(group.chol),
      ])
    expectRows(
      await run(deathRate),
      expected.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    )
    expect(expected).toHaveLength(6)
  })

  it('gives the mean HDL by age band', async () => {
    const hdl = meansPerId('hdl')
    const groups = new Map<string, number[]>()
    for (const { id, age, male } of people) {
      const level = hdl.get(id)
      if (level === undefined) continue
      const name = JSON.stringify([age < 40 ? 'under 40' : age < 60 ? '40 to 59' : '60 and over', male])
      groups.set(name, [...(groups.get(name) ?? []), level])
    }
    const rows = [...groups]
      .filter(([, levels]) => levels.length >= k)
      .map(([name, levels]) => [...(JSON.parse(name) as [string, boolean]), levels.length, mean(levels)])
    const order = ['under 40', '60 and over', '40 to 59']
    expectRows(
      await run(meanByAge),
      rows.sort(
        (a, b) => order.indexOf(String(a[0])) - order.indexOf(String(b[0])) || Number(a[1]) - Number(b[1]),
      ),
    )
  })

  it('reads the columns that it needs and no other', async () => {
    const query = translateQuery(await engine.parse(deathRate), { tables })
    expect(columnsRead(query)).toEqual({
      registry: ['bmi', 'died', 'id'],
      events: ['event', 'id'],
      labs: ['id', 'test', 'value'],
    })
    expect(query.sameUnits).toHaveLength(1)
  })
})

it.skipIf(present)(`does not run the queries of the demonstration: ${folder} is not there`, () => undefined)

function expectRows(rows: readonly (readonly Value[])[], expected: readonly (readonly Value[])[]): void {
  expect(rows).toHaveLength(expected.length)
  rows.forEach((row, at) => {
    row.forEach((value, column) => {
      const other = expected[at]?.[column]
      if (typeof value === 'number') expect(value).toBeCloseTo(Number(other), 8)
      else expect(value).toBe(other)
    })
  })
}
