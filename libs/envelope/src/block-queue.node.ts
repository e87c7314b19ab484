/**
 * Where the threads of one job take their blocks from: a counter in memory they share. None waits to be told what is next,
 * however busy the caller's own thread is, and whichever is faster does more.
 */

/** A run of blocks. */
export interface BlockRun {
  readonly first: number
  readonly count: number
}

/** Told of a run when it is done. */
export type RunDone = (run: BlockRun) => void

/** Gives out each of a number of blocks once, in order, to whoever asks. */
export class BlockQueue {
  private readonly next: BigInt64Array

  /** @param memory - of a queue of another thread over as many blocks, for both to be one */
  constructor(
    readonly blocks: number,
    readonly memory = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT),
  ) {
    this.next = new BigInt64Array(memory)
  }

  /** The next blocks, at most so many; undefined when there are none. */
  take(most: number): BlockRun | undefined {
    const first = Number(Atomics.add(this.next, 0, BigInt(most)))
    if (first >= this.blocks) return undefined
    return { first, count: Math.min(most, this.blocks - first) }
  }

  /** Gives out no more blocks to anyone. */
  stop(): void {
    Atomics.store(this.next, 0, BigInt(this.blocks))
  }
}
