/** The peer of sealing: node's bare cipher in one or two threads that are running before anything is timed. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { BareWork } from './bare-cipher-worker.js'

const chunksPerMebibyte = 64

/** Threads of the peer; `close` ends them. */
export interface BareCipher {
  /** Does so many mebibytes, which the threads share as they come to it. */
  readonly run: (operation: 'seal' | 'open', threads: 1 | 2, mebibytes: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** Starts the threads, and waits until they are warm. */
export async function startBareCipher(): Promise<BareCipher> {
  const workers = [0, 1].map(() => new Worker(new URL('./bare-cipher-worker.js', import.meta.url)))
  await Promise.all(workers.map(nextMessage))
  return {
    run: async (operation, threads, mebibytes) => {
      const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
      const work: BareWork = { operation, chunks: mebibytes * chunksPerMebibyte, taken }
      const working = workers.slice(0, threads)
      const done = Promise.all(working.map(nextMessage))
      for (const worker of working) worker.postMessage(work)
      await done
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** An error event of the thread rejects it. */
function nextMessage(worker: Worker): Promise<unknown> {
  return once(worker, 'message')
}
