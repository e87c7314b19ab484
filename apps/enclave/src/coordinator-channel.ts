/** The channel of a run over the coordinator's interface, and how an instance comes by a run. */
import {
  ClientError,
  CoordinatorClient,
  downloadBlob,
  fetchLogInfo,
  uploadHandle,
  type Connection,
} from '#libs/client'
import type { Assignment, RegisterWorker } from '#libs/protocol'
import { limits } from './limits.js'
import type { RunChannel } from './run-channel.js'

/** Makes this instance known to the coordinator, under a key of its own. */
export async function register(connection: Connection, registration: RegisterWorker): Promise<void> {
  await new CoordinatorClient(connection).registerWorker(registration)
}

/**
 * Waits until the coordinator reserves this instance for a run; for ever, since an idle instance has nothing else to do. A
 * coordinator that was started anew still knows it, so an instance that is warm outlives the gap.
 */
export async function awaitAssignment(connection: Connection): Promise<Assignment> {
  const client = new CoordinatorClient(connection)
  for (;;) {
    const assignment = await repeated(() => client.assignment(limits.pollSeconds))
    if (assignment !== null) return assignment
  }
}

/** The door of one run. What may be repeated without harm is, where an answer was lost. */
export function coordinatorChannel(connection: Connection, run: string): RunChannel {
  // Every question ends in bounded time, answered or not: an enclave that holds keys does not wait for ever.
  const within = (seconds: number) => ({ ...connection, signal: AbortSignal.timeout(seconds * 1000) })
  const ask = <T>(
    question: (client: CoordinatorClient) => Promise<T>,
    seconds: number = limits.answerSeconds,
  ) => repeated(() => question(new CoordinatorClient(within(seconds))))
  return {
    run: (version, waitSeconds) =>
      ask((client) => client.workerRun(run, version, waitSeconds), waitSeconds + limits.answerSeconds),
    log: () => repeated(() => fetchLogInfo(connection.url)),
    checkpoint: () => ask((client) => client.checkpointOf(run)),
    inclusion: (digest, size) => ask((client) => client.inclusion(digest, size)),
    record: (statement, attachment) =>
      ask((client) => client.record(statement, attachment === undefined ? {} : { attachment })),
    download: (blob, into) => repeated(() => downloadBlob(within(limits.transferSeconds), into, blob)),
    upload: (blob, from) => repeated(() => uploadHandle(within(limits.transferSeconds), from, blob)),
    end: async (end) => {
      await ask((client) => client.endWorker(run, end))
    },
  }
}

/** Sends again what may have been lost on the way; what the coordinator refused stays refused. */
async function repeated<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await send()
    } catch (error) {
      const lost = error instanceof ClientError && error.code === 'COORDINATOR_UNREACHABLE'
      if (!lost || attempt >= limits.sendAttempts) throw error
      const milliseconds = Math.min(100 * 2 ** attempt, limits.sendPauseMilliseconds)
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
    }
}
