import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  appendBatch,
  emptyPart,
  train,
  workAlone,
  type TrainingPlan,
  type TrainingReport,
} from '#libs/training'

interface Opinion {
  readonly coefficients: readonly number[]
  readonly standardErrors: readonly number[]
  readonly metrics: Readonly<Record<string, number>>
  readonly aucInterval: readonly [number, number] | null
}

const folder = new URL('.', import.meta.url)
const registry = new URL('../../demo/data/nafld/registry.csv', folder)
const german = new URL('german.csv', folder)
const covariates = ['age', 'meno', 'size', 'grade', 'nodes', 'pgr', 'er', 'hormon']
const patient = ['age', 'male', 'weight', 'height', 'bmi']

const cases: readonly [string, URL, readonly string[], string, TrainingPlan['algorithm'], number][] = [
  ['recurrence', german, covariates, 'status', 'logistic-regression', 1],
  ['recurrence, hardly any penalty', german, covariates, 'status', 'logistic-regression', 1e-3],
  ['time to recurrence', german, covariates, 'rfstime', 'linear-regression', 10],
  ['death, with missing values', registry, patient, 'died', 'logistic-regression', 1],
  ['age', registry, ['male', 'died'], 'age', 'linear-regression', 1],
]

const recorded = JSON.parse(readFileSync(new URL('training.json', folder), 'utf8')) as Record<string, Opinion>

/** What scikit-learn says here and now; null where it is not installed. */
function askNow(): Record<string, Opinion> | null {
  try {
    const script = new URL('training.py', folder).pathname
    const said = execFileSync('/usr/bin/python3', [script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return JSON.parse(said) as Record<string, Opinion>
  } catch {
    return null
  }
}

const now = askNow()

function learn(
  file: URL,
  features: readonly string[],
  target: string,
  algorithm: TrainingPlan['algorithm'],
  l2: number,
): TrainingReport {
  const [head = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n')
  const names = head.trim().split(',')
  const rows = lines.map((line) => line.trim().split(',').map(numberOf))
  const column = (name: string) => Float32Array.from(rows, (row) => row[names.indexOf(name)] ?? NaN)
  const parts = { train: emptyPart(features.length), test: emptyPart(features.length) }
  appendBatch(parts, {
    rows: rows.length,
    columns: features.map(column),
    target: column(target),
    part: new Float32Array(rows.length),
    classes: new Int32Array(rows.length).fill(1),
  })
  const columns = features.map(() => ({ scale: true, impute: 'mean' as const, text: null }))
  return train({ algorithm, columns, l2, unitClasses: 1, minimumUnits: 5 }, parts, workAlone(features.length))
}

function numberOf(text: string): number {
  return text === '' ? NaN : text === 'true' ? 1 : text === 'false' ? 0 : Number(text)
}

/** Relative to the greatest of a list, since small coefficients stand beside large ones. Columns are in single precision. */
const tolerance = 2e-5

function expectClose(own: readonly number[], other: readonly number[]): void {
  expect(own).toHaveLength(other.length)
  const size = Math.max(...other.map(Math.abs))
  own.forEach((value, i) => {
    expect(Math.abs(value - (other[i] ?? NaN)) / size).toBeLessThan(tolerance)
  })
}

function expectAgreement(report: TrainingReport, opinion: Opinion): void {
  expect(report.status).toBe('trained')
  const { columns, intercept, interceptStandardError, metrics } = report
  expectClose([...columns.map(({ coefficient }) => coefficient), intercept], opinion.coefficients)
  expectClose(
    [...columns.map(({ standardError }) => standardError), interceptStandardError],
    opinion.standardErrors,
  )
  expect(metrics.map(({ metric }) => metric).sort()).toEqual(Object.keys(opinion.metrics).sort())
  for (const { metric, value, low, high } of metrics) {
    expectClose([value], [opinion.metrics[metric] ?? NaN])
    if (metric === 'auc') expectClose([low ?? NaN, high ?? NaN], opinion.aucInterval ?? [])
  }
}

describe('a training', () => {
  it.each(cases)('of %s agrees with what scikit-learn recorded', (name, ...how) => {
    expectAgreement(learn(...how), recorded[name]!)
  })

  it.skipIf(now === null).each(cases)('of %s agrees with scikit-learn here', (name, ...how) => {
    const opinion = now?.[name]
    if (opinion === undefined) throw new Error(`nothing was said of ${name}`)
    expectAgreement(learn(...how), opinion)
  })

  it.runIf(now === null)(
    `was not compared with scikit-learn here: ${cases.length} cases were not run`,
    () => {
      expect(Object.keys(recorded)).toEqual(cases.map(([name]) => name))
    },
  )
})
