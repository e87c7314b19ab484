import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { thumbprintOf } from '#libs/canonical'
import { aClock } from '#libs/testing'
import { FakeCoordinator } from '../testing/fake-coordinator.js'
import { Person } from '../testing/person.js'

const clock = aClock()
let coordinator: FakeCoordinator
let north: Person
beforeEach(async () => {
  coordinator = await FakeCoordinator.start(clock.now)
  north = await Person.make('north', clock.now)
})
afterEach(async () => {
  await north.gone()
  await coordinator.close()
})

const init = (...more: string[]) =>
  north.says('init', '--name', 'north', '--coordinator', coordinator.url, ...more)

describe('sealroom init', () => {
  it('makes an agent whose files are for its owner alone, and pins the log', async () => {
    const { exit, out } = await init()
    expect(exit).toBe(0)
    expect(out).toContain(thumbprintOf(coordinator.log.key.publicKey))
    expect((await stat(north.home)).mode & 0o777).toBe(0o700)
    for (const file of ['config.json', 'consent.key', 'daemon.key', 'recovery.key'])
      expect((await stat(join(north.home, file))).mode & 0o777).toBe(0o600)
    expect((await stat(north.file('unlock'))).mode & 0o777).toBe(0o600)
  })

  it('writes no secret in the clear', async () => {
    await init()
    const config = await readFile(join(north.home, 'config.json'), 'utf8')
    expect(JSON.parse(config)).not.toHaveProperty('seed')
    for (const file of ['consent.key', 'daemon.key', 'recovery.key'])
      expect(Object.keys(JSON.parse(await readFile(join(north.home, file), 'utf8')) as object)).toEqual([
        'ciphertext',
        'kdf',
        'kind',
        'nonce',
        'party',
        'sealroom',
      ])
  })

  it('refuses a log under another key than the one that was compared, and makes nothing', async () => {
    const { exit, err } = await init('--expect-log-key', 'x'.repeat(43))
    expect(exit).toBe(1)
    expect(err).toMatch(/expected x{43}: nothing was made/)
    await expect(readdir(north.home)).rejects.toThrow()
  })

  it('takes the key that was compared', async () => {
    const { exit } = await init(
      '--expect-log-key',
      thumbprintOf(coordinator.log.key.publicKey),
      '--expect-coordinator-key',
      thumbprintOf(coordinator.log.coordinatorKey.publicKey),
    )
    expect(exit).toBe(0)
  })

  it('never overwrites what is there', async () => {
    await init()
    const before = await readFile(join(north.home, 'consent.key'), 'utf8')
    const { exit, err } = await init()
    expect(exit).toBe(2)
    expect(err).toContain('exists already: nothing was made')
    expect(await readFile(join(north.home, 'consent.key'), 'utf8')).toBe(before)
  })

  it('refuses plain HTTP off this machine', async () => {
    const { exit, err } = await north.says(
      'init',
      '--name',
      'north',
      '--coordinator',
      'http://sealroom.example.org',
    )
    expect(exit).toBe(2)
    expect(err).toContain('plain HTTP off loopback')
  })

  it('says that the coordinator does not answer', async () => {
    const { exit, err } = await north.says('init', '--name', 'north', '--coordinator', 'http://127.0.0.1:1')
    expect(exit).toBe(4)
    expect(err).toMatch(/did not answer \[COORDINATOR_UNREACHABLE\]/)
  })

  it('refuses a passphrase that is too short', async () => {
    await writeFile(north.file('passphrase'), 'short\n')
    const { exit, err } = await init()
    expect(exit).toBe(2)
    expect(err).toContain('at least 8 characters')
  })

  it.each(['', 'two words', '-x', '__proto__', 'constructor'])('refuses the name %j', async (name) => {
    const { exit } = await north.says('init', `--name=${name}`, '--coordinator', coordinator.url)
    expect(exit).toBe(2)
  })
})

describe('an agent', () => {
  it('joins with an invitation and shows its keys', async () => {
    const { party } = (
      await north.says('--json', 'init', '--name', 'north', '--coordinator', coordinator.url)
    ).json<{ party: string }>()
    expect((await north.says('identity', 'join', '--invitation', 'x')).exit).toBe(0)
    expect(coordinator.identities.get(party)).toHaveLength(1)
    const shown = (await north.says('--json', 'identity', 'show')).json<{ party: string; sequence: number }>()
    expect(shown).toMatchObject({ party, sequence: 1 })
  })

  it('is refused where its home or its key file is open to others', async () => {
    await init()
    await chmod(north.home, 0o755)
    expect((await north.says('status')).err).toContain(`chmod 700 ${north.home}`)
    await chmod(north.home, 0o700)
    await chmod(north.file('unlock'), 0o644)
    const { exit, err } = await north.says('pins')
    expect(exit).toBe(2)
    expect(err).toContain(`chmod 600 ${north.file('unlock')}`)
  })

  it('stays locked under another key file, with exit code 5', async () => {
    await init()
    await writeFile(north.file('unlock'), new Uint8Array(32))
    const { exit, err } = await north.says('pins')
    expect(exit).toBe(5)
    expect(err).toMatch(/does not open.*\[KEY_STORE_LOCKED\]/)
  })

  it('finds its key file without being told again', async () => {
    await init()
    expect((await north.saysBare('--home', north.home, 'pins')).exit).toBe(0)
  })

  it('is not opened with the daemon key of another agent', async () => {
    await init()
    const other = await Person.make('other', clock.now)
    await other.says('init', '--name', 'other', '--coordinator', coordinator.url)
    await writeFile(join(north.home, 'daemon.key'), await readFile(join(other.home, 'daemon.key')))
    await writeFile(north.file('unlock'), await readFile(other.file('unlock')))
    const { exit, err } = await north.says('pins')
    expect(exit).toBe(1)
    expect(err).toContain('files of two homes are mixed')
    await other.gone()
  })

  it('renews its keys under the same consent key', async () => {
    await init()
    await north.says('identity', 'join', '--invitation', 'x')
    const before = (await north.says('--json', 'identity', 'show')).json<{
      party: string
      daemonKey: string
    }>()
    const renewed = (await north.says('--json', 'identity', 'renew')).json<{
      party: string
      daemonKey: string
      sequence: number
    }>()
    expect(renewed).toMatchObject({ party: before.party, sequence: 2 })
    expect(renewed.daemonKey).not.toBe(before.daemonKey)
    expect((await north.says('--json', 'identity', 'show')).json()).toMatchObject({
      sequence: 2,
      daemonKey: renewed.daemonKey,
    })
    expect(coordinator.identities.get(before.party)).toHaveLength(2)
  })

  it('finishes a renewal whose recording failed, with the same keys', async () => {
    await init()
    await north.says('identity', 'join', '--invitation', 'x')
    coordinator.refusals.set('identity', { code: 'BUSY', detail: 'not now' })
    expect((await north.says('identity', 'renew', '--daemon')).exit).toBe(0)
    const { party } = (await north.says('--json', 'identity', 'show')).json<{ party: string }>()
    expect(coordinator.identities.get(party)).toHaveLength(2)
  })

  it('does not sign with a consent key whose passphrase is another', async () => {
    await init()
    await north.says('identity', 'join', '--invitation', 'x')
    await writeFile(north.file('passphrase'), 'not the passphrase\n')
    const { exit } = await north.says('identity', 'renew')
    expect(exit).toBe(5)
  })
})

describe('pins', () => {
  const thumbprint = `${'k'.repeat(42)}A`
  beforeEach(async () => {
    await init()
  })

  it('are kept by label, and replaced only on purpose', async () => {
    expect((await north.says('pin', 'south', thumbprint)).exit).toBe(0)
    const again = await north.says('pin', 'south', `${'m'.repeat(42)}A`)
    expect(again.exit).toBe(1)
    expect(again.err).toContain('--replace')
    expect((await north.says('pin', 'south', `${'m'.repeat(42)}A`, '--replace')).exit).toBe(0)
    const { pins } = (await north.says('--json', 'pins')).json<{
      pins: { label: string; thumbprint: string }[]
    }>()
    expect(pins.map(({ thumbprint: pinned }) => pinned)).toEqual([`${'m'.repeat(42)}A`])
  })

  it('are forgotten on purpose', async () => {
    await north.says('pin', 'south', thumbprint)
    expect((await north.says('unpin', 'south')).exit).toBe(0)
    expect((await north.says('unpin', 'south')).exit).toBe(2)
  })

  it.each([
    ['south', 'too-short'],
    ['two words', thumbprint],
  ])('refuse %j %j', async (label, key) => {
    expect((await north.says('pin', label, key)).exit).toBe(2)
  })
})
