import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrainingPlan, TrainingReport } from '#libs/training'
import { startWriter, tableOf, warmEngine } from './engine-for-test.node.js'
import type { Engine } from './engine.node.js'
import { detectSandbox, type SandboxMode } from './sandbox.node.js'
import type { ColumnRules } from './tables.js'

const rows = 5000
const rules: ColumnRules = { id: { type: 'int' }, outcome: { type: 'bool' }, x: { type: 'double' } }
const sql = {
  rows: `SELECT CAST(x AS FLOAT) AS f0, CAST(outcome AS FLOAT) AS f1, CAST(id % 4 = 0 AS FLOAT) AS part, CAST(1 AS INTEGER) AS classes FROM cases`,
  repeated: 'SELECT CAST(count(id) - count(DISTINCT id) AS BIGINT) AS repeated FROM cases',
}
const plan: TrainingPlan = {
  ...{ algorithm: 'logistic-regression', l2: 1, unitClasses: 1, minimumUnits: 10 },
  columns: [{ scale: true, impute: null, text: null }],
}
const caps = { maxRows: rows, timeoutMilliseconds: 30_000 }

let bytes: Uint8Array
beforeAll(async () => {
  const writer = await startWriter()
  const ids = Array.from({ length: rows }, (_, i) => i)
  const x = ids.map((i) => Math.sin(i * i))
  const outcome = ids.map((i) => Math.sin(i * i) + Math.cos(3 * i) > 0.2)
  bytes = await writer.write(tableOf(rules, { id: ids, outcome, x }))
  await writer.close()
})

describe('a training in a child', () => {
  const engines: Engine[] = []
  afterAll(async () => {
    for (const engine of engines) await engine.close()
  })

  async function trainIn(mode: SandboxMode, taken = sql, most = caps): Promise<TrainingReport> {
    const parts = [{ owner: 'north', segments: [{ bytes, columns: Object.keys(rules) }] }]
    const { engine, tables } = await warmEngine([{ name: 'cases', columns: rules, unit: 'id', parts }], {
      mode,
    })
    engines.push(engine)
    await engine.load(tables)
    await engine.lock()
    return (await engine.train(taken, plan, most)) as TrainingReport
  }

  it('learns without bubblewrap too, where Node allows little, and the same to the bit', async ({ skip }) => {
    const plain = await trainIn('process')
    expect(plain.status).toBe('trained')
    expect(plain.columns[0]?.coefficient).toBeGreaterThan(1)
    const finding = await detectSandbox()
    if (finding.mode !== 'bubblewrap') skip(`1 case not run: ${finding.explanation}`)
    expect(await trainIn('bubblewrap')).toEqual(plain)
  })

  it.each([
    ['more rows than allowed', sql, { ...caps, maxRows: rows - 1 }, 'RESULT_TOO_LARGE'],
    [
      'a column too few',
      { ...sql, rows: sql.rows.replace(', CAST(1 AS INTEGER) AS classes', '') },
      caps,
      'REQUEST_INVALID',
    ],
    [
      'a column in double precision',
      { ...sql, rows: sql.rows.replace('x AS FLOAT', 'x AS DOUBLE') },
      caps,
      'REQUEST_INVALID',
    ],
  ])('is refused of %s', async (_name, taken, most, code) => {
    await expect(trainIn('process', taken, most)).rejects.toMatchObject({ code })
  })

  it('tells of units with several rows nothing but that', async () => {
    const repeated = sql.repeated.replace('count(DISTINCT id)', 'count(DISTINCT id // 2)')
    expect(await trainIn('process', { ...sql, repeated })).toMatchObject({
      status: 'repeatedUnits',
      columns: [],
    })
  })
})
