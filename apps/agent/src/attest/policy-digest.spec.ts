import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { toBase64, utf8 } from '#libs/canonical'
import { policyDigest } from './policy-digest.js'

const image = `sha256:${'ab'.repeat(32)}`
const rego = `# made up\npackage policy\n\nimages := ["registry.test/app@${image}", "${image}"]\n`
const toml = (algorithm: string) => `algorithm = "${algorithm}"\nversion = "0.1.0"\n\n[data]\n"a" = "b"\n`
const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')

describe('policyDigest', () => {
  it('is SHA-256 of Rego, given as it is or in base64', () => {
    const expected = hash('sha256', rego)
    for (const file of [utf8(rego), utf8(`${toBase64(utf8(rego))}\n`)])
      expect(policyDigest(file, 'f')).toMatchObject({
        form: 'ccePolicy',
        hostData: expected,
        images: [image],
      })
  })

  it.each(['sha256', 'sha384', 'sha512'])('of init-data is made by the %s that it names', (algorithm) => {
    const text = toml(algorithm)
    const whole = hash(algorithm, text)
    const found = policyDigest(utf8(text), 'f')
    expect(found.digest).toBe(whole)
    expect(found.hostData).toBe(whole.slice(0, 64))
    expect(found.mrConfigId).toBe(whole.slice(0, 96).padEnd(96, '0'))
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe)],
    ['an algorithm that stands in a table', utf8('[data]\nalgorithm = "sha256"\n')],
    ['an algorithm of another name', utf8(toml('md5'))],
    ['base64 of something else', utf8('aGVsbG8=')],
  ])('refuses %s', (_what, file) => {
    expect(() => policyDigest(file, 'f')).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
