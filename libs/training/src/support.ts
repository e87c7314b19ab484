/** How many units stand behind a number, of each class of units; a row is one unit of every class whose bit it has. */
import type { Part } from './blocks.js'
import type { Support } from './plan.js'

/** Adds one unit of each class of a row. */
export function countUnits(counts: number[], classes: number): void {
  for (let c = 0; c < counts.length; c++) if ((classes & (1 << c)) !== 0) counts[c] = (counts[c] ?? 0) + 1
}

/** No units, of so many classes. */
export function noUnits(unitClasses: number): number[] {
  return new Array<number>(unitClasses).fill(0)
}

/** The least of several supports, class by class. */
export function leastOf(first: Support, ...others: readonly Support[]): Support {
  return first.map((count, c) => Math.min(count, ...others.map((other) => other[c] ?? 0)))
}

/** Whether every class of units has enough. */
export function isEnough(support: Support, minimumUnits: number): boolean {
  return support.every((count) => count >= minimumUnits)
}

/** Units of all rows. */
export function unitsOf(part: Part, unitClasses: number): Support {
  const counts = noUnits(unitClasses)
  for (const block of part.blocks)
    for (let i = 0; i < block.rows; i++) countUnits(counts, block.classes[i] ?? 0)
  return counts
}

/** Least units over both outcomes of a target of zeros and ones. */
export function unitsOfBothOutcomes(part: Part, unitClasses: number): Support {
  const [ones, zeros] = [noUnits(unitClasses), noUnits(unitClasses)]
  for (const block of part.blocks)
    for (let i = 0; i < block.rows; i++)
      countUnits(block.target[i] === 1 ? ones : zeros, block.classes[i] ?? 0)
  return leastOf(ones, zeros)
}
