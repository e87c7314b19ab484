/** Tasks over single columns of a stripe: what they hold, and their preparation. */
import type { Block } from '../blocks.js'
import type { Preparation } from '../preprocess.js'
import { columnOf, type Room } from './room.js'

/** Numbers per column that {@link extremes} gives: least, greatest, count and sum of its values. */
export const extremesLength = 4

/** Looks at every column of a stripe. */
export function extremes(room: Room, blocks: readonly Block[], columns: number, into: Float64Array): void {
  const { numbers } = room.at
  const [ends, counts, sums] = [
    room.singles(numbers, 8),
    room.integers(numbers + 32, 4),
    room.doubles(numbers + 48, 2),
  ]
  into.forEach((_zero, i) => {
    into[i] = [Infinity, -Infinity, 0, 0][i % extremesLength] ?? 0
  })
  for (const block of blocks)
    for (let column = 0; column < columns; column++) {
      room.load(block, [column], NaN)
      ends.fill(Infinity, 0, 4).fill(-Infinity, 4)
      counts.fill(0)
      sums.fill(0)
      room.kernels.extremes(room.column(0), numbers, room.bytes)
      const at = column * extremesLength
      into[at] = ends.subarray(0, 4).reduce((a, b) => Math.min(a, b), into[at] ?? 0)
      into[at + 1] = ends.subarray(4).reduce((a, b) => Math.max(a, b), into[at + 1] ?? 0)
      into[at + 2] = counts.reduce((a, b) => a + b, into[at + 2] ?? 0)
      into[at + 3] = sums.reduce((a, b) => a + b, into[at + 3] ?? 0)
    }
}

/** What {@link tallies} holds a column's values against. */
export interface Yardstick {
  readonly least: number
  readonly greatest: number
  readonly centre: number
}

/** What {@link tallies} takes. */
export interface TalliesGiven {
  readonly yardsticks: readonly Yardstick[]
  readonly unitClasses: number
}

/** Numbers per column that {@link tallies} gives: squares about the centre, units above the least value, and units below the greatest. */
export const talliesLength = (unitClasses: number): number => 1 + 2 * unitClasses

/** Counts units and sums squares of every column of a stripe. */
export function tallies(
  room: Room,
  blocks: readonly Block[],
  { yardsticks, unitClasses }: TalliesGiven,
  into: Float64Array,
): void {
  const { numbers } = room.at
  const [counts, bounds] = [room.integers(numbers, 8), room.singles(numbers + 32, 2)]
  const [sums, centre] = [room.doubles(numbers, 2), room.doubles(numbers + 48, 1)]
  const length = talliesLength(unitClasses)
  const columns = yardsticks.map((_one, column) => column)
  for (const block of blocks) {
    room.load(block, columns, NaN)
    yardsticks.forEach((yardstick, column) => {
      centre[0] = yardstick.centre
      sums.fill(0)
      room.kernels.spread(room.column(column), numbers + 48, numbers, room.bytes)
      add(into, column * length, sums)
    })
    for (let unitClass = 0; unitClass < unitClasses; unitClass++) {
      loadUnits(room, block, unitClass)
      yardsticks.forEach(({ least, greatest }, column) => {
        bounds[0] = least
        bounds[1] = greatest
        counts.fill(0)
        room.kernels.tally(room.column(column), room.at.units, numbers + 32, numbers, room.bytes)
        add(into, column * length + 1 + unitClass, counts.subarray(0, 4))
        add(into, column * length + 1 + unitClasses + unitClass, counts.subarray(4))
      })
    }
  }
}

function loadUnits(room: Room, { classes, rows }: Block, unitClass: number): void {
  const units = room.integers(room.at.units, room.rowsAndMore)
  for (let i = 0; i < rows; i++) units[i] = -(((classes[i] ?? 0) >> unitClass) & 1)
  units.fill(0, rows)
}

/** Prepares every column of a stripe, where it stands. */
export function prepare(room: Room, blocks: readonly Block[], preparations: readonly Preparation[]): void {
  const by = room.singles(room.at.numbers, 3)
  for (const block of blocks)
    preparations.forEach(({ fill, centre, scale }, column) => {
      room.load(block, [column], 0)
      by.set([fill, centre, scale])
      room.kernels.prepare(room.column(0), room.at.numbers, room.bytes)
      columnOf(block, column).set(room.singles(room.column(0), block.rows))
    })
}

function add(into: Float64Array, at: number, values: Float64Array | Int32Array): void {
  for (const value of values) into[at] = (into[at] ?? 0) + value
}
