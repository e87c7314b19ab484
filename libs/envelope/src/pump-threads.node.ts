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
/** Smaller files are done before a thread has started. */
const inlineLimit = 64 * blockLength
/** Every chunk leaves a buffer behind; collected often, they stay in the cache and memory stays small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }

/**
 * Does a whole job. A thread takes some 30 ms to start, so the caller's begins; it never works long between two turns of its
 * loop. When the job fails, no thread writes any more.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`.
 */
export async function pumpFile(job: PumpJob, threads: ThreadCount, onDone: BlocksDone): Promise<void> {
  const take = runsOf(job)
  const tell = withoutGaps(onDone)
  const workers = Array.from({ length: job.plaintextSize <= inlineLimit ? 0 : threads }, startWorker(job))
  const started = { any: false }
  for (const worker of workers) worker.once('online', () => (started.any = true))
  const driven = Promise.all(workers.map((worker) => drive(worker, take, tell)))
  try {
    // Below, whatever comes first is thrown; a thread that fails meanwhile must not count as unhandled.
    driven.catch(() => undefined)
    while (!started.any) {
      const run = take(blocksPerTurn)
      if (run === undefined) break
      expectDone(pumpHere(job, run))
      tell(run)
      await setImmediate()
    }
    await driven
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

function startWorker(job: PumpJob): () => Worker {
  return () => new Worker(workerUrl('chunk-worker.node'), { workerData: job, execArgv: [], resourceLimits })
}

// All threads take from one place, so the faster one takes more.
async function drive(worker: Worker, take: TakeRun, tell: (run: BlockRun) => void): Promise<void> {
  for (let run = take(blocksPerRun); run !== undefined; run = take(blocksPerRun)) {
    worker.postMessage(run)
    const answer = await nextAnswer(worker)
    if ('failed' in answer) asEnvelopeError(new Error(answer.failed))
    else expectDone(answer.outcome)
    tell(run)
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

/** Gives the next blocks to do, at most so many, until there are none. */
type TakeRun = (blocks: number) => BlockRun | undefined

function runsOf(job: PumpJob): TakeRun {
  const blocks = blockCount(job.plaintextSize)
  let first = 0
  return (length) => {
    if (first >= blocks) return undefined
    const run = { first, count: Math.min(length, blocks - first) }
    first += run.count
    return run
  }
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
