import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ContractTerms, TrainTerms } from '#libs/contract'
import { startEngine, type Engine } from '#libs/engine'
import { checkModel, parseModel } from '#libs/model'
import { ComputationError } from './errors.js'
import { modelFileOf } from './model-file.js'
import { prepareTraining, releaseTraining, reviewTraining, type ReviewedTraining } from './training.js'
import { parseTrainingReport, type TrainingReading } from './training-report.js'

const column = { nullable: false, use: ['avg'] } as const
const datasets: ContractTerms['datasets'] = {
  patients: {
    ...{ kind: 'table', owners: ['north', 'south'], unit: 'id', pins: {} },
    minimums: { north: { minimumGroupSize: 10 } },
    columns: {
      id: { ...column, type: 'int', use: ['join'] },
      age: { ...column, type: 'int', min: 0, max: 120 },
      smoker: { ...column, type: 'string', nullable: true },
      seen: { ...column, type: 'date' },
      died: { ...column, type: 'bool' },
    },
  },
}
const terms: TrainTerms = {
  kind: 'train',
  algorithm: 'logistic-regression',
  query: 'select died, age, smoker, seen from patients',
  target: 'died',
  features: ['age', 'smoker'],
  preprocessing: { smoker: { oneHot: ['now', 'never'], scale: 'none' } },
  l2: '0.5',
  ...{ over: ['patients'], requesters: ['lab'], limit: 1, failures: 1, parameters: {} },
  outputs: {
    metrics: { recipients: ['lab'], controls: [{ minimumGroupSize: 5 }, { roundTo: { value: '0.1' } }] },
    coefficients: { recipients: ['lab'], controls: [{ minimumGroupSize: 12 }] },
  },
}

let engine: Engine
let tree: unknown
let reviewed: ReviewedTraining
beforeAll(async () => {
  engine = await startEngine({ limits: { threads: 1 } })
  tree = await engine.parse(terms.query)
  reviewed = reviewTraining(datasets, terms, tree)
})
afterAll(() => engine.close())

const fitted = (support: number[]) => ({
  ...{ heldBack: null, fill: 0, centre: 50, scale: 10 },
  ...{ coefficient: 1.25, standardError: 0.5, support },
})
const told = { part: 'train', low: null, high: null, rows: 90 } as const
const report = (): TrainingReading => ({
  ...{ status: 'trained', iterations: 5, intercept: -1, interceptStandardError: 0.1, support: [40, 50] },
  columns: [fitted([40, 50]), fitted([40, 12]), fitted([40, 11])],
  metrics: [{ ...told, metric: 'auc', value: 0.7777, support: [40, 50] }],
  ...{ confusion: [], calibration: [] },
})

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof ComputationError) return error.code
    throw error
  }
  return 'nothing'
}

describe('reviewTraining', () => {
  it('names the columns whose keys are needed, and the columns of numbers', () => {
    expect(reviewed.columns).toEqual({ patients: ['age', 'died', 'id', 'seen', 'smoker'] })
    expect(reviewed.terms.map(({ name, level }) => [name, level])).toEqual([
      ['age', null],
      ['smoker', 'now'],
      ['smoker', 'never'],
    ])
    expect(reviewed.complete).toEqual(['died', 'age'])
  })

  it.each<[string, Partial<TrainTerms>]>([
    ['a target that the query does not give', { target: 'dead' }],
    ['a target of numbers for a logistic regression', { target: 'age', features: ['smoker'] }],
    ['a target of truths for a linear regression', { algorithm: 'linear-regression' }],
    ['no target', { target: undefined }],
    ['a feature that the query does not give', { features: ['weight'] }],
    ['a text that is not named', { preprocessing: {} }],
    ['a date', { features: ['seen'] }],
    ['texts of a number', { preprocessing: { age: { oneHot: ['1'], scale: 'none' } } }],
  ])('refuses %s', (_name, change) => {
    expect(codeOf(() => reviewTraining(datasets, { ...terms, ...change }, tree))).toBe('TRAINING_INVALID')
  })

  it('refuses more columns than can be learned from, before any data is open', () => {
    const texts = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`)
    const review = (count: number) =>
      reviewTraining(
        datasets,
        { ...terms, preprocessing: { smoker: { oneHot: texts(count), scale: 'none' } } },
        tree,
      )
    expect(review(1999).terms).toHaveLength(2000)
    expect(codeOf(() => review(2000))).toBe('TRAINING_INVALID')
  })
})

describe('prepareTraining', () => {
  it('lets nothing be learned from fewer units than any output may show', () => {
    const { plan, outputs } = prepareTraining(datasets, reviewed, terms, {})
    expect(plan).toMatchObject({ l2: 0.5, unitClasses: 2, minimumUnits: 12 })
    // Columns of one text are known as such, so that those with none of its levels are counted.
    expect(plan.columns.map(({ text }) => text)).toEqual([null, 1, 1])
    expect(outputs.map(({ minimumGroupSize }) => minimumGroupSize)).toEqual([10, 12])
  })

  it('refuses an algorithm and a control that this build does not keep', () => {
    const kept: TrainTerms = {
      ...terms,
      outputs: { model: { recipients: [], controls: [{ keep: 'sealed' }] } },
    }
    const boosted: TrainTerms = { ...terms, algorithm: 'gradient-boosting' }
    expect(codeOf(() => prepareTraining(datasets, reviewed, kept, {}))).toBe('CONTROL_UNSUPPORTED')
    expect(codeOf(() => prepareTraining(datasets, reviewed, boosted, {}))).toBe('COMPUTATION_UNSUPPORTED')
  })
})

describe('releaseTraining', () => {
  const release = (name: string, from: TrainingReading) => {
    const output = prepareTraining(datasets, reviewed, terms, {}).outputs.find((one) => one.name === name)
    if (output === undefined) throw new RangeError(name)
    return releaseTraining(reviewed, output, from).table
  }

  it('leaves out what rests on too few units of one owner', () => {
    const { values } = release('coefficients', report())
    expect(values.slice(0, 3)).toEqual([
      ['(intercept)', 'age', 'smoker'],
      [null, null, 'now'],
      ['used', 'used', 'used'],
    ])
  })

  it('applies every control of the output', () => {
    expect(release('metrics', report()).values[2]).toEqual([0.8])
  })

  it('gives empty tables where there is no model', () => {
    const none = { ...report(), status: 'tooFewUnits', columns: [], metrics: [] } as const
    expect(release('coefficients', { ...none, columns: [], metrics: [] }).rows).toBe(0)
  })
})

describe('parseTrainingReport', () => {
  it.each<[string, (copy: Record<string, unknown>) => void]>([
    ['a text for a number', (copy) => (copy['intercept'] = 'secret')],
    ['no number', (copy) => (copy['intercept'] = null)],
    ['fewer columns', (copy) => (copy['columns'] = [])],
    ['columns of an untrained model', (copy) => (copy['status'] = 'tooFewUnits')],
    ['a field of its own', (copy) => (copy['rows'] = [1, 2, 3])],
    ['units that are negative', (copy) => (copy['support'] = [-1])],
    ['a state that nobody knows', (copy) => (copy['status'] = 'fine')],
  ])('refuses a report with %s', (_name, change) => {
    const copy: Record<string, unknown> = { ...report() }
    change(copy)
    expect(codeOf(() => parseTrainingReport(copy, 3))).toBe('RESULT_MALFORMED')
  })

  it('throws coded errors only', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(codeOf(() => parseTrainingReport(value, 1))).toBe('RESULT_MALFORMED')
      }),
    )
  })
})

describe('modelFileOf', () => {
  const fileOf = (from: TrainingReading, minimumUnits = 12) => {
    const bytes = modelFileOf(reviewed, terms as { algorithm: 'logistic-regression' }, from, minimumUnits)
    return bytes === null ? null : parseModel(bytes)
  }
  const numbersOf = (from: TrainingReading, name: string) => {
    const tensor = fileOf(from)?.graph.initializers.find((one) => one.name === name)
    return [...new Float32Array(Uint8Array.from(tensor?.bytes ?? []).buffer)]
  }

  it('gives the same bytes for the same numbers, and a model that an enclave would take', () => {
    const { plan } = prepareTraining(datasets, reviewed, terms, {})
    const bytes = modelFileOf(reviewed, plan, report(), 12)
    expect(modelFileOf(reviewed, plan, report(), 12)).toEqual(bytes)
    expect(checkModel(parseModel(bytes ?? new Uint8Array())).bytes).toEqual(bytes)
  })

  it('gives none where there is no model, or its intercept rests on too few units of one owner', () => {
    expect(fileOf({ ...report(), status: 'notConverged', columns: [] })).toBeNull()
    expect(fileOf({ ...report(), support: [40, 11] })).toBeNull()
    expect(fileOf({ ...report(), support: [] })).toBeNull()
  })

  it('holds nothing of a column that rests on too few units, whatever the child says of it', () => {
    const held = { ...fitted([40, 50]), heldBack: 'collinear' } as const
    const from = { ...report(), columns: [fitted([40, 50]), fitted([40, 11]), held] }
    expect(numbersOf(from, 'coefficients')).toEqual([1.25, 0, 0])
    expect(numbersOf(from, 'centre')).toEqual([50, 0, 0])
    expect(numbersOf(from, 'scale')).toEqual([10, 1, 1])
  })
})
