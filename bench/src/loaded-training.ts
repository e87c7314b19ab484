/** A training of data that is loaded already: from the request to the engine's child to its report, with no run around it. */
import { readFile } from 'node:fs/promises'
import { withEngine, type ColumnRules, type Engine } from '#libs/engine'
import { generateRowsSql, translateRowsKeptInside, type QueryColumn } from '#libs/query'
import type { TrainingPlan, TrainingReport } from '#libs/training'

/** What is trained: a Parquet file whose first two columns are `id`, the unit, and `outcome`. */
export interface Cases {
  readonly file: string
  readonly features: readonly string[]
}

const target = 'outcome'

/**
 * The milliseconds of the quickest of several trainings, each in a fresh child, and the loss of the last. The query is the contract's, through
 * the same review and generator.
 */
export async function timeLoadedTraining(cases: Cases, rounds: number) {
  let [milliseconds, loss] = [Number.POSITIVE_INFINITY, Number.NaN]
  for (let round = 0; round < rounds; round++) {
    const trained = await withEngine({ inputs: 1 }, (engine) => trainLoaded(engine, cases))
    milliseconds = Math.min(milliseconds, trained.milliseconds)
    loss = trained.loss
  }
  return { milliseconds, loss }
}

async function trainLoaded(engine: Engine, { file, features }: Cases) {
  const query = `select ${target}, ${features.join(', ')} from cases`
  const tables = [{ name: 'cases', owners: ['owner'], unit: 'id', columns: queryColumns(features) }]
  const rows = translateRowsKeptInside(await engine.parse(query), { tables })
  const columns = [...features, target].map((name) => ({ name, level: null }))
  const sql = generateRowsSql(rows, columns, { complete: [...features, target], split: null, parameters: {} })
  const [input] = engine.inputs
  if (input === undefined) throw new Error('the engine has no input')
  await input.write(await readFile(file), 0)
  const segments = [{ fd: input.fd, columns: ['id', target, ...features] }]
  const parts = [{ owner: 'owner', segments }]
  await engine.load([{ name: 'cases', unit: 'id', columns: rules(features), parts }])
  await engine.lock()
  const plan: TrainingPlan = {
    ...{ algorithm: 'logistic-regression', l2: 1, minimumUnits: 10, unitClasses: rows.sameUnits.length },
    columns: features.map(() => ({ scale: true, impute: null, text: null })),
  }
  const begun = performance.now()
  const report = (await engine.train(sql, plan, {
    maxRows: 10_000_000,
    timeoutMilliseconds: 120_000,
  })) as TrainingReport
  const milliseconds = performance.now() - begun
  if (report.status !== 'trained') throw new Error(`the training ended ${report.status}`)
  return {
    milliseconds,
    loss: report.metrics.find(({ metric }) => metric === 'logLoss')?.value ?? Number.NaN,
  }
}

function queryColumns(features: readonly string[]): Readonly<Record<string, QueryColumn>> {
  const feature = { type: 'double', nullable: false, min: -1, max: 1, use: ['avg'] } as const
  return {
    id: { type: 'int', nullable: false, use: ['join'] },
    [target]: { type: 'bool', nullable: false, use: ['avg'] },
    ...Object.fromEntries(features.map((name) => [name, feature])),
  }
}

function rules(features: readonly string[]): ColumnRules {
  const feature = { type: 'double', min: -1, max: 1 } as const
  return {
    id: { type: 'int' },
    [target]: { type: 'bool' },
    ...Object.fromEntries(features.map((name) => [name, feature])),
  }
}
