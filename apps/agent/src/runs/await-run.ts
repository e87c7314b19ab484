/** Waits until a run has ended, asking the coordinator to answer as soon as it is in another state. */
import { runEndStates, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'

/** Within a state, news of whom it waits for comes this often. */
const lookAgainSeconds = 5
/** Where a coordinator answers at once that nothing changed, it is not asked without end. */
const leastMilliseconds = 100

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
  let view = await agent.client.run(run)
  onState(view)
  while (!hasEnded(view)) {
    const next = await unlessStopped(signal, agent.client.runAfter(run, view.state, lookAgainSeconds))
    if (next === null) throw new AgentError('WAITING', `run ${run} goes on: see \`sealroom run show ${run}\``)
    if (next.version !== view.version) onState(next)
    if (next.state === view.state) await wait(leastMilliseconds, signal)
    view = next
  }
  return view
}

/** The answer, or null as soon as the person stops waiting for it. */
async function unlessStopped<T>(signal: AbortSignal, answer: Promise<T>): Promise<T | null> {
  let stop: () => void = () => undefined
  const stopped = new Promise<null>((resolve) => {
    stop = () => {
      resolve(null)
    }
  })
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([answer, stopped])
  } finally {
    answer.catch(() => undefined)
    signal.removeEventListener('abort', stop)
  }
}
