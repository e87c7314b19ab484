/**
 * Keeps one fresh instance waiting, registered and with a warm engine that has seen no data, and starts the next as soon as that one
 * takes a run. An instance is a process of its own that ends with its run, so nothing of one run is there when another begins.
 */

/** One process of the worker, as its pool sees it. */
export interface Instance {
  /** Resolves when the instance has a run. */
  readonly taken: Promise<void>
  /** Resolves when its process has ended, for whatever reason. */
  readonly ended: Promise<void>
  /** Asks it to end; one with a run finishes that first. */
  stop(): void
}

export interface PoolOptions {
  /** `gently` where a run is under way, from which warming up should take no processor time. */
  readonly start: (gently: boolean) => Instance
  /** At so many runs no fresh instance is started until one ends. */
  readonly maximumRuns: number
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

const firstPauseMilliseconds = 500
/** Short: runs wait for a fresh instance from the moment the coordinator is back. */
const longestPauseMilliseconds = 2_000

/** Runs until the signal, then waits for the runs that are under way. */
export async function keepPool(options: PoolOptions): Promise<void> {
  const running = new Set<Promise<void>>()
  const aborted = new Promise<void>((resolve) => {
    options.signal.addEventListener(
      'abort',
      () => {
        resolve()
      },
      { once: true },
    )
  })
  const stopped = () => options.signal.aborted
  let failures = 0
  while (!stopped()) {
    const instance = options.start(running.size > 0)
    const fate = await Promise.race([
      instance.taken.then(() => 'taken' as const),
      instance.ended.then(() => 'ended' as const),
      aborted.then(() => 'aborted' as const),
    ])
    if (fate === 'ended') {
      // An instance that ends without a run could not reach the coordinator, or was refused: ask more and more seldom.
      await options.sleep(pauseAfter(++failures), options.signal)
      continue
    }
    const ended: Promise<void> = instance.ended.then(() => {
      running.delete(ended)
    })
    running.add(ended)
    if (fate === 'aborted') instance.stop()
    failures = 0
    while (running.size >= options.maximumRuns && !stopped()) await Promise.race([...running, aborted])
  }
  await Promise.all(running)
}

function pauseAfter(failures: number): number {
  return Math.min(longestPauseMilliseconds, firstPauseMilliseconds * 2 ** (failures - 1))
}
