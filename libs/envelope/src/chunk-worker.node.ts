/** Thread that pumps the runs of blocks it is told to. */
import { parentPort, workerData } from 'node:worker_threads'
import { pumpBlocks, type BlockRun, type PumpJob, type PumpOutcome } from './block-pump.node.js'

/** What the thread answers: how a run ended, or what the system said. */
export type PumpAnswer = { readonly outcome: PumpOutcome } | { readonly failed: string }

const answer = (message: PumpAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (run: BlockRun) => {
  pumpBlocks(workerData as PumpJob, run).then(
    (outcome) => answer({ outcome }),
    (cause: unknown) => answer({ failed: cause instanceof Error ? cause.message : 'unknown' }),
  )
})
