/**
 * Whether one row alone would make what a model tells of it. The leverage of a row is the part of its own target in its own fitted value, in a
 * linear fit without penalty: 1/n of n rows that are alike and like no other, 1 of a row that nothing else resembles. It depends on the
 * columns alone, and is the same whichever columns of one span are chosen: what sets a row apart may be several together.
 * Belsley, Kuh and Welsch, Regression Diagnostics, section 2.1.
 */
import { blockRows, type Block } from './blocks.js'
import { collinearColumns, factor, inverseDiagonal, type Factor } from './cholesky.js'
import type { Crew } from './crew.js'
import { evaluate } from './evaluate.js'
import { sampleOf } from './sample.js'

/** Above it a row weighs more in its fitted value than all others together. */
const dominant = 0.5

/** Whether some row of prepared columns dominates its own fitted value. */
export function hasDominantRow(crew: Crew, blocks: readonly Block[], active: readonly number[]): boolean {
  // More rows only lessen leverages, so what a sample of them clears is clear.
  const bound = spreadBound(momentsOf(crew, sampleOf(blocks), active))
  const longest = crew
    .run('longest', blocks, active)
    .reduce((most, [length = NaN]) => Math.max(most, length), 0)
  if (bound * longest <= dominant) return false
  const near = blocks.filter((block) => bound * greatest(squaredLengths(block, active)) > dominant)
  if (near.length === 0) return false
  const moments = momentsOf(crew, blocks, active)
  return near.some((block) => greatest(leverages(block, active, moments)) > dominant)
}

/** The factor of the sums of products of columns, the intercept last. */
function momentsOf(crew: Crew, blocks: readonly Block[], active: readonly number[]): Factor {
  const size = active.length + 1
  const problem = { algorithm: 'linear-regression', active, l2: 0 } as const
  const { curvature } = evaluate(crew, blocks, problem, new Float64Array(size), true, 1)
  return factor(curvature ?? new Float64Array(size * size), size)
}

/** What a row's squared length is multiplied by to bound its leverage: the trace of the inverse, no less than its greatest eigenvalue. */
function spreadBound(moments: Factor): number {
  if (collinearColumns(moments).length > 0) return Infinity
  return inverseDiagonal(moments).reduce((sum, value) => sum + value, 0)
}

function squaredLengths({ rows, columns }: Block, active: readonly number[]): Float64Array {
  const sums = new Float64Array(rows).fill(1)
  for (const column of active)
    for (let i = 0, at = column * blockRows; i < rows; i++, at++)
      sums[i] = (sums[i] ?? 0) + (columns[at] ?? 0) ** 2
  return sums
}

// The squared length of each row after the factor's lower half was divided out of it.
function leverages(
  { rows, columns }: Block,
  active: readonly number[],
  { size, lower }: Factor,
): Float64Array {
  const sums = new Float64Array(rows)
  const divided: Float64Array[] = []
  for (let j = 0; j < size; j++) {
    const from = (active[j] ?? 0) * blockRows
    const values =
      j < active.length
        ? Float64Array.from(columns.subarray(from, from + rows))
        : new Float64Array(rows).fill(1)
    const pivot = lower[j * size + j] ?? 0
    divided.forEach((earlier, k) => {
      const part = lower[j * size + k] ?? 0
      for (let i = 0; i < rows; i++) values[i] = (values[i] ?? 0) - part * (earlier[i] ?? 0)
    })
    for (let i = 0; i < rows; i++) {
      const value = pivot === 0 ? 0 : (values[i] ?? 0) / pivot
      values[i] = value
      sums[i] = (sums[i] ?? 0) + value * value
    }
    divided.push(values)
  }
  return sums
}

function greatest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), 0)
}
