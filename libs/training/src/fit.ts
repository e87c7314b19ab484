/**
 * Newton's method on the penalized loss. Where rows are many it begins on a sample, whose curvature then steers cheap passes that need
 * only the gradient of all rows; the whole curvature is computed at the end, for the last step and the standard errors.
 * Nocedal and Wright, Numerical Optimization, sections 3.3 and 7.1.
 */
import type { Block } from './blocks.js'
import { collinearColumns, factor, inverseDiagonal, solve, type Factor } from './cholesky.js'
import type { Crew } from './crew.js'
import { evaluate, type Evaluation, type Problem } from './evaluate.js'
import { sampleBlocks, sampleOf } from './sample.js'

/** Coefficients of the columns in use, the intercept last. */
export interface Fit {
  readonly converged: boolean
  /** Passes over all rows. */
  readonly iterations: number
  readonly coefficients: Float64Array
  readonly standardErrors: Float64Array
}

/** From how many blocks on a sample is worth drawing. */
const worthSampling = 4 * sampleBlocks
const mostPasses = 100
/** What a further step may still take off the loss, as a part of it: of a step on a sample, and of the last one. */
const roughly = 1e-7
const exactly = 1e-11

/** Fits a problem to blocks of prepared rows. */
export function fit(crew: Crew, blocks: readonly Block[], problem: Problem): Fit {
  const nowhere = new Float64Array(problem.active.length + 1)
  const search = new Search(crew, blocks, problem, 1)
  let place = search.at(nowhere, blocks.length < worthSampling)
  if (blocks.length >= worthSampling) {
    const sampled = sampleOf(blocks)
    const sample = new Search(crew, sampled, problem, rowsOf(blocks) / rowsOf(sampled))
    const near = sample.converge(sample.at(nowhere, true), roughly)
    place = search.follow(search.at(near.coefficients, false), factorAt(near))
    place = search.at(place.coefficients, true)
  }
  const end = search.converge(place, exactly)
  return search.result(end)
}

/** Columns that earlier ones give, in the training rows: without a penalty they have no coefficient of their own. */
export function findCollinear(crew: Crew, blocks: readonly Block[], problem: Problem): readonly number[] {
  const search = new Search(crew, blocks, { ...problem, algorithm: 'linear-regression', l2: 0 }, 1)
  return collinearColumns(factorAt(search.at(new Float64Array(problem.active.length + 1), true)))
}

function rowsOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + block.rows, 0)
}

/** Coefficients and what the loss is like there. */
interface Place extends Evaluation {
  readonly coefficients: Float64Array
}

class Search {
  private passes = 0

  constructor(
    private readonly crew: Crew,
    private readonly blocks: readonly Block[],
    private readonly problem: Problem,
    private readonly weight: number,
  ) {}

  at(coefficients: Float64Array, curvature: boolean): Place {
    this.passes++
    return {
      coefficients,
      ...evaluate(this.crew, this.blocks, this.problem, coefficients, curvature, this.weight),
    }
  }

  /** Newton steps until the next one would gain less than `part` of the loss. */
  converge(from: Place, part: number): Place {
    let place = from
    while (this.passes < mostPasses) {
      const step = stepFrom(place, factorAt(place))
      if (!(gainOf(place, step) > part * place.loss)) return place
      const next = this.improve(place, step, true)
      if (next === null) return place
      place = next
    }
    return place
  }

  /** Steps by a curvature that is nearly right, as long as each of them gains much less than the one before. */
  follow(from: Place, curvature: Factor): Place {
    let place = from
    for (let before = Infinity; this.passes < mostPasses;) {
      const step = stepFrom(place, curvature)
      const gain = gainOf(place, step)
      if (!(gain > exactly * place.loss) || gain > before / 4) return place
      const next = this.improve(place, step, false)
      if (next === null) return place
      place = next
      before = gain
    }
    return place
  }

  /** The last step, which squares what is wrong, and the standard errors at the place from which it goes. */
  result(place: Place): Fit {
    const factored = factorAt(place)
    const step = stepFrom(place, factored)
    const near = gainOf(place, step) <= exactly * Math.max(place.loss, Number.MIN_VALUE)
    const coefficients = place.coefficients.map((value, j) => value - (step[j] ?? 0))
    const dispersion = this.dispersion(place)
    return {
      converged: near && coefficients.every(Number.isFinite),
      iterations: this.passes,
      coefficients,
      standardErrors: inverseDiagonal(factored).map((variance) => Math.sqrt(variance * dispersion)),
    }
  }

  /** Goes along a step, half as far while the loss is not less; null where it never is. */
  private improve(place: Place, step: Float64Array, curvature: boolean): Place | null {
    for (let length = 1; length > 1e-6; length /= 2) {
      const there = place.coefficients.map((value, j) => value - length * (step[j] ?? 0))
      const next = this.at(there, curvature)
      if (next.loss < place.loss) return next
    }
    return null
  }

  /** Of a linear model the variance of what it leaves over; 1 of a logistic model. */
  private dispersion({ loss, coefficients }: Place): number {
    const { algorithm, active, l2 } = this.problem
    if (algorithm !== 'linear-regression') return 1
    const penalty = l2 * active.reduce((sum, _column, j) => sum + (coefficients[j] ?? 0) ** 2, 0)
    return Math.max(0, 2 * loss - penalty) / Math.max(1, rowsOf(this.blocks) - active.length - 1)
  }
}

function factorAt({ curvature, coefficients }: Place): Factor {
  const { length } = coefficients
  return factor(curvature ?? new Float64Array(length * length), length)
}

function stepFrom({ gradient }: Place, curvature: Factor): Float64Array {
  return solve(curvature, gradient)
}

/** What a Newton step takes off the loss, if the loss is as its curvature says. */
function gainOf({ gradient }: Place, step: Float64Array): number {
  return step.reduce((sum, value, j) => sum + value * (gradient[j] ?? 0), 0) / 2
}
