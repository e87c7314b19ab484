import { beforeEach, describe, expect, it } from 'vitest'
import type { Verified } from '#libs/canonical'
import type { KeyRelease, Renewal } from '#libs/protocol'
import { aClock, type TestClock } from '#libs/testing'
import { EnclaveClock } from './enclave-clock.js'
import { Leases } from './leases.js'

const owner = 'n'.repeat(43)

describe('Leases', () => {
  let time: TestClock
  let leases: Leases

  const release = (leaseUntil: string, issuedAt = time.iso()) =>
    ({ id: 'r', payload: { by: owner, issuedAt, leaseUntil } }) as unknown as Verified<KeyRelease>
  const renewal = (sequence: number, leaseUntil: string) =>
    ({
      id: `n${sequence}`,
      payload: { by: owner, issuedAt: time.iso(), sequence, leaseUntil },
    }) as unknown as Verified<Renewal>

  beforeEach(() => {
    time = aClock()
    const clock = new EnclaveClock(time.now)
    clock.hear(time.now())
    leases = new Leases(clock, 60)
  })

  it('ends with the time that the release names, and names the owner', () => {
    leases.begin(release(time.iso(30_000)))
    time.advance(29_999)
    leases.check()
    time.advance(1)
    expect(() => {
      leases.check()
    }).toThrow(expect.objectContaining({ code: 'LEASE_LOST', owner }))
  })

  it('is never longer than the contract lets a lease be', () => {
    leases.begin(release(time.iso(3_600_000)))
    time.advance(60_000)
    expect(leases.firstLost()).toBe(owner)
  })

  it('counts the shortest of several releases of one owner', () => {
    leases.begin(release(time.iso(50_000)))
    leases.begin(release(time.iso(20_000)))
    time.advance(20_000)
    expect(leases.firstLost()).toBe(owner)
  })

  it('goes on with a newer Renewal, and with no older or repeated one', () => {
    leases.begin(release(time.iso(30_000)))
    leases.renew(renewal(2, time.iso(40_000)))
    leases.renew(renewal(1, time.iso(55_000)))
    leases.renew(renewal(2, time.iso(55_000)))
    expect(leases.untilText(owner)).toBe(time.iso(40_000))
    expect(leases.lastRenewals()).toEqual([{ owner, renewal: 'n2' }])
  })

  it('may be shortened by its owner', () => {
    leases.begin(release(time.iso(30_000)))
    leases.renew(renewal(1, time.iso(0)))
    expect(leases.firstLost()).toBe(owner)
  })

  it('cannot be renewed where there is none', () => {
    leases.renew(renewal(1, time.iso(50_000)))
    expect(leases.lastRenewals()).toEqual([])
    expect(leases.untilText(owner)).toBe('1970-01-01T00:00:00.000Z')
  })
})
