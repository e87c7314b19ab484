/**
 * What is learned of single columns of the training rows before any model: how each is prepared, which is an output, and on how many units
 * it rests. Then missing values are filled, columns centred and scaled, in place.
 */
import type { Part } from './blocks.js'
import { addStripes, type Crew } from './crew.js'
import { extremesLength, talliesLength } from './kernel/columns.js'
import type { DesignColumn, Support, TrainingPlan } from './plan.js'
import { leastOf } from './support.js'

/** What is done to a column before it is multiplied: what stands for a missing value, what is taken off, and by what it is divided. */
export interface Preparation {
  readonly fill: number
  readonly centre: number
  readonly scale: number
}

/** What is known of a column. */
export interface KnownColumn {
  /** The deviation is the population's, as scikit-learn's `StandardScaler`. */
  readonly preparation: Preparation
  /**
   * On how many units the effect of a column rests: those that are not at its least value, and those that are not at its greatest,
   * whichever are fewer; missing values count as neither. Of zeros and ones these are the units that have a property and those that
   * lack it. A column that is constant rests on nobody.
   */
  readonly support: Support
}

/** Looks at the columns of training rows that are not prepared yet. */
export function knowColumns({ blocks, rows }: Part, plan: TrainingPlan, crew: Crew): readonly KnownColumn[] {
  const { columns, unitClasses } = plan
  const extremes = crew.run('extremes', blocks, columns.length)
  const sketches = columns.map((design, column) => sketch(extremes, column, design, rows))
  const tallies = addStripes(
    crew.run('tallies', blocks, { yardsticks: sketches, unitClasses }),
    columns.length * talliesLength(unitClasses),
  )
  return sketches.map(({ fill, centre, missing }, column) => {
    const at = column * talliesLength(unitClasses)
    const [squares = 0, ...units] = tallies.subarray(at, at + talliesLength(unitClasses))
    const deviation = Math.sqrt((squares + missing * (fill - centre) ** 2) / Math.max(1, rows))
    const scale = deviation > 0 ? Math.fround(deviation) : 1
    return {
      preparation:
        columns[column]?.scale === true
          ? { fill, centre: Math.fround(centre), scale }
          : { fill, centre: 0, scale: 1 },
      support: leastOf(units.slice(0, unitClasses), units.slice(unitClasses)),
    }
  })
}

function sketch(stripes: readonly Float64Array[], column: number, design: DesignColumn, rows: number) {
  let [least, greatest, count, sum] = [Infinity, -Infinity, 0, 0]
  for (const stripe of stripes) {
    const [low = NaN, high = NaN, values = NaN, total = NaN] = stripe.subarray(column * extremesLength)
    least = Math.min(least, low)
    greatest = Math.max(greatest, high)
    count += values
    sum += total
  }
  const mean = count === 0 ? 0 : sum / count
  const fill = Math.fround(design.impute === 'mean' ? mean : (design.impute ?? 0))
  const missing = rows - count
  return { least, greatest, fill, missing, centre: (sum + missing * fill) / Math.max(1, rows) }
}

/** Applies preparations in place, in the single precision of the model that is given out. */
export function applyPreparations({ blocks }: Part, preparations: readonly Preparation[], crew: Crew): void {
  crew.run('prepare', blocks, preparations)
}
