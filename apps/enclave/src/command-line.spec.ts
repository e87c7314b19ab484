import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64url } from '#libs/canonical'
import { runCommand } from './command-line.js'
import { hardwareTee } from './hardware-tee.js'
import { simulatedTee } from './simulated-tee.js'

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealroom-enclave-'))
  const keyFile = join(folder, 'key')
  const enrolment = join(folder, 'enrolment')
  writeFileSync(keyFile, toBase64url(new Uint8Array(32)))
  writeFileSync(enrolment, 'secret')
  let said: { out: string; err: string }

  beforeEach(() => {
    said = { out: '', err: '' }
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      said.out += String(text)
      return true
    })
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said.err += String(text)
      return true
    })
  })

  afterEach(() => {
    vi.restoreAllMocks()
  })

  const full = ['--coordinator', 'http://127.0.0.1:1', '--enrolment-file', enrolment]

  it('ends a production worker without a TEE, saying what it looked for', async () => {
    expect(await runCommand(hardwareTee, 'main.js', full)).toBe(3)
    expect(said.err).toContain('/dev/sev-guest')
    expect(said.err).toContain('/dev/tdx_guest')
  })

  it('has no simulator in a production worker', async () => {
    expect(await runCommand(hardwareTee, 'main.js', [...full, '--simulator-key-file', keyFile])).toBe(2)
    expect(said.err).toContain('no simulator')
  })

  it('says on every screen of a simulated worker that it is one', async () => {
    expect(await runCommand(simulatedTee, 'main.js', ['--help'])).toBe(0)
    expect(said.out).toContain('SIMULATED TEE')
    expect(await runCommand(simulatedTee, 'main.js', ['--measurement', '--json'])).toBe(0)
    expect(said.out).toMatch(/"measurement":"[0-9a-f]{64}"/)
  })

  it('prints the entry by which a contract accepts this build', async () => {
    await runCommand(simulatedTee, 'main.js', ['--measurement', '--json', '--simulator-key-file', keyFile])
    const { measurement, entry } = JSON.parse(said.out) as { measurement: string; entry: object }
    expect(entry).toMatchObject({ tee: 'simulated', measurement: [measurement] })
  })

  const mistakes: readonly [what: string, args: string[], told: string][] = [
    ['an unknown flag', ['--verbose'], '--verbose'],
    ['no coordinator', ['--simulator-key-file', keyFile], '--coordinator'],
    ['no simulator key', full, '--simulator-key-file'],
    ['a simulator key that is none', [...full, '--simulator-key-file', enrolment], '32 bytes'],
    [
      'no enrolment file',
      ['--coordinator', 'http://127.0.0.1:1', '--simulator-key-file', keyFile],
      '--enrolment-file',
    ],
    [
      'an enrolment file that is not there',
      [
        '--coordinator',
        'http://127.0.0.1:1',
        '--enrolment-file',
        '/nowhere',
        '--simulator-key-file',
        keyFile,
      ],
      '/nowhere',
    ],
  ]
  it.each(mistakes)('says what is wrong with %s', async (_what, args, told) => {
    expect(await runCommand(simulatedTee, 'main.js', args)).toBe(2)
    expect(said.err).toContain(told)
  })

  it('refuses plain HTTP off loopback', async () => {
    const args = [
      '--coordinator',
      'http://example.org',
      '--enrolment-file',
      enrolment,
      '--simulator-key-file',
      keyFile,
    ]
    expect(await runCommand(simulatedTee, 'main.js', args)).toBe(1)
    expect(said.err).toContain('https://')
  })
})
