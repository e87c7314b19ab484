import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { areaUnderCurve } from './area-under-curve.js'
import { appendBatch, blockRows, emptyPart, type Part } from './blocks.js'
import { workAlone } from './crew.js'
import { evaluate, type Problem } from './evaluate.js'
import { fit } from './fit.js'
import type { TrainingPlan, TrainingReport } from './plan.js'
import { train } from './train.js'

/** A generator with a fixed seed: numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

interface Rows {
  readonly columns: readonly (readonly number[])[]
  readonly target: readonly number[]
  readonly part?: readonly number[]
  readonly classes?: readonly number[]
}

function partsOf({ columns, target, part, classes }: Rows): { train: Part; test: Part } {
  const parts = { train: emptyPart(columns.length), test: emptyPart(columns.length) }
  appendBatch(parts, {
    ...{ rows: target.length, columns, target },
    part: part ?? target.map(() => 0),
    classes: classes ?? target.map(() => 1),
  })
  return parts
}

function made(rows: number, width: number, seed = 7): Rows {
  const next = numbers(seed)
  const columns = Array.from({ length: width }, () => Array.from({ length: rows }, () => 2 * next() - 1))
  const target = Array.from({ length: rows }, (_, i) => {
    const predictor = columns.reduce((sum, column, j) => sum + (column[i] ?? 0) * (j + 1), -0.5)
    return next() < 1 / (1 + Math.exp(-predictor)) ? 1 : 0
  })
  return { columns, target }
}

const plan = (width: number, changed: Partial<TrainingPlan> = {}): TrainingPlan => ({
  algorithm: 'logistic-regression',
  columns: Array.from({ length: width }, () => ({ scale: true, impute: 'mean', text: null })),
  ...{ l2: 1, unitClasses: 1, minimumUnits: 5 },
  ...changed,
})

const learn = (rows: Rows, changed: Partial<TrainingPlan> = {}): TrainingReport =>
  train(plan(rows.columns.length, changed), partsOf(rows), workAlone(rows.columns.length))

describe('evaluate', () => {
  it.each(['logistic-regression', 'linear-regression'] as const)(
    'gives a gradient and a curvature of %s that finite differences confirm',
    (algorithm) => {
      const problem: Problem = { algorithm, active: [0, 2], l2: 0.7 }
      const { blocks } = partsOf(made(300, 3)).train
      const at = Float64Array.of(0.3, -0.4, 0.1)
      const here = evaluate(workAlone(3), blocks, problem, at, true, 1)
      for (let j = 0; j < at.length; j++) {
        const shifted = (by: number) =>
          evaluate(workAlone(3), blocks, problem, at.with(j, (at[j] ?? 0) + by), false, 1)
        const [low, high] = [shifted(-1e-5), shifted(1e-5)]
        expect((high.loss - low.loss) / 2e-5).toBeCloseTo(here.gradient[j] ?? NaN, 5)
        for (let k = 0; k < at.length; k++)
          expect(((high.gradient[k] ?? 0) - (low.gradient[k] ?? 0)) / 2e-5).toBeCloseTo(
            here.curvature?.[j * at.length + k] ?? NaN,
            4,
          )
      }
    },
  )
})

describe('fit', () => {
  it('finds by way of a sample what it finds without', () => {
    const { blocks } = partsOf(made(80 * blockRows, 3)).train
    const problem: Problem = { algorithm: 'logistic-regression', active: [0, 1, 2], l2: 1 }
    const { gradient } = evaluate(
      workAlone(3),
      blocks,
      problem,
      fit(workAlone(3), blocks, problem).coefficients,
      false,
      1,
    )
    // Where the loss is least its gradient is nothing, up to the rounding of so many rows.
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6)
  })

  it('finds a straight line', () => {
    const x = Array.from({ length: 50 }, (_, i) => i / 10)
    const report = learn(
      { columns: [x], target: x.map((value) => 3 * value + 2) },
      { algorithm: 'linear-regression', l2: 0, columns: [{ scale: false, impute: null, text: null }] },
    )
    expect(report.columns[0]?.coefficient).toBeCloseTo(3, 5)
    expect(report.intercept).toBeCloseTo(2, 5)
    expect(report.metrics.find(({ metric }) => metric === 'r2')?.value).toBeCloseTo(1, 9)
  })
})

describe('train', () => {
  const base = made(400, 2)
  const zeros = base.target.map(() => 0)

  it.each<[string, Rows, TrainingReport['status']]>([
    ['one class only', { ...base, target: zeros }, 'tooFewUnits'],
    [
      'fewer than the minimum of one class',
      { ...base, target: zeros.map((_, i) => (i < 4 ? 1 : 0)) },
      'tooFewUnits',
    ],
    ['constant columns only', { ...base, columns: [zeros, zeros.map(() => 3)] }, 'noFeatures'],
    ['columns without a value', { ...base, columns: [zeros.map(() => NaN)] }, 'noFeatures'],
    ['no rows', { columns: [[], []], target: [] }, 'tooFewUnits'],
    ['a class of units that no row has', { ...base, classes: zeros }, 'tooFewUnits'],
  ])('gives no model of %s', (_name, rows, status) => {
    const report = learn(rows)
    expect(report).toMatchObject({ status, columns: [], metrics: [], confusion: [], calibration: [] })
  })

  it('says so where a boundary without error has no least loss', () => {
    const x = base.target.map((value) => value * 2 - 1)
    expect(learn({ columns: [x], target: base.target }, { l2: 0 }).status).toBe('notConverged')
  })

  it('leaves a column out that others give, where nothing else would choose between them', () => {
    const [first = []] = base.columns
    const report = learn({ ...base, columns: [first, first.map((value) => 2 * value + 1)] }, { l2: 0 })
    expect(report.columns.map(({ heldBack }) => heldBack)).toEqual([null, 'collinear'])
  })

  it('leaves a property out that too few units have or lack, of any owner', () => {
    const few = zeros.map((_, i) => (i < 4 ? 1 : 0))
    const classes = zeros.map((_, i) => (i % 2 === 0 ? 1 : 2))
    const ofOneOwner = zeros.map((_, i) => (i % 2 === 0 && i < 200 ? 1 : 0))
    const rows = {
      ...base,
      columns: [...base.columns, few, few.map((value) => 1 - value), ofOneOwner],
      classes,
    }
    const report = learn(rows, { unitClasses: 2 })
    expect(report.columns.map(({ heldBack }) => heldBack)).toEqual([
      ...[null, null],
      ...['tooFewUnits', 'tooFewUnits', 'tooFewUnits'],
    ])
    expect(report.columns[2]).toMatchObject({ coefficient: 0, standardError: 0, centre: 0, fill: 0 })
  })

  it('learns preparation and coefficients from the training rows alone', () => {
    const part = base.target.map((_, i) => (i % 4 === 0 ? 1 : 0))
    const only = (values: readonly number[]) => values.filter((_, i) => part[i] === 0)
    const whole = learn({ ...base, part })
    const alone = learn({ columns: base.columns.map(only), target: only(base.target) })
    expect(whole.columns).toEqual(alone.columns)
    expect(new Set(whole.metrics.map((metric) => metric.part))).toEqual(new Set(['train', 'test']))
  })

  it('fills a missing number as it was told', () => {
    const [first = [], second = []] = base.columns
    const holes = first.map((value, i) => (i % 9 === 0 ? NaN : value))
    const known = holes.filter((value) => !Number.isNaN(value))
    const report = learn(
      { ...base, columns: [holes, second] },
      {
        columns: [
          { scale: true, impute: 'mean', text: null },
          { scale: true, impute: 0.25, text: null },
        ],
      },
    )
    expect(report.columns[0]?.fill).toBeCloseTo(known.reduce((a, b) => a + b, 0) / known.length, 5)
    expect(report.columns[1]?.fill).toBe(0.25)
  })

  it('lets no small cell of the confusion follow from the others', () => {
    const { confusion } = learn(base)
    expect(confusion.reduce((sum, { count }) => sum + count, 0)).toBe(400)
    const least = Math.min(...confusion.map(({ count }) => count))
    expect(confusion.map(({ support }) => support)).toEqual(Array(4).fill([least]))
    expect(learn(base, { minimumUnits: least + 1 }).confusion).toEqual([])
  })

  it('lets nobody follow from confusion and calibration together', () => {
    const sides = (bins: TrainingReport['calibration'], actual: boolean) => {
      const outcomes = ({ rows, observed }: (typeof bins)[number]) =>
        Math.round(rows * (actual ? observed : 1 - observed))
      const sum = (some: typeof bins) => some.reduce((total, bin) => total + outcomes(bin), 0)
      return [sum(bins.filter(({ until }) => until <= 0.5)), sum(bins.filter(({ from }) => from >= 0.5))]
    }
    let told = 0
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 40 }), fc.nat(1000), (minimumUnits, seed) => {
        const { confusion, calibration } = learn(made(300, 2, seed), { minimumUnits })
        if (confusion.length === 0) return
        told++
        for (const actual of [false, true])
          expect(sides(calibration, actual)).toEqual(
            [false, true].map(
              (predicted) =>
                confusion.find((cell) => cell.actual === actual && cell.predicted === predicted)?.count,
            ),
          )
      }),
      { numRuns: 30, seed: 1 },
    )
    expect(told).toBeGreaterThan(5)
  })

  it.each<[string, readonly number[], readonly (string | null)[]]>([
    ['have a level that is held back', [30, 30, 3, 0], [null, 'tooFewUnits', 'tooFewUnits']],
    ['have no level', [30, 25, 20, 3], [null, null, 'tooFewUnits']],
    ['of one owner have no level', [30, 30, 30, 12], [null, null, 'tooFewUnits']],
    ['are nobody', [34, 28, 24, 0], [null, null, null]],
    ['are enough', [30, 25, 20, 25], [null, null, null]],
  ])('never lets the intercept be the mean of few units: who %s', (_name, counts, heldBack) => {
    const rows = counts.flatMap((count, level) => Array<number>(count).fill(level))
    const columns = [0, 1, 2].map((level) => rows.map((of) => (of === level ? 1 : 0)))
    const classes = rows.map((_, i) => (i % 2 === 0 ? 1 : 3))
    const report = learn(
      { columns, target: rows.map((level, i) => level + (i % 3)), classes },
      {
        ...{ algorithm: 'linear-regression', l2: 1e-6, unitClasses: 2, minimumUnits: 10 },
        columns: columns.map(() => ({ scale: false, impute: null, text: 0 })),
      },
    )
    expect(report.columns.map((column) => column.heldBack)).toEqual(heldBack)
  })

  it.each<[string, (row: number, value: number) => number, number | null]>([
    ['columns differ in one unit', (row, value) => (row === 7 ? value + 1 : value), null],
    ['one unit misses what a far number stands for', (row, value) => (row === 7 ? NaN : value), 1000],
  ])('gives no model where %s, for any outcome', (_name, changed, impute) => {
    const [first = []] = base.columns
    const rows = { ...base, columns: [first, first.map((value, row) => changed(row, value))] }
    const columns = [0, 1].map(() => ({ scale: true, impute, text: null }))
    for (const algorithm of ['linear-regression', 'logistic-regression'] as const)
      expect(learn(rows, { algorithm, columns }).status).toBe('tooFewUnits')
    expect(learn(rows, { columns, minimumUnits: 1 }).status).toBe('trained')
  })

  it('gives no model with as many coefficients as its units allow to know their values', () => {
    const rows = made(60, 10)
    expect(learn(rows, { algorithm: 'linear-regression', minimumUnits: 5 }).status).toBe('trained')
    expect(learn(rows, { algorithm: 'linear-regression', minimumUnits: 6 }).status).toBe('tooFewUnits')
  })

  it('joins calibration steps until each holds enough of both outcomes, and leaves nobody out', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 1000 }),
        (minimumUnits, seed) => {
          const { status, calibration } = learn(made(300, 2, seed), { minimumUnits })
          if (status !== 'trained') return
          expect(calibration.every(({ support }) => (support[0] ?? 0) >= minimumUnits)).toBe(true)
          expect(calibration.reduce((sum, { rows }) => sum + rows, 0)).toBe(300)
          expect([calibration[0]?.from, calibration.at(-1)?.until]).toEqual([0, 1])
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('areaUnderCurve', () => {
  it('is the part of pairs in the right order, ties counted half', () => {
    const score = fc.integer({ min: 0, max: 6 })
    const scores = fc.array(score, { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(scores, scores, (positive, negative) => {
        const pairs = positive.flatMap((p) => negative.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)))
        const { value, low, high } = areaUnderCurve(Float64Array.from(positive), Float64Array.from(negative))
        expect(value).toBeCloseTo(pairs.reduce<number>((a, b) => a + b, 0) / pairs.length, 12)
        if (low !== null && high !== null) expect(low <= value && value <= high).toBe(true)
      }),
    )
  })
})
