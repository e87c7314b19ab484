/** Thread that pumps the runs of blocks it is told to. */
import { parentPort, workerData } from 'node:worker_threads'
import { pumpBlocks, type BlockRun, type PumpJob } from './block-pump.node.js'
import { EnvelopeError, type EnvelopeErrorCode } from './errors.js'

/** What the thread answers: the run is done, or why not. */
export type PumpAnswer =
  { readonly done: BlockRun } | { readonly failed: EnvelopeErrorCode; readonly message: string }

const answer = (message: PumpAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', (run: BlockRun) => {
  pumpBlocks(workerData as PumpJob, run).then(
    () => answer({ done: run }),
    (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : 'unknown'
      answer({ failed: cause instanceof EnvelopeError ? cause.code : 'FILE_FAILED', message })
    },
  )
})
