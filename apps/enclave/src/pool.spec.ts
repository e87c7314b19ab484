import { describe, expect, it } from 'vitest'
import { keepPool, type Instance } from './pool.js'

class FakeInstance implements Instance {
  stopped = false
  take!: () => void
  end!: () => void
  readonly taken = new Promise<void>((resolve) => {
    this.take = resolve
  })
  readonly ended = new Promise<void>((resolve) => {
    this.end = resolve
  })
  stop() {
    this.stopped = true
    this.end()
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

function aPool(maximumRuns = 4) {
  const started: FakeInstance[] = []
  const gently: boolean[] = []
  const pauses: number[] = []
  const stop = new AbortController()
  const done = keepPool({
    start: (low) => {
      const instance = new FakeInstance()
      started.push(instance)
      gently.push(low)
      return instance
    },
    maximumRuns,
    sleep: (milliseconds) => {
      pauses.push(milliseconds)
      return settled().then(() => undefined)
    },
    signal: stop.signal,
  })
  return { started, gently, pauses, stop, done }
}

describe('keepPool', () => {
  it('starts the next instance as soon as one takes a run', async () => {
    const { started, stop, done } = aPool()
    expect(started).toHaveLength(1)
    started[0]?.take()
    await settled()
    expect(started).toHaveLength(2)
    started[0]?.end()
    stop.abort()
    await done
    expect(started.map(({ stopped }) => stopped)).toEqual([false, true])
  })

  it('warms an instance up gently exactly while another has a run', async () => {
    const { started, gently, stop, done } = aPool()
    started[0]?.take()
    await settled()
    started[0]?.end()
    await settled()
    started[1]?.end()
    await settled()
    await settled()
    expect(gently).toEqual([false, true, false])
    stop.abort()
    await done
  })

  it('keeps no fresh instance beyond the runs that it may work on', async () => {
    const { started, stop, done } = aPool(1)
    started[0]?.take()
    await settled()
    expect(started).toHaveLength(1)
    started[0]?.end()
    await settled()
    expect(started).toHaveLength(2)
    stop.abort()
    await done
  })

  it('asks more seldom where instances end without a run, and is never more than two seconds behind a coordinator that is back', async () => {
    const { started, pauses, stop, done } = aPool()
    for (let i = 0; i < 9; i++) {
      started.at(-1)?.end()
      await settled()
      await settled()
    }
    expect(pauses.slice(0, 4)).toEqual([500, 1000, 2000, 2000])
    expect(Math.max(...pauses)).toBe(2_000)
    stop.abort()
    await done
  })

  it('lets runs under way finish when it is told to stop', async () => {
    const { started, stop, done } = aPool()
    started[0]?.take()
    await settled()
    stop.abort()
    let over = false
    const ended = done.then(() => {
      over = true
    })
    await settled()
    expect(over).toBe(false)
    expect(started[0]?.stopped).toBe(false)
    started[0]?.end()
    await ended
  })
})
