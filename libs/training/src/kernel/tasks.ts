/** What can be done to a stripe of blocks, by name, so that another thread can be asked. */
import type { Block } from '../blocks.js'
import { extremes, extremesLength, prepare, tallies, talliesLength } from './columns.js'
import type { Room } from './room.js'
import { evaluate, evaluateLength, longest, score } from './rows.js'

/**
 * A task: how many numbers it gives of a stripe, and how. It writes them into `into`, zero at first; `first` is the number of the stripe's
 * first block.
 */
interface Task<Given> {
  readonly length: (given: Given) => number
  readonly perform: (
    room: Room,
    blocks: readonly Block[],
    given: Given,
    into: Float64Array,
    first: number,
  ) => void
}

const task = <Given>(length: Task<Given>['length'], perform: Task<Given>['perform']): Task<Given> => ({
  length,
  perform,
})

/** All tasks. */
export const tasks = {
  extremes: task((columns: number) => columns * extremesLength, extremes),
  tallies: task(({ yardsticks, unitClasses }) => yardsticks.length * talliesLength(unitClasses), tallies),
  prepare: task(() => 0, prepare),
  evaluate: task(evaluateLength, evaluate),
  longest: task(() => 1, longest),
  score: task(() => 1, score),
}

/** The name of a task. */
export type TaskName = keyof typeof tasks

/** What a task takes. */
export type Given<Name extends TaskName> = Parameters<(typeof tasks)[Name]['perform']>[2]
