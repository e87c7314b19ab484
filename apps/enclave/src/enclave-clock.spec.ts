import { describe, expect, it } from 'vitest'
import { EnclaveClock } from './enclave-clock.js'
import { EnclaveError } from './errors.js'

const noon = Date.parse('2026-11-23T12:00:00.000Z')

function aCounter() {
  let count = 5
  return { monotonic: () => count, pass: (milliseconds: number) => (count += milliseconds) }
}

describe('EnclaveClock', () => {
  it('knows no time before a data owner has signed one', () => {
    expect(() => new EnclaveClock(() => 0).now()).toThrow(EnclaveError)
  })

  it('goes on from the latest signed time by its own count', () => {
    const { monotonic, pass } = aCounter()
    const clock = new EnclaveClock(monotonic)
    clock.hear('2026-11-23T12:00:00.000Z')
    pass(1500.7)
    expect(clock.now()).toBe(noon + 1500)
    clock.hear(noon + 10_000)
    expect(clock.now()).toBe(noon + 10_000)
  })

  it('is not set back by an older time, nor by one that its own count has passed', () => {
    const { monotonic, pass } = aCounter()
    const clock = new EnclaveClock(monotonic)
    clock.hear(noon)
    pass(60_000)
    clock.hear(noon + 30_000)
    clock.hear(noon - 1)
    expect(clock.now()).toBe(noon + 60_000)
  })

  it('takes no text that is no time', () => {
    const clock = new EnclaveClock(() => 0)
    clock.hear(noon)
    clock.hear('tomorrow')
    expect(clock.now()).toBe(noon)
  })
})
