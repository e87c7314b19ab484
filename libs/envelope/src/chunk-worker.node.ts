/** Thread that pumps blocks of a file as long as its job's queue gives any, one job after the other. */
import { parentPort } from 'node:worker_threads'
import { blockPump, type PumpJob, type PumpOutcome } from './block-pump.node.js'
import { BlockQueue, type BlockRun } from './block-queue.node.js'

/** What the thread is sent: a job, and the queue it shares. */
export interface ChunkWork {
  readonly job: PumpJob
  readonly blocks: number
  readonly memory: SharedArrayBuffer
}

/** What the thread tells: each run that is done, and at a job's end how the last one went or what the system said. */
export type ChunkWorkerMessage =
  { readonly done: BlockRun } | { readonly ended: PumpOutcome } | { readonly failed: string }

/** 4 MiB: some 2 ms, beside which the message that they are done is cheap; so long may one thread wait for the other's last. */
const blocksPerRun = 32

const tell = (message: ChunkWorkerMessage) => parentPort?.postMessage(message)
parentPort?.on('message', (work: ChunkWork) => {
  tell(pumpAll(work))
})

function pumpAll({ job, blocks, memory }: ChunkWork): ChunkWorkerMessage {
  try {
    const queue = new BlockQueue(blocks, memory)
    const pump = blockPump(job)
    for (let run = queue.take(blocksPerRun); run !== undefined; run = queue.take(blocksPerRun)) {
      const outcome = pump(run)
      if (outcome !== 'done') return { ended: outcome }
      tell({ done: run })
    }
    return { ended: 'done' }
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : 'unknown' }
  }
}
