/**
 * Loss, gradient and curvature of a generalized linear model over blocks of rows, summed in double precision. The intercept is the last
 * coefficient. McCullagh and Nelder, Generalized Linear Models, section 2.5.
 */
import type { Block } from './blocks.js'
import { addStripes, type Crew } from './crew.js'
import { evaluateLength } from './kernel/rows.js'
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
  crew: Crew,
  blocks: readonly Block[],
  { algorithm, active, l2 }: Problem,
  coefficients: Float64Array,
  withCurvature: boolean,
  weight: number,
): Evaluation {
  const size = active.length + 1
  const given = { algorithm, active, coefficients, withCurvature }
  const sums = addStripes(crew.run('evaluate', blocks, given), evaluateLength(given))
  let loss = (sums[0] ?? 0) * weight
  const gradient = sums.slice(1, 1 + size).map((sum) => sum * weight)
  const curvature = withCurvature ? sums.slice(1 + size) : null
  if (curvature !== null) mirror(curvature, size, weight)
  for (let j = 0; j < active.length; j++) {
    const coefficient = coefficients[j] ?? 0
    loss += (l2 / 2) * coefficient * coefficient
    gradient[j] = (gradient[j] ?? 0) + l2 * coefficient
    if (curvature !== null) curvature[j * size + j] = (curvature[j * size + j] ?? 0) + l2
  }
  return { loss, gradient, curvature }
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
