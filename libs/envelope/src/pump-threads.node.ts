/** Spreads the blocks of a file over threads, and tells how far the file is done from its beginning without a gap. */
import { setImmediate } from 'node:timers/promises'
import { blockCount, blockPump, type PumpJob, type PumpOutcome } from './block-pump.node.js'
import { BlockQueue, type BlockRun, type RunDone } from './block-queue.node.js'
import { blockLength } from './chunk-cipher.node.js'
import { keepChunkThread, takeChunkThread } from './chunk-thread.node.js'
import { EnvelopeError, fileFailed, openFailed } from './errors.js'

/**
 * How many threads may work on one file. 1 leaves the caller's own to the caller, but for the start. With 2 it works beside
 * the other to the end, in turns of under a millisecond: nothing in it waits longer for those, but it is never idle.
 */
export type ThreadCount = 1 | 2

/** Told after each run how many blocks are done from the first one on. */
export type BlocksDone = (blocks: number) => void

/** What the caller's own thread does between two turns of its loop: a mebibyte, under a millisecond. */
const blocksPerTurn = 8
/** Smaller files are done before a thread has started. */
const inlineLimit = 64 * blockLength

/**
 * Does a whole job. While its thread starts, the caller's begins. When the job fails, no thread writes any more.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`.
 */
export async function pumpFile(job: PumpJob, threads: ThreadCount, onDone: BlocksDone): Promise<void> {
  const queue = new BlockQueue(blockCount(job.plaintextSize))
  const tell = withoutGaps(onDone)
  if (job.plaintextSize <= inlineLimit) {
    await pumpInTurns(job, queue, tell, () => true)
    return
  }
  const thread = takeChunkThread()
  try {
    await Promise.all([
      thread.pump(job, queue, tell).then(expectDone),
      pumpInTurns(job, queue, tell, () => threads === 2 || !thread.online),
    ])
  } catch (error) {
    // A turn of this thread takes nothing any more, and what the other took is done or cut short.
    queue.stop()
    await thread.close()
    throw error
  }
  keepChunkThread(thread)
}

async function pumpInTurns(
  job: PumpJob,
  queue: BlockQueue,
  tell: RunDone,
  goOn: () => boolean,
): Promise<void> {
  const pump = blockPump(job)
  while (goOn()) {
    const run = queue.take(blocksPerTurn)
    if (run === undefined) return
    expectDone(pumpHere(pump, run))
    tell(run)
    await setImmediate()
  }
}

function pumpHere(pump: (run: BlockRun) => PumpOutcome, run: BlockRun): PumpOutcome {
  try {
    return pump(run)
  } catch (cause) {
    throw fileFailed(cause)
  }
}

function expectDone(outcome: PumpOutcome): void {
  if (outcome === 'refused') throw openFailed()
  if (outcome === 'shortened') throw new EnvelopeError('FILE_FAILED', 'the input is shorter than it was')
}

function withoutGaps(onDone: BlocksDone): RunDone {
  const ahead = new Map<number, number>()
  let blocks = 0
  return (run) => {
    ahead.set(run.first, run.count)
    for (let count = ahead.get(blocks); count !== undefined; count = ahead.get(blocks)) {
      ahead.delete(blocks)
      blocks += count
    }
    onDone(blocks)
  }
}
