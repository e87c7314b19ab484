/**
 * Threads that pump blocks. One takes some 30 ms to start and as much to compile its code, together a tenth of what two need
 * for a gibibyte. So the last that ended its job well is kept a while for the next; it keeps no process alive.
 */
import { Worker } from 'node:worker_threads'
import type { PumpJob, PumpOutcome } from './block-pump.node.js'
import type { BlockQueue, RunDone } from './block-queue.node.js'
import type { ChunkWorkerMessage, ChunkWork } from './chunk-worker.node.js'
import { EnvelopeError, fileFailed } from './errors.js'
import { workerUrl } from './worker-url.node.js'

/** Every chunk leaves a buffer behind; collected often, they stay in the cache and memory stays small. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 }
/** With the thread its chunk key goes too, whether its memory was collected or not. */
const idleMilliseconds = 5_000

let idle: ChunkThread | undefined

/** The thread that is kept, or a new one. Give it to {@link keepChunkThread} or close it. */
export function takeChunkThread(): ChunkThread {
  const thread = idle ?? new ChunkThread()
  idle = undefined
  thread.hold()
  return thread
}

/** Keeps a thread whose job ended well; of two the newer one. */
export function keepChunkThread(thread: ChunkThread): void {
  void idle?.close()
  idle = thread
  thread.release(() => {
    if (idle === thread) idle = undefined
  })
}

/** One thread, which does one job at a time. */
export class ChunkThread {
  /** whether it has begun to run */
  online = false
  private readonly worker = new Worker(workerUrl('chunk-worker.node'), { execArgv: [], resourceLimits })
  private onDone: RunDone = () => undefined
  private onEnd: (outcome: PumpOutcome | Error) => void = () => undefined
  private forget: () => void = () => undefined
  private timer: NodeJS.Timeout | undefined

  constructor() {
    this.worker.once('online', () => (this.online = true))
    this.worker.on('message', (message: ChunkWorkerMessage) => {
      if ('done' in message) this.onDone(message.done)
      else this.onEnd('failed' in message ? new Error(message.failed) : message.ended)
    })
    this.worker.on('error', (cause) => {
      this.onEnd(cause instanceof Error ? cause : new Error('unknown'))
    })
    this.worker.on('exit', () => {
      this.forget()
      this.onEnd(new EnvelopeError('FILE_FAILED', 'a thread ended before its work'))
    })
  }

  /**
   * Pumps what the queue gives to this thread.
   * @param onDone - told of each run; what it throws ends the job
   * @throws EnvelopeError `FILE_FAILED`; close the thread then, since it may be at work still.
   */
  pump(job: PumpJob, queue: BlockQueue, onDone: RunDone): Promise<PumpOutcome> {
    return new Promise((resolve, reject) => {
      this.onEnd = (outcome) => {
        if (outcome instanceof Error) reject(fileFailed(outcome))
        else resolve(outcome)
      }
      this.onDone = (run) => {
        try {
          onDone(run)
        } catch (error) {
          reject(error instanceof Error ? error : fileFailed(error))
        }
      }
      const work: ChunkWork = { job, blocks: queue.blocks, memory: queue.memory }
      this.worker.postMessage(work)
    })
  }

  /** Has the process wait for this thread. */
  hold(): void {
    clearTimeout(this.timer)
    this.worker.ref()
  }

  /** Ends the thread in a while, if it is not held again; `forget` is told when it ends by itself or so. */
  release(forget: () => void): void {
    this.onDone = () => undefined
    this.onEnd = () => undefined
    this.forget = forget
    this.worker.unref()
    this.timer = setTimeout(() => {
      void this.close()
    }, idleMilliseconds)
    this.timer.unref()
  }

  /** Ends the thread, whatever it does; it writes nothing any more once this is done. */
  async close(): Promise<void> {
    clearTimeout(this.timer)
    this.forget()
    await this.worker.terminate()
  }
}
