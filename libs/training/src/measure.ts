/** How well a model foretells, on rows that it learned from and on rows that it did not. */
import { blockRows, type Part } from './blocks.js'
import { logistic, logLoss, predictors, type Problem } from './evaluate.js'
import { areaUnderCurve } from './area-under-curve.js'
import type { CalibrationBin, ConfusionCell, Metric, Support } from './plan.js'
import { countUnits, isEnough, leastOf, noUnits, unitsOf, unitsOfBothOutcomes } from './support.js'

/** What is measured, and for whom. */
export interface Measured {
  readonly part: Part
  readonly name: Metric['part']
  readonly problem: Problem
  readonly coefficients: Float64Array
  readonly unitClasses: number
  readonly minimumUnits: number
}

/** Predictors of all rows of a part, in order. */
function predict({ part, problem, coefficients }: Measured): Float64Array {
  const all = new Float64Array(part.rows)
  const room = new Float64Array(blockRows)
  let at = 0
  for (const block of part.blocks) {
    predictors(block, problem.active, coefficients, room)
    all.set(room.subarray(0, block.rows), at)
    at += block.rows
  }
  return all
}

/** All measures of a part. A part without enough units has none. */
export function measure(what: Measured): {
  metrics: readonly Metric[]
  confusion: readonly ConfusionCell[]
  calibration: readonly CalibrationBin[]
} {
  const { part, problem, unitClasses, minimumUnits } = what
  const isLinear = problem.algorithm === 'linear-regression'
  const support = isLinear ? unitsOf(part, unitClasses) : unitsOfBothOutcomes(part, unitClasses)
  if (part.rows === 0 || !isEnough(support, Math.max(1, minimumUnits)))
    return { metrics: [], confusion: [], calibration: [] }
  const predicted = predict(what)
  if (isLinear) return { metrics: linearMetrics(what, predicted, support), confusion: [], calibration: [] }
  const confusion = confusionOf(what, predicted)
  // A border of the calibration that is none of the confusion, or the other way, would tell who lies between them.
  const isTold = confusion.every((cell) => isEnough(cell.support, Math.max(1, minimumUnits)))
  return {
    metrics: logisticMetrics(what, predicted, support),
    confusion: isTold ? confusion : [],
    calibration: calibrationOf(what, predicted, isTold),
  }
}

/** Calls `visit` with each row: its number, its target, the classes of its unit. */
function eachRow(part: Part, visit: (row: number, target: number, classes: number) => void): void {
  let row = 0
  for (const block of part.blocks)
    for (let i = 0; i < block.rows; i++) visit(row++, block.target[i] ?? 0, block.classes[i] ?? 0)
}

function linearMetrics({ part, name }: Measured, predicted: Float64Array, support: Support): Metric[] {
  let [sum, wrong, spread] = [0, 0, 0]
  eachRow(part, (row, target) => {
    sum += target
    wrong += (target - (predicted[row] ?? 0)) ** 2
  })
  const mean = sum / part.rows
  eachRow(part, (_row, target) => {
    spread += (target - mean) ** 2
  })
  const told = { part: name, low: null, high: null, rows: part.rows, support }
  const error: Metric = { ...told, metric: 'rootMeanSquaredError', value: Math.sqrt(wrong / part.rows) }
  // Of a constant target there is nothing to explain.
  return spread === 0 ? [error] : [{ ...told, metric: 'r2', value: 1 - wrong / spread }, error]
}

function logisticMetrics({ part, name }: Measured, predicted: Float64Array, support: Support): Metric[] {
  let [loss, squares, positives] = [0, 0, 0]
  eachRow(part, (row, target) => {
    const predictor = predicted[row] ?? 0
    loss += logLoss(predictor, target)
    squares += (logistic(predictor) - target) ** 2
    positives += target
  })
  const scores = { positive: new Float64Array(positives), negative: new Float64Array(part.rows - positives) }
  let [p, n] = [0, 0]
  eachRow(part, (row, target) => {
    if (target === 1) scores.positive[p++] = predicted[row] ?? 0
    else scores.negative[n++] = predicted[row] ?? 0
  })
  const told = { part: name, low: null, high: null, rows: part.rows, support }
  return [
    { ...told, metric: 'auc', ...areaUnderCurve(scores.positive, scores.negative) },
    { ...told, metric: 'logLoss', value: loss / part.rows },
    { ...told, metric: 'brier', value: squares / part.rows },
  ]
}

function confusionOf({ part, name, unitClasses }: Measured, predicted: Float64Array): ConfusionCell[] {
  const cells = [false, true].flatMap((actual) =>
    [false, true].map((foretold) => ({ actual, foretold, count: 0, units: noUnits(unitClasses) })),
  )
  eachRow(part, (row, target, classes) => {
    const cell = cells[2 * target + (logistic(predicted[row] ?? 0) >= half ? 1 : 0)]
    if (cell === undefined) return
    cell.count++
    countUnits(cell.units, classes)
  })
  const support = leastOf(noUnits(unitClasses).fill(Infinity), ...cells.map(({ units }) => units))
  return cells.map(({ actual, foretold, count }) => ({
    ...{ part: name, actual, predicted: foretold, count, support },
  }))
}

const calibrationSteps = 20
/** The probability at which the confusion sorts. */
const half = 0.5

interface Bin {
  from: number
  until: number
  rows: number
  foretold: number
  happened: number
  ones: number[]
  zeros: number[]
}

/**
 * Steps of equal width, joined from below until both outcomes have enough units in each, so that no bin is left out; with a border at one
 * half where the confusion is told.
 */
function calibrationOf(
  { part, name, unitClasses, minimumUnits }: Measured,
  predicted: Float64Array,
  apartAtHalf: boolean,
): CalibrationBin[] {
  const steps = Array.from({ length: calibrationSteps }, (_, step): Bin => {
    const [from, until] = [step / calibrationSteps, (step + 1) / calibrationSteps]
    const [ones, zeros] = [noUnits(unitClasses), noUnits(unitClasses)]
    return { from, until, rows: 0, foretold: 0, happened: 0, ones, zeros }
  })
  eachRow(part, (row, target, classes) => {
    const probability = logistic(predicted[row] ?? 0)
    const bin = steps[Math.min(calibrationSteps - 1, Math.floor(probability * calibrationSteps))]
    if (bin === undefined) return
    bin.rows++
    bin.foretold += probability
    bin.happened += target
    countUnits(target === 1 ? bin.ones : bin.zeros, classes)
  })
  const runs = apartAtHalf
    ? [steps.slice(0, calibrationSteps * half), steps.slice(calibrationSteps * half)]
    : [steps]
  const bins = runs.flatMap((run) => joinBins(run, minimumUnits))
  return bins.map(({ from, until, rows, foretold, happened, ones, zeros }) => ({
    ...{ part: name, from, until, rows, predicted: foretold / rows, observed: happened / rows },
    support: leastOf(ones, zeros),
  }))
}

function joinBins(steps: readonly Bin[], minimumUnits: number): Bin[] {
  const joined: Bin[] = []
  let open: Bin | null = null
  for (const step of steps) {
    open = open === null ? step : join(open, step)
    if (!isEnough(leastOf(open.ones, open.zeros), Math.max(1, minimumUnits))) continue
    joined.push(open)
    open = null
  }
  const last = joined.pop()
  if (last === undefined) return []
  return [...joined, open === null ? last : join(last, open)]
}

function join(low: Bin, high: Bin): Bin {
  const sum = (a: readonly number[], b: readonly number[]): number[] =>
    a.map((count, c) => count + (b[c] ?? 0))
  return {
    ...{ from: low.from, until: high.until, rows: low.rows + high.rows },
    ...{ foretold: low.foretold + high.foretold, happened: low.happened + high.happened },
    ...{ ones: sum(low.ones, high.ones), zeros: sum(low.zeros, high.zeros) },
  }
}
