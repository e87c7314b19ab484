/**
 * Loss, gradient and curvature of a generalized linear model over blocks of rows, summed in double precision. The intercept is the last
 * coefficient. McCullagh and Nelder, Generalized Linear Models, section 2.5.
 */
import { blockRows, type Block } from './blocks.js'
import type { Algorithm } from './plan.js'

/** What is fitted: which columns, by which model. */
export interface Problem {
  readonly algorithm: Algorithm
  /** Indices of the columns in use. */
  readonly active: readonly number[]
  readonly l2: number
}

/** The penalized loss at some coefficients. */
export interface Evaluation {
  readonly loss: number
  readonly gradient: Float64Array
  /** Row by row, symmetric; null where it was not asked for. */
  readonly curvature: Float64Array | null
}

/** Evaluates a problem. `weight` multiplies the sums over rows: above 1 where the blocks stand for more. */
export function evaluate(
  blocks: readonly Block[],
  problem: Problem,
  coefficients: Float64Array,
  withCurvature: boolean,
  weight: number,
): Evaluation {
  const { active, l2 } = problem
  const size = active.length + 1
  const sums = { loss: 0, gradient: new Float64Array(size) }
  const curvature = withCurvature ? new Float64Array(size * size) : null
  const room = makeRoom(size)
  for (const block of blocks) {
    widen(block, active, room)
    sums.loss += residuals(block, problem, coefficients, room)
    addGradient(block.rows, size, room, sums.gradient)
    if (curvature !== null) addCurvature(block.rows, size, room, curvature)
  }
  let loss = sums.loss * weight
  for (let j = 0; j < size; j++) sums.gradient[j] = (sums.gradient[j] ?? 0) * weight
  if (curvature !== null) mirror(curvature, size, weight)
  for (let j = 0; j < active.length; j++) {
    const coefficient = coefficients[j] ?? 0
    loss += (l2 / 2) * coefficient * coefficient
    sums.gradient[j] = (sums.gradient[j] ?? 0) + l2 * coefficient
    if (curvature !== null) curvature[j * size + j] = (curvature[j * size + j] ?? 0) + l2
  }
  return { loss, gradient: sums.gradient, curvature }
}

/** Linear predictors of a block's rows, into `into`. */
export function predictors(
  block: Block,
  active: readonly number[],
  coefficients: Float64Array,
  into: Float64Array,
): void {
  into.fill(coefficients[active.length] ?? 0, 0, block.rows)
  active.forEach((column, j) => {
    const coefficient = coefficients[j] ?? 0
    const values = block.columns.subarray(column * blockRows, column * blockRows + block.rows)
    for (let i = 0; i < block.rows; i++) into[i] = (into[i] ?? 0) + coefficient * (values[i] ?? 0)
  })
}

/** The probability that a predictor stands for. */
export function logistic(predictor: number): number {
  if (predictor >= 0) return 1 / (1 + Math.exp(-predictor))
  const small = Math.exp(predictor)
  return small / (1 + small)
}

interface Room {
  /** The columns in use and a column of ones, in double precision. */
  readonly values: readonly Float64Array[]
  readonly predictor: Float64Array
  readonly residual: Float64Array
  readonly weight: Float64Array
  readonly weighted: readonly [Float64Array, Float64Array]
}

function makeRoom(size: number): Room {
  const column = (): Float64Array => new Float64Array(blockRows)
  const values = Array.from({ length: size }, column)
  values.at(-1)?.fill(1)
  return {
    values,
    predictor: column(),
    residual: column(),
    weight: column(),
    weighted: [column(), column()],
  }
}

function widen(block: Block, active: readonly number[], { values }: Room): void {
  active.forEach((column, j) => {
    values[j]?.set(block.columns.subarray(column * blockRows, column * blockRows + block.rows))
  })
}

function residuals(
  { rows, target }: Block,
  { algorithm }: Problem,
  coefficients: Float64Array,
  { values, predictor, residual, weight }: Room,
): number {
  predictor.fill(0, 0, rows)
  values.forEach((column, j) => {
    const coefficient = coefficients[j] ?? 0
    for (let i = 0; i < rows; i++) predictor[i] = (predictor[i] ?? 0) + coefficient * (column[i] ?? 0)
  })
  let loss = 0
  if (algorithm === 'linear-regression')
    for (let i = 0; i < rows; i++) {
      const away = (predictor[i] ?? 0) - (target[i] ?? 0)
      residual[i] = away
      weight[i] = 1
      loss += 0.5 * away * away
    }
  else
    for (let i = 0; i < rows; i++) {
      const [z, y] = [predictor[i] ?? 0, target[i] ?? 0]
      const probability = logistic(z)
      residual[i] = probability - y
      weight[i] = probability * (1 - probability)
      loss += logLoss(z, y)
    }
  return loss
}

/** −log of the probability that a predictor gives to what happened, without overflow. */
export function logLoss(predictor: number, happened: number): number {
  return Math.max(predictor, 0) - happened * predictor + Math.log1p(Math.exp(-Math.abs(predictor)))
}

function addGradient(rows: number, size: number, { values, residual }: Room, gradient: Float64Array): void {
  for (let j = 0; j < size; j++) {
    const column = values[j] ?? residual
    let sum = 0
    for (let i = 0; i < rows; i++) sum += (residual[i] ?? 0) * (column[i] ?? 0)
    gradient[j] = (gradient[j] ?? 0) + sum
  }
}

// Two columns against two others at a time: each value that is read is used twice.
function addCurvature(
  rows: number,
  size: number,
  { values, weight, weighted: [wa, wb] }: Room,
  curvature: Float64Array,
): void {
  for (let a = 0; a < size; a += 2) {
    const b = Math.min(a + 1, size - 1)
    multiply(rows, values[a] ?? weight, weight, wa)
    multiply(rows, values[b] ?? weight, weight, wb)
    for (let c = 0; c <= b; c += 2) {
      const d = Math.min(c + 1, size - 1)
      const [x, y] = [values[c] ?? weight, values[d] ?? weight]
      let [ac, ad, bc, bd] = [0, 0, 0, 0]
      for (let i = 0; i < rows; i++) {
        const [p, q, r, s] = [wa[i] ?? 0, wb[i] ?? 0, x[i] ?? 0, y[i] ?? 0]
        ac += p * r
        ad += p * s
        bc += q * r
        bd += q * s
      }
      add(curvature, a * size + c, ac)
      if (d !== c) add(curvature, a * size + d, ad)
      if (b !== a) add(curvature, b * size + c, bc)
      if (b !== a && d !== c) add(curvature, b * size + d, bd)
    }
  }
}

function multiply(rows: number, values: Float64Array, by: Float64Array, into: Float64Array): void {
  for (let i = 0; i < rows; i++) into[i] = (values[i] ?? 0) * (by[i] ?? 0)
}

function add(sums: Float64Array, at: number, value: number): void {
  sums[at] = (sums[at] ?? 0) + value
}

// The lower half is summed; the upper is its mirror.
function mirror(matrix: Float64Array, size: number, weight: number): void {
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const value = (matrix[i * size + j] ?? 0) * weight
      matrix[i * size + j] = value
      matrix[j * size + i] = value
    }
}
