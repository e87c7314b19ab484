/** Waits until a run has ended, woken by the coordinator and looking by itself now and then. */
import { runEndStates, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { listenForWakeUps } from '../daemon/wake.js'
import { AgentError } from '../errors.js'

const lookAgainMilliseconds = 1000

export interface Waiting {
  readonly signal: AbortSignal
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  /** Told of every change of state. */
  readonly onState: (view: RunView) => void
}

/** Whether nothing more will happen in a run. */
export function hasEnded(view: Pick<RunView, 'state'>): boolean {
  return (runEndStates as readonly string[]).includes(view.state)
}

/**
 * The run, once it has ended.
 * @throws AgentError `WAITING` where the person stops waiting.
 */
export async function awaitRun(
  agent: Agent,
  run: string,
  { signal, wait, onState }: Waiting,
): Promise<RunView> {
  const listening = new AbortController()
  const stop = () => {
    listening.abort()
  }
  signal.addEventListener('abort', stop, { once: true })
  const woken = wakeUps()
  listenForWakeUps(agent.client.connection, listening.signal, woken.wake)
  try {
    let version = -1
    for (;;) {
      const round = new AbortController()
      const waking = woken.next()
      const view = await agent.client.run(run)
      if (view.version !== version) onState(view)
      version = view.version
      if (hasEnded(view)) return view
      await Promise.race([waking, wait(lookAgainMilliseconds, AbortSignal.any([round.signal, signal]))])
      round.abort()
      if (signal.aborted)
        throw new AgentError('WAITING', `run ${run} goes on: see \`sealroom run show ${run}\``)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    listening.abort()
  }
}

function wakeUps(): { wake: () => void; next: () => Promise<void> } {
  let resolve: () => void = () => undefined
  return {
    wake: () => {
      resolve()
    },
    next: () =>
      new Promise((done) => {
        resolve = done
      }),
  }
}
