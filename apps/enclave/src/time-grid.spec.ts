import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aClock } from '#libs/testing'
import { EnclaveClock } from './enclave-clock.js'
import { TimeGrid } from './time-grid.js'

function aGrid(step: number) {
  const time = aClock()
  const clock = new EnclaveClock(time.now)
  clock.hear(time.now())
  const begun = time.now()
  const sleep = (milliseconds: number) => {
    time.advance(Math.max(1, milliseconds))
    return Promise.resolve()
  }
  return { time, begun, grid: new TimeGrid(clock, { mark: clock.mark(), time: clock.now() }, step, sleep) }
}

describe('TimeGrid', () => {
  it('leaves at the next point, and says that time', async () => {
    const { time, begun, grid } = aGrid(100)
    time.advance(230)
    expect(await grid.nextPoint()).toBe(new Date(begun + 300).toISOString())
    expect(time.now()).toBe(begun + 300)
  })

  it('does not leave at a point that has begun already', async () => {
    const { time, begun, grid } = aGrid(100)
    time.advance(200)
    await grid.nextPoint()
    expect(time.now()).toBe(begun + 300)
  })

  it('goes to sleep again where a timer fires early', async () => {
    const time = aClock()
    const clock = new EnclaveClock(time.now)
    clock.hear(time.now())
    const begun = time.now()
    const sleep = () => {
      time.advance(7)
      return Promise.resolve()
    }
    await new TimeGrid(clock, { mark: clock.mark(), time: begun }, 50, sleep).nextPoint()
    expect(time.now() - begun).toBe(56)
  })

  it('tells only the number of points, whatever the work took', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(100_000), fc.integer({ min: 1, max: 5000 }), async (took, step) => {
        const { time, begun, grid } = aGrid(step)
        time.advance(took)
        const point = Date.parse(await grid.nextPoint()) - begun
        expect(point % step).toBe(0)
        expect(point).toBeGreaterThan(took)
        expect(point - took).toBeLessThanOrEqual(step)
      }),
    )
  })
})
