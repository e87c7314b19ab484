/** Thread that pumps the runs of blocks it is told to. */
import { parentPort, workerData } from 'node:worker_threads'
import { pumpBlocks, type BlockRun, type PumpJob, type PumpOutcome } from './block-pump.node.js'

/** What the thread answers: how a run ended, or what the system said. */
export type PumpAnswer = { readonly outcome: PumpOutcome } | { readonly failed: string }

parentPort?.on('message', (run: BlockRun) => {
  parentPort?.postMessage(answerTo(run))
})

function answerTo(run: BlockRun): PumpAnswer {
  try {
    return { outcome: pumpBlocks(workerData as PumpJob, run) }
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : 'unknown' }
  }
}
