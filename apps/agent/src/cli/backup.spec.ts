import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { aStudy, type Study } from '../testing/study.js'
import type { Person, Said } from '../testing/person.js'

let study: Study
let north: Person
const restored = () => north.file('restored')
const saysRestored = (...words: string[]): Promise<Said> =>
  north.saysBare(
    '--home',
    restored(),
    '--passphrase-file',
    north.file('passphrase'),
    '--key-file',
    north.file('unlock-2'),
    ...words,
  )

beforeAll(async () => {
  study = await aStudy()
  north = study.people.north
  await north.says('rules', 'allow-simulated', 'on')
})
afterAll(async () => {
  await study.end()
})

describe('a backup', () => {
  it('is one sealed file, never written over another', async () => {
    const { exit } = await north.says('backup', north.file('north.backup'))
    expect(exit).toBe(0)
    const text = await readFile(north.file('north.backup'), 'utf8')
    expect(text).not.toContain(study.coordinator.url)
    expect((JSON.parse(text) as { kind: string }).kind).toBe('backup')
    const again = await north.says('backup', north.file('north.backup'))
    expect(again.exit).toBe(2)
    expect(again.err).toContain('exists already')
  })

  it('does not open under another passphrase, nor where it was altered', async () => {
    await writeFile(north.file('other'), 'another passphrase\n', { mode: 0o600 })
    const wrong = await north.saysBare(
      '--home',
      restored(),
      '--passphrase-file',
      north.file('other'),
      'restore',
      north.file('north.backup'),
    )
    expect(wrong.exit).toBe(5)
    const text = await readFile(north.file('north.backup'), 'utf8')
    await writeFile(north.file('altered.backup'), text.replace(/"ciphertext":"./, '"ciphertext":"-'))
    expect((await saysRestored('restore', north.file('altered.backup'))).exit).toBe(5)
    await writeFile(north.file('short.backup'), text.slice(0, 500))
    expect((await saysRestored('restore', north.file('short.backup'))).exit).toBe(1)
  })

  it('becomes a home again, with keys, pins and rules, marked as restored', async () => {
    const { exit, out } = await saysRestored('restore', north.file('north.backup'))
    expect(exit).toBe(0)
    expect(out).toContain(study.keys['north'] ?? '-')
    const pins = (await saysRestored('--json', 'pins')).json<{ own: string; pins: unknown[] }>()
    expect(pins.own).toBe(study.keys['north'])
    expect(pins.pins).toHaveLength(3)
    const status = (await saysRestored('--json', 'status')).json<{ restored: string }>()
    expect(status.restored).toBe('uncounted')
    expect((await saysRestored('rules', 'show')).out).toContain('ALLOWED')
    expect((await saysRestored('identity', 'renew', '--daemon')).exit).toBe(0)
  })

  it('is not restored over a home', async () => {
    const { exit, err } = await saysRestored('restore', north.file('north.backup'))
    expect(exit).toBe(2)
    expect(err).toContain('exists already')
    expect((await readFile(join(restored(), 'config.json'), 'utf8')).length).toBeGreaterThan(10)
  })

  it('lets its people give the number of runs that they know of, and believes no shorter log', async () => {
    const more = await saysRestored('restore', '--count', '3')
    expect(more.exit).toBe(1)
    expect(more.err).toContain('the log may have been cut')
    expect((await saysRestored('restore', '--count', '0')).exit).toBe(0)
    expect((await saysRestored('--json', 'status')).json()).toMatchObject({ restored: 'counted' })
  })

  it('needs a file or a count', async () => {
    expect((await saysRestored('restore')).exit).toBe(2)
    expect((await saysRestored('restore', '--count', 'many')).exit).toBe(2)
  })
})
