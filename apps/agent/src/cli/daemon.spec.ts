import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aStudy, type Study } from '../testing/study.js'
import type { Person } from '../testing/person.js'

let study: Study
let north: Person
beforeEach(async () => {
  study = await aStudy()
  north = study.people.north
})
afterEach(async () => {
  await study.end()
})

describe('sealroom daemon', () => {
  it('holds the store, and other commands go through it', async () => {
    const daemon = await north.startsDaemon()
    expect((await north.says('pin', 'other', `${'o'.repeat(42)}A`)).exit).toBe(0)
    const status = (await north.says('--json', 'status')).json<{
      daemon: { pid: number } | null
      pins: number
    }>()
    expect(status.daemon?.pid).toBe(process.pid)
    expect(status.pins).toBe(4)
    expect((await north.says('backup', north.file('b'))).exit).toBe(0)
    expect((await daemon.stop()).exit).toBe(0)
    expect((await north.says('--json', 'status')).json()).toMatchObject({ daemon: null, pins: 4 })
    expect(await readdir(north.home)).not.toContain('control.sock')
  })

  it('is refused a second time on the same store, with exit code 5', async () => {
    const daemon = await north.startsDaemon()
    const second = await north.says('daemon')
    expect(second.exit).toBe(5)
    expect(second.err).toMatch(/a daemon already runs on .*process \d+/)
    await daemon.stop()
  })

  it('ends when it is told to by another command', async () => {
    const daemon = await north.startsDaemon()
    expect((await north.says('daemon', '--stop')).exit).toBe(0)
    expect((await daemon.ended).exit).toBe(0)
    expect((await north.says('daemon', '--stop')).exit).toBe(2)
  })

  it('goes on with new keys after a renewal', async () => {
    const daemon = await north.startsDaemon()
    const renewed = (await north.says('--json', 'identity', 'renew')).json<{
      daemonKey: string
      sequence: number
    }>()
    expect(renewed.sequence).toBe(2)
    const shown = (await north.says('--json', 'identity', 'show')).json<{ daemonKey: string }>()
    expect(shown.daemonKey).toBe(renewed.daemonKey)
    const { err } = await daemon.stop()
    expect(err.match(/daemon started/g)).toHaveLength(2)
  })

  it('does not start where its keys do not open', async () => {
    const { exit } = await north.saysBare('--home', north.home, '--key-file', north.file('nothing'), 'daemon')
    expect(exit).toBe(2)
  })
})
