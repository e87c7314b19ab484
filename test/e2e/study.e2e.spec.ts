import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../demo/src/answers.js'
import type { ShownTable } from '../../demo/src/narrator.js'
import { files, placeFiles, sealAll } from '../../demo/src/story/share.js'
import { Collaboration } from './collaboration.js'
import { deathRates, fibrosisByAge, knownToAll, readRows, type OracleRow, type Rows } from './study-oracle.js'

const minimum = 10
let study: Collaboration
let begun: Collaboration | null = null
let rows: Rows

beforeAll(async () => {
  study = begun = await Collaboration.begin()
}, 240_000)

afterAll(async () => {
  await begun?.end()
})

/** Columns that make the group, columns of means with the grain that they are rounded to. */
const shapes = {
  deaths: {
    groups: ['bmi_band', 'diabetes'],
    means: [
      ['death_rate', 0.001],
      ['mean_hdl', 0.01],
    ],
  },
  fibrosis: {
    groups: ['age_band'],
    means: [
      ['mean_fib4', 0.01],
      ['mean_diagnoses', 0.1],
    ],
  },
} as const

function expectOracle(
  table: ShownTable,
  oracle: readonly OracleRow[],
  shape: (typeof shapes)[keyof typeof shapes],
): void {
  const column = (name: string) => table.values[table.columns.findIndex((one) => one.name === name)] ?? []
  const expected = oracle.filter(({ people }) => people >= minimum)
  const groups = Array.from({ length: table.rows }, (_, row) =>
    shape.groups.map((name) => String(column(name)[row])).join('|'),
  )
  expect(groups).toEqual(expected.map(({ group }) => group))
  expect(column('people')).toEqual(expected.map(({ people }) => people))
  shape.means.forEach(([name, grain], at) => {
    column(name).forEach((value, row) => {
      const got = Number(value)
      expect(Math.abs(got - (expected[row]?.means[at] ?? NaN))).toBeLessThanOrEqual(grain / 2 + 1e-9)
      expect(Math.abs(got / grain - Math.round(got / grain))).toBeLessThan(1e-6)
    })
  })
}

async function fibrosis(from: number): Promise<string> {
  const asked = await study.ask('institute', 'fibrosis_by_age', '--param', `from_age=${from}`)
  const run = text(asked.answer['run'])
  const [state] = await Promise.all([
    study.endOf(run, 120_000),
    study.stack.party('registry').must('approve', run),
  ])
  expect(state).toBe('completed')
  return run
}

async function place(fast: boolean): Promise<void> {
  const { stack } = study
  await placeFiles(stack, fast)
  rows = await readRows(
    stack.party('registry').file(files.registry.file),
    stack.party('laboratory').file(files.laboratory.file),
    stack.party('insurer').file(files.insurer.file),
  )
}

describe('the study over every twentieth patient', () => {
  beforeAll(async () => {
    await place(true)
    await sealAll(study.tell, study.stack, study.contract)
    expect(study.tell.unexpected).toBe(0)
  }, 240_000)

  it('gives the death rates that a loop over the rows gives, without the groups that are too small', async () => {
    const oracle = deathRates(rows)
    const { run, state } = await study.run('death_rate_by_weight')
    expect(state).toBe('completed')
    expectOracle(await study.result('institute', run), oracle, shapes.deaths)
  })

  it('gives both recipients the same fibrosis scores, and some age bands of the oracle are too small to leave', async () => {
    const oracle = fibrosisByAge(rows, 18)
    expect(oracle.some(({ people }) => people < minimum)).toBe(true)
    const run = await fibrosis(18)
    const table = await study.result('institute', run)
    expectOracle(table, oracle, shapes.fibrosis)
    expect(await study.result('registry', run)).toMatchObject({ rows: table.rows, values: table.values })
  })

  it('applies the requester’s parameter', async () => {
    expectOracle(
      await study.result('institute', await fibrosis(60)),
      fibrosisByAge(rows, 60),
      shapes.fibrosis,
    )
  })
})

describe('the study over all patients', () => {
  beforeAll(async () => {
    await place(false)
    await Promise.all(
      Object.entries(files).map(async ([owner, { dataset, file }]) => {
        if (owner === 'laboratory') return
        const party = study.stack.party(owner)
        await party.must(
          'dataset',
          'seal',
          party.file(file),
          '--contract',
          study.contract,
          '--dataset',
          dataset,
          '--replace',
        )
      }),
    )
  }, 240_000)

  it('gives what the oracle gives, from the new versions', async () => {
    const { run, state } = await study.run('death_rate_by_weight')
    expect(state).toBe('completed')
    expectOracle(await study.result('institute', run), deathRates(rows), shapes.deaths)
    expectOracle(
      await study.result('institute', await fibrosis(18)),
      fibrosisByAge(rows, 18),
      shapes.fibrosis,
    )
  })

  it('trains on everybody whom all owners know; who gets measures only gets nothing else of the model', async () => {
    const { run, state } = await study.run('death_risk')
    expect(state).toBe('completed')
    const all = await study.outputs('institute', run)
    expect(all.map(({ output }) => output).sort()).toEqual(['coefficients', 'metrics', 'model'])
    const metrics = all.find(({ output }) => output === 'metrics')
    const column = (name: string) =>
      metrics?.values[metrics.columns.findIndex((one) => one.name === name)] ?? []
    const aucs = column('metric').flatMap((metric, row) => (metric === 'auc' ? [row] : []))
    expect(aucs.map((row) => column('part')[row])).toEqual(['train', 'test'])
    const units = aucs.map((row) => Number(column('units')[row]))
    expect(units.reduce((sum, count) => sum + count, 0)).toBe(knownToAll(rows))
    for (const row of aucs) expect(Number(column('value')[row])).toBeGreaterThan(0.6)
    const registrys = await study.outputs('registry', run)
    expect(registrys.map(({ output }) => output)).toEqual(['metrics'])
    expect(registrys[0]?.values).toEqual(metrics?.values)
    const folder = study.resultFolder('registry', run)
    expect((await readdir(folder)).sort()).toEqual([
      'metrics.card.json',
      'metrics.csv',
      'metrics.parquet',
      'receipt.json',
    ])
    const card = JSON.parse(await readFile(join(folder, 'metrics.card.json'), 'utf8')) as object
    expect(card).toMatchObject({ algorithm: 'logistic-regression', simulated: true, status: 'trained' })
    expect(Object.values(card).filter((value) => typeof value === 'number')).toEqual([])
    await study.stack
      .party('institute')
      .must('model', 'check', join(study.resultFolder('institute', run), 'model.onnx'))
  })

  it('leaves receipts that an auditor verifies from its own view of the log', async () => {
    const audited = await study.stack
      .party('regulator')
      .must('audit', 'receipts', '--contract', study.contract)
    expect(audited['ok']).toBe(true)
    const runs = audited['runs'] as readonly { verdict: string }[]
    expect(runs.map(({ verdict }) => verdict)).not.toContain('no receipt')
    expect(runs.length).toBe(6)
  })
})
