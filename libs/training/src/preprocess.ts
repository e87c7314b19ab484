/** Missing values filled, columns centred and scaled, in place: by statistics of the training rows alone, which are outputs. */
import { blockRows, type Part } from './blocks.js'
import type { DesignColumn } from './plan.js'

/** What is done to a column before it is multiplied. */
export interface Preparation {
  readonly fill: number
  readonly centre: number
  readonly scale: number
}

/** Learns a column's preparation from training rows. The deviation is the population's, as scikit-learn's `StandardScaler`. */
export function learnPreparation(train: Part, column: number, design: DesignColumn): Preparation {
  const { count, sum } = sums(train, column)
  const mean = count === 0 ? 0 : sum / count
  const fill = Math.fround(design.impute === 'mean' ? mean : (design.impute ?? 0))
  if (!design.scale) return { fill, centre: 0, scale: 1 }
  const centre = (sum + (train.rows - count) * fill) / Math.max(1, train.rows)
  const deviation = Math.sqrt(squares(train, column, centre, fill) / Math.max(1, train.rows))
  return { fill, centre: Math.fround(centre), scale: deviation > 0 ? Math.fround(deviation) : 1 }
}

/** Applies a preparation in place, in the single precision of the model that is given out. */
export function applyPreparation(part: Part, column: number, { fill, centre, scale }: Preparation): void {
  for (const { rows, columns } of part.blocks)
    for (let at = column * blockRows, end = at + rows; at < end; at++) {
      const value = columns[at] ?? NaN
      columns[at] = Math.fround((Number.isNaN(value) ? fill : value) - centre) / scale
    }
}

function sums(part: Part, column: number): { count: number; sum: number } {
  let [count, sum] = [0, 0]
  for (const { rows, columns } of part.blocks)
    for (let at = column * blockRows, end = at + rows; at < end; at++) {
      const value = columns[at] ?? NaN
      if (Number.isNaN(value)) continue
      count++
      sum += value
    }
  return { count, sum }
}

function squares(part: Part, column: number, centre: number, fill: number): number {
  let sum = 0
  for (const { rows, columns } of part.blocks)
    for (let at = column * blockRows, end = at + rows; at < end; at++) {
      const value = columns[at] ?? NaN
      const away = (Number.isNaN(value) ? fill : value) - centre
      sum += away * away
    }
  return sum
}
