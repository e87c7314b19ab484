/** Spreads the blocks of a file over threads, and tells how far the file is done from its beginning without a gap. */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { blockCount, pumpBlocks, type BlockRun, type PumpJob, type PumpOutcome } from './block-pump.node.js'
import { blockLength } from './chunk-cipher.node.js'
import type { PumpAnswer } from './chunk-worker.node.js'
import { EnvelopeError, openFailed } from './errors.js'
import { workerUrl } from './worker-url.node.js'

/** How many threads may work on one file. */
export type ThreadCount = 1 | 2

/** Told after each run how many blocks are done from the first one on. */
export type BlocksDone = (blocks: number) => void

/** A message to a thread costs some 50 µs, a run of 16 MiB some 10 ms. */
const blocksPerRun = 128
/** What the caller's own thread does between two turns of its loop: a mebibyte, under a millisecond. */
const blocksPerTurn = 8
/** A thread takes some 30 ms to start: smaller files are done in the caller's, block by block between turns of its loop. */
const inlineLimit = 64 * blockLength

/**
 * Does a whole job. When it fails, no thread writes any more.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`.
 */
export async function pumpFile(job: PumpJob, threads: ThreadCount, onDone: BlocksDone): Promise<void> {
  const tell = withoutGaps(onDone)
  if (job.plaintextSize <= inlineLimit) {
    for (const run of runsOf(job, blocksPerTurn)) {
      expectDone(pumpHere(job, run))
      tell(run)
      await setImmediate()
    }
    return
  }
  const runs = runsOf(job, blocksPerRun)
  const workers = Array.from(
    { length: threads },
    () => new Worker(workerUrl('chunk-worker.node'), { workerData: job, execArgv: [] }),
  )
  try {
    await Promise.all(workers.map((worker) => drive(worker, runs, tell)))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

// All threads take from one iterator, so the faster one takes more.
async function drive(worker: Worker, runs: Iterator<BlockRun>, tell: (run: BlockRun) => void): Promise<void> {
  for (let next = runs.next(); next.done !== true; next = runs.next()) {
    worker.postMessage(next.value)
    const answer = await nextAnswer(worker)
    if ('failed' in answer) asEnvelopeError(new Error(answer.failed))
    else expectDone(answer.outcome)
    tell(next.value)
  }
}

function pumpHere(job: PumpJob, run: BlockRun): PumpOutcome {
  try {
    return pumpBlocks(job, run)
  } catch (error) {
    return asEnvelopeError(error)
  }
}

function expectDone(outcome: PumpOutcome): void {
  if (outcome === 'refused') throw openFailed()
  if (outcome === 'shortened') throw new EnvelopeError('FILE_FAILED', 'the input is shorter than it was')
}

async function nextAnswer(worker: Worker): Promise<PumpAnswer> {
  const settled = new AbortController()
  const ended = once(worker, 'exit', { signal: settled.signal }).then(() => {
    throw new EnvelopeError('FILE_FAILED', 'a thread ended before its work')
  })
  try {
    // An error event rejects either; what comes first settles it.
    const [answer] = (await Promise.race([once(worker, 'message', { signal: settled.signal }), ended])) as [
      PumpAnswer,
    ]
    return answer
  } catch (error) {
    return asEnvelopeError(error)
  } finally {
    settled.abort()
    ended.catch(() => undefined)
  }
}

function* runsOf(job: PumpJob, length: number): Generator<BlockRun> {
  const blocks = blockCount(job.plaintextSize)
  for (let first = 0; first < blocks; first += length)
    yield { first, count: Math.min(length, blocks - first) }
}

function withoutGaps(onDone: BlocksDone): (run: BlockRun) => void {
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

function asEnvelopeError(error: unknown): never {
  if (error instanceof EnvelopeError) throw error
  const reason = error instanceof Error ? error.message : 'unknown'
  throw new EnvelopeError('FILE_FAILED', `a file could not be read or written: ${reason}`, { cause: error })
}
