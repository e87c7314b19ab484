import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { seededBytes } from '#libs/testing'
import type { AgentError } from '../errors.js'
import { expectPassphrase, makeKeyFile, readKeyFile, readPassphrase } from './unlock.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealroom-unlock-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await work.then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => ({ code: (error as AgentError).code, message: (error as AgentError).message }),
  )
}

describe('a key file', () => {
  it('is made once, for its owner alone, and read from then on', async () => {
    const file = join(folder, 'unlock')
    const made = await makeKeyFile(file, seededBytes('a'))
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await makeKeyFile(file, seededBytes('b'))).toEqual(made)
    expect(await readKeyFile(file)).toEqual(made)
  })

  it.each([0o640, 0o604, 0o660, 0o644])(
    'is refused where its mode is %o, with how to mend it',
    async (mode) => {
      const file = join(folder, 'unlock')
      await makeKeyFile(file, seededBytes('a'))
      await chmod(file, mode)
      const { code, message } = await failureOf(readKeyFile(file))
      expect(code).toBe('HOME_INVALID')
      expect(message).toContain(`chmod 600 ${file}`)
    },
  )

  it.each([0, 31, 33, 5000])('is refused where it has %i bytes', async (length) => {
    const file = join(folder, 'unlock')
    await writeFile(file, new Uint8Array(length), { mode: 0o600 })
    expect((await failureOf(readKeyFile(file))).code).toBe('KEY_STORE_LOCKED')
  })

  it('is refused where it is a folder or not there', async () => {
    expect((await failureOf(readKeyFile(folder))).code).toBe('HOME_INVALID')
    expect((await failureOf(readKeyFile(join(folder, 'none')))).code).toBe('FILE_UNREADABLE')
  })
})

describe('a passphrase', () => {
  it('is one line of a file of mode 0600', async () => {
    const file = join(folder, 'passphrase')
    await writeFile(file, 'a long one\n', { mode: 0o600 })
    expect(await readPassphrase(file, null, 'passphrase')).toEqual({
      kind: 'passphrase',
      passphrase: 'a long one',
    })
  })

  it.each([
    ['', 'nothing'],
    ['\n', 'an empty line'],
    ['two\nlines\n', 'two lines'],
  ])('is not %j (%s)', async (text) => {
    const file = join(folder, 'passphrase')
    await writeFile(file, text, { mode: 0o600 })
    expect((await failureOf(readPassphrase(file, null, 'passphrase'))).code).toBe('KEY_STORE_LOCKED')
  })

  it('is asked for where no file is named, and refused where nobody can be asked', async () => {
    expect(await readPassphrase(undefined, () => Promise.resolve('typed'), 'passphrase')).toEqual({
      kind: 'passphrase',
      passphrase: 'typed',
    })
    const { code, message } = await failureOf(readPassphrase(undefined, null, 'passphrase'))
    expect(code).toBe('KEY_STORE_LOCKED')
    expect(message).toContain('--passphrase-file')
  })

  it('of fewer than 8 characters is refused when a file is made', () => {
    expect(() => {
      expectPassphrase({ kind: 'passphrase', passphrase: 'short' })
    }).toThrow(/at least 8/)
    expect(() => {
      expectPassphrase({ kind: 'passphrase', passphrase: 'eightchr' })
    }).not.toThrow()
  })
})
