/**
 * Who does the tasks. Blocks are parted into stripes by nothing but their number and how much a task gives, and what the stripes give is
 * added in their order: the sums are the same to the last bit, however many threads do them.
 */
import type { Block } from './blocks.js'
import { Room } from './kernel/room.js'
import { tasks, type Given, type TaskName } from './kernel/tasks.js'

/** Does tasks over blocks. */
export interface Crew {
  /** Does a task over all blocks; the answer has the numbers of each stripe, in order. */
  run<Name extends TaskName>(
    name: Name,
    blocks: readonly Block[],
    given: Given<Name>,
  ): readonly Float64Array[]
}

/** A task over blocks, parted. */
export interface Work {
  readonly stripes: number
  /** Numbers that each stripe gives. */
  readonly length: number
}

const mostStripes = 64
/** Numbers that all stripes together may give, but for two. */
const mostNumbers = 2 ** 22

/** How a task is parted. */
export function partWork<Name extends TaskName>(
  name: Name,
  blocks: readonly Block[],
  given: Given<Name>,
): Work {
  const length = (tasks[name].length as (given: Given<Name>) => number)(given)
  const allowed = Math.max(2, Math.floor(mostNumbers / Math.max(1, length)))
  return { length, stripes: Math.min(mostStripes, allowed, blocks.length) }
}

/** Does a stripe of a task. */
export function doStripe<Name extends TaskName>(
  room: Room,
  name: Name,
  blocks: readonly Block[],
  given: Given<Name>,
  stripe: number,
  { stripes }: Work,
  into: Float64Array,
): void {
  const first = Math.floor((blocks.length * stripe) / stripes)
  const chosen = blocks.slice(first, Math.floor((blocks.length * (stripe + 1)) / stripes))
  const perform = tasks[name].perform as (
    ...all: [Room, readonly Block[], Given<Name>, Float64Array, number]
  ) => void
  perform(room, chosen, given, into, first)
}

/** A crew of the thread that asks. `width` columns are the most that a block has. */
export function workAlone(width: number): Crew {
  const room = new Room(width)
  return {
    run: (name, blocks, given) => {
      const work = partWork(name, blocks, given)
      return Array.from({ length: work.stripes }, (_, stripe) => {
        const into = new Float64Array(work.length)
        doStripe(room, name, blocks, given, stripe, work, into)
        return into
      })
    },
  }
}

/** The sums of what stripes gave, added in their order. */
export function addStripes(stripes: readonly Float64Array[], length: number): Float64Array {
  const sums = new Float64Array(length)
  for (const stripe of stripes) for (let i = 0; i < length; i++) sums[i] = (sums[i] ?? 0) + (stripe[i] ?? 0)
  return sums
}
