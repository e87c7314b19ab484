/** How well a model foretells, on rows that it learned from and on rows that it did not. */
import type { Part } from './blocks.js'
import type { Crew } from './crew.js'
import type { Problem } from './evaluate.js'
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
  readonly crew: Crew
}

/** What the model says of all rows of a part, in order. */
interface Scores {
  readonly loss: number
  readonly predictors: Float64Array
  readonly probabilities: Float64Array
}

function scoresOf({ part, problem, coefficients, crew }: Measured): Scores {
  // Shared, so that each thread writes those of its rows.
  const numbers = () => new Float64Array(new SharedArrayBuffer(8 * part.rows))
  const [predictors, probabilities] = [numbers(), numbers()]
  const losses = crew.run('score', part.blocks, {
    ...{ algorithm: problem.algorithm, active: problem.active, coefficients },
    ...{ predictors, probabilities },
  })
  return { loss: losses.reduce((sum, [loss = NaN]) => sum + loss, 0), predictors, probabilities }
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
  const scores = scoresOf(what)
  if (isLinear) return { metrics: linearMetrics(what, scores, support), confusion: [], calibration: [] }
  const confusion = confusionOf(what, scores)
  // A border of the calibration that is none of the confusion, or the other way, would tell who lies between them.
  const isTold = confusion.every((cell) => isEnough(cell.support, Math.max(1, minimumUnits)))
  return {
    metrics: logisticMetrics(what, scores, support),
    confusion: isTold ? confusion : [],
    calibration: calibrationOf(what, scores, isTold),
  }
}

/** Calls `visit` with each row: its number, its target, the classes of its unit. */
function eachRow(part: Part, visit: (row: number, target: number, classes: number) => void): void {
  let row = 0
  for (const block of part.blocks)
    for (let i = 0; i < block.rows; i++) visit(row++, block.target[i] ?? 0, block.classes[i] ?? 0)
}

function linearMetrics({ part, name }: Measured, { loss }: Scores, support: Support): Metric[] {
  const wrong = 2 * loss
  let [sum, spread] = [0, 0]
  eachRow(part, (_row, target) => {
    sum += target
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

function logisticMetrics(
  { part, name }: Measured,
  { loss, predictors, probabilities }: Scores,
  support: Support,
): Metric[] {
  let [squares, positives] = [0, 0]
  eachRow(part, (row, target) => {
    squares += ((probabilities[row] ?? 0) - target) ** 2
    positives += target
  })
  const scores = { positive: new Float64Array(positives), negative: new Float64Array(part.rows - positives) }
  let [p, n] = [0, 0]
  eachRow(part, (row, target) => {
    if (target === 1) scores.positive[p++] = predictors[row] ?? 0
    else scores.negative[n++] = predictors[row] ?? 0
  })
  const told = { part: name, low: null, high: null, rows: part.rows, support }
  return [
    { ...told, metric: 'auc', ...areaUnderCurve(scores.positive, scores.negative) },
    { ...told, metric: 'logLoss', value: loss / part.rows },
    { ...told, metric: 'brier', value: squares / part.rows },
  ]
}

function confusionOf({ part, name, unitClasses }: Measured, { probabilities }: Scores): ConfusionCell[] {
  const cells = [false, true].flatMap((actual) =>
    [false, true].map((foretold) => ({ actual, foretold, count: 0, units: noUnits(unitClasses) })),
  )
  eachRow(part, (row, target, classes) => {
    const cell = cells[2 * target + ((probabilities[row] ?? 0) >= half ? 1 : 0)]
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
  { probabilities }: Scores,
  apartAtHalf: boolean,
): CalibrationBin[] {
  const steps = Array.from({ length: calibrationSteps }, (_, step): Bin => {
    const [from, until] = [step / calibrationSteps, (step + 1) / calibrationSteps]
    const [ones, zeros] = [noUnits(unitClasses), noUnits(unitClasses)]
    return { from, until, rows: 0, foretold: 0, happened: 0, ones, zeros }
  })
  eachRow(part, (row, target, classes) => {
    const probability = probabilities[row] ?? 0
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
