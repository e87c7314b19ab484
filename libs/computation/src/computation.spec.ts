/** A reviewed query from the terms of a contract to what leaves, on a real engine. */
import { DuckDBInstance } from '@duckdb/node-api'
import type { ContractTerms } from '#libs/contract'
import { serializeStatement } from '#libs/query'
import type { ColumnType } from '#libs/query'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PreparedOutput } from './computation.js'
import { prepareOutput, releaseOutput, reviewComputation } from './computation.js'
import { parseParameters } from './parameters.js'
import type { ParameterDeclarations } from './parameters.js'
import type { Cell, ResultTable } from './result-table.js'
import { decodeResultTable, encodeResultTable } from './result-table.js'

const shared = { pins: {} }
const datasets: ContractTerms['datasets'] = {
  stays: {
    ...{ kind: 'table', owners: ['north', 'south'], unit: 'person', ...shared },
    minimums: { north: { minimumGroupSize: 3 }, south: { minimumGroupSize: 4 } },
    columns: {
      person: { type: 'string', nullable: false, use: ['join'] },
      ward: { type: 'string', nullable: false, use: ['dimension'] },
      days: { type: 'int', nullable: false, min: 0, max: 365, use: ['avg'] },
      cost: { type: 'double', nullable: false, min: '0', max: '100000.5', use: ['avg'] },
      notes: { type: 'string', nullable: true, use: [] },
    },
  },
}
const parameters: ParameterDeclarations = { least: { type: 'int', min: 0, max: 100 } }
const text =
  'select ward, count(*) as n, avg(cost) as mean_cost, avg(days) as mean_days from stays where days >= $least group by ward order by ward'

let run: (sql: string) => Promise<ResultTable>
let parse: (query: string) => Promise<unknown>

beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  parse = async (query) => {
    const statement = await connection.prepare(serializeStatement)
    statement.bindVarchar(1, query)
    return JSON.parse(String((await statement.runAndReadAll()).getRows()[0]?.[0])) as unknown
  }
  run = async (sql) => {
    const reader = await connection.runAndReadAll(sql)
    const types: Readonly<Record<string, ColumnType>> = { VARCHAR: 'string', BIGINT: 'int', DOUBLE: 'double' }
    const columns = reader
      .columnNames()
      .map((name, at) => ({ name, type: types[String(reader.columnTypes()[at])] ?? 'bool' }))
    const cells = reader.getColumnsJson()
    // Without rows the reader gives no columns.
    const values = columns.map(({ type }, at) =>
      (cells[at] ?? []).map((cell): Cell =>
        type === 'string' || cell === null ? (cell as Cell) : Number(cell),
      ),
    )
    return { columns, rows: reader.currentRowCount, values }
  }
  await connection.run(
    'CREATE TABLE stays (person VARCHAR, ward VARCHAR, days BIGINT, cost DOUBLE, notes VARCHAR, __owner VARCHAR)',
  )
  const rows = ['a', 'b', 'c'].flatMap((ward, at) =>
    Array.from(
      { length: 10 + at },
      (_, n) => `('p${n}', '${ward}', ${n}, ${n * 1.126}, 'secret', '${n < 6 - at ? 'north' : 'south'}')`,
    ),
  )
  await connection.run(`INSERT INTO stays VALUES ${rows.join(', ')}`)
})

async function prepare(
  controls: ContractTerms['computations'][string]['outputs'][string]['controls'],
  least: number,
): Promise<PreparedOutput> {
  const reviewed = reviewComputation(datasets, { parameters, over: ['stays'] }, await parse(text))
  return prepareOutput(datasets, reviewed, { controls }, parseParameters(parameters, { least }))
}

describe('a reviewed computation', () => {
  it('reads only what its query needs', async () => {
    const reviewed = reviewComputation(datasets, { parameters, over: ['stays'] }, await parse(text))
    expect(reviewed.reads).toEqual(['stays'])
    expect(reviewed.columns).toEqual({ stays: ['cost', 'days', 'person', 'ward'] })
  })

  it('lets out the groups that every owner has enough people in, rounded, without the counts', async () => {
    const prepared = await prepare([{ minimumGroupSize: 2 }, { roundTo: { mean_cost: '0.05' } }], 0)
    expect(prepared.minimumGroupSize).toBe(4)
    const { table, effects } = releaseOutput(prepared, await run(prepared.sql))
    // Ward a has 6 and 4 people of the two owners, b 5 and 6, c 4 and 8.
    expect(table).toEqual({
      columns: prepared.outputs,
      rows: 3,
      values: [
        ['a', 'b', 'c'],
        [10, 11, 12],
        [5.05, 5.65, 6.2],
        [4.5, 5, 5.5],
      ],
    })
    expect(effects.map(({ control }) => control)).toEqual(['minimumGroupSize', 'roundTo'])
    expect(decodeResultTable(encodeResultTable(table))).toEqual(table)
  })

  it('leaves out a group in which one owner has too few, and a run with a narrow parameter gives nothing', async () => {
    const some = await prepare([{ minimumGroupSize: 5 }], 0)
    expect(releaseOutput(some, await run(some.sql)).table.values[0]).toEqual(['b'])
    const none = await prepare([{ minimumGroupSize: 2 }], 9)
    expect(releaseOutput(none, await run(none.sql)).table.rows).toBe(0)
  })

  it('holds owners’ minimums where the output’s own controls name no group size', async () => {
    const prepared = await prepare([{ maxRows: 10 }], 0)
    expect(prepared.minimumGroupSize).toBe(4)
    expect(prepared.controls.map(({ name }) => name)).toEqual(['minimumGroupSize', 'maxRows'])
  })

  it('refuses what was made for a smaller group size', async () => {
    const [weak, strong] = [
      await prepare([{ minimumGroupSize: 2 }], 0),
      await prepare([{ minimumGroupSize: 6 }], 0),
    ]
    const table = await run(weak.sql.replaceAll('>= 4', '>= 1'))
    expect(() => releaseOutput({ ...strong, sql: weak.sql }, table)).toThrow(
      expect.objectContaining({ code: 'GROUP_TOO_SMALL' }),
    )
  })

  it('refuses a column without a use, an output with rowsOf and an unknown dataset', async () => {
    const tree = await parse('select count(notes) as n from stays')
    expect(() => reviewComputation(datasets, { parameters, over: ['stays'] }, tree)).toThrow(
      expect.objectContaining({ code: 'COLUMN_NOT_ALLOWED' }),
    )
    expect(() => reviewComputation(datasets, { parameters, over: ['claims'] }, tree)).toThrow(
      expect.objectContaining({ code: 'DATASET_UNKNOWN' }),
    )
    const reviewed = reviewComputation(datasets, { parameters, over: ['stays'] }, await parse(text))
    const given = parseParameters(parameters, { least: 1 })
    expect(() =>
      prepareOutput(datasets, reviewed, { controls: [{ minimumGroupSize: 5 }], rowsOf: 'north' }, given),
    ).toThrow(expect.objectContaining({ code: 'CONTROL_UNSUPPORTED' }))
    expect(() => prepareOutput(datasets, reviewed, { controls: [{ minimumGroupSize: 5 }] }, {})).toThrow(
      expect.objectContaining({ code: 'PARAMETER_TYPE' }),
    )
    expect(() =>
      prepareOutput(
        datasets,
        reviewed,
        { controls: [{ minimumGroupSize: 5 }] },
        { least: { type: 'int', value: 101 } },
      ),
    ).toThrow(expect.objectContaining({ code: 'PARAMETER_TYPE' }))
  })
})
