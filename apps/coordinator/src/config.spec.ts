import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isLoopbackAddress, loadConfig, settingsTable } from './config.js'

const good = { dataFolder: '/tmp/x', port: '7400', origin: 'log.example.org/1' }

describe('the configuration', () => {
  it('takes flags before the environment, and safe defaults after', () => {
    const config = loadConfig(
      { ...good, host: '127.0.0.2' },
      { SEALROOM_HOST: '127.0.0.3', SEALROOM_NONCE_SECONDS: '7' },
    )
    expect(config).toMatchObject({
      port: 7400,
      host: '127.0.0.2',
      nonceSeconds: 7,
      behindTlsProxy: false,
      maximumRounds: 10,
    })
  })

  it('names every mistake at once, with flag and variable', () => {
    expect(() =>
      loadConfig({}, { SEALROOM_PORT: '99999', DATABASE_URL: 'mysql://x', SEALROOM_ORIGIN: 'Bad Origin' }),
    ).toThrow(
      /--data \(or SEALROOM_DATA\) is missing[^]*--port \(or SEALROOM_PORT\)[^]*--origin \(or SEALROOM_ORIGIN\): expected a name[^]*DATABASE_URL/,
    )
  })

  it('refuses plain HTTP off loopback unless a proxy speaks TLS', () => {
    expect(() => loadConfig({ ...good, host: '0.0.0.0' }, {})).toThrow(
      expect.objectContaining({ code: 'PLAIN_HTTP_OFF_LOOPBACK' }),
    )
    expect(loadConfig({ ...good, host: '0.0.0.0', behindTlsProxy: true }, {}).host).toBe('0.0.0.0')
  })

  it('is described in the README as it is', async () => {
    expect(await readFile('apps/coordinator/README.md', 'utf8')).toContain(settingsTable())
  })

  it.each([
    ['localhost', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['127.0.0.1.example.org', false],
    ['::', false],
    ['10.0.0.1', false],
  ])('takes %s for loopback: %s', (host, loopback) => {
    expect(isLoopbackAddress(host)).toBe(loopback)
  })
})
