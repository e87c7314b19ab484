import { scrypt } from '@noble/hashes/scrypt.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalBytes, concatBytes, domains, fromBase64url, parseCanonical, utf8 } from '#libs/canonical'
import { seededBytes } from '#libs/testing'
import type { AgentError } from '../errors.js'
import {
  openFile,
  sealedKinds,
  sealFile,
  type OpenOptions,
  type SealOptions,
  type Unlock,
} from './sealed-file.js'

const party = `${'p'.repeat(42)}A`
const cost = { N: 2, r: 8, p: 1 } as const
const passphrase: Unlock = { kind: 'passphrase', passphrase: 'correct horse battery' }
const keyFile: Unlock = { kind: 'key-file', key: new Uint8Array(32).fill(7) }
const secret = utf8('{"seed":"…"}')

const sealing = (unlock: Unlock = passphrase): SealOptions => ({
  kind: 'consent',
  party,
  unlock,
  randomBytes: seededBytes('sealed-file'),
  cost,
})
const opening = (unlock: Unlock = passphrase): OpenOptions => ({
  kind: 'consent',
  unlock,
  where: 'consent.key',
  minimumN: 2,
})
const sealed = async (unlock: Unlock = passphrase) => utf8(await sealFile(secret, sealing(unlock)))
const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'nothing was thrown',
    (error: unknown) => (error as AgentError).code,
  )

interface SealedJson {
  kind: string
  party: string
  kdf: Record<string, unknown>
  nonce: string
  ciphertext: string
  sealroom: string
  more?: number
}

describe('a sealed file', () => {
  it('opens under the passphrase that it was sealed under', async () => {
    expect(await openFile(await sealed(), opening())).toEqual({ secret, party })
  })

  it('opens under the key file that it was sealed under', async () => {
    expect(await openFile(await sealed(keyFile), opening(keyFile))).toEqual({ secret, party })
  })

  it('opens for every secret, passphrase and kind that it was sealed with', async () => {
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 500 }),
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.constantFrom(...sealedKinds),
      async (bytes, text, kind) => {
        const unlock: Unlock = { kind: 'passphrase', passphrase: text }
        const file = utf8(await sealFile(bytes, { ...sealing(unlock), kind }))
        expect((await openFile(file, { ...opening(unlock), kind })).secret).toEqual(new Uint8Array(bytes))
      },
    )
    await fc.assert(property, { numRuns: 30 })
  })

  it('takes a passphrase in either Unicode normalization', async () => {
    const file = await sealed({ kind: 'passphrase', passphrase: 'Schlüssel zum Tor' })
    const decomposed: Unlock = { kind: 'passphrase', passphrase: 'Schlüssel zum Tor'.normalize('NFD') }
    expect((await openFile(file, opening(decomposed))).secret).toEqual(secret)
  })

  it('is scrypt and XChaCha20-Poly1305 as others implement them', async () => {
    const { ciphertext, ...header } = parseCanonical(
      (await sealed()).subarray(0, -1),
    ) as unknown as SealedJson
    const salt = fromBase64url(String(header.kdf['salt']))
    const key = scrypt('correct horse battery', salt, { N: 2, r: 8, p: 1, dkLen: 32 })
    const bound = concatBytes(utf8(domains.keyStore), canonicalBytes(header))
    const cipher = xchacha20poly1305(key, fromBase64url(header.nonce), bound)
    expect(cipher.decrypt(fromBase64url(ciphertext))).toEqual(new Uint8Array(secret))
  })

  const flip = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  const mutations: [name: string, mutate: (file: SealedJson) => void, code: string][] = [
    ['another kind', (file) => (file.kind = 'daemon'), 'KEY_STORE_MALFORMED'],
    ['another party', (file) => (file.party = flip(file.party)), 'KEY_STORE_LOCKED'],
    ['another salt', (file) => (file.kdf['salt'] = flip(String(file.kdf['salt']))), 'KEY_STORE_LOCKED'],
    ['another cost', (file) => (file.kdf['N'] = 4), 'KEY_STORE_LOCKED'],
    ['a cost that is no power of two', (file) => (file.kdf['N'] = 3), 'KEY_STORE_MALFORMED'],
    ['a cost that would exhaust the machine', (file) => (file.kdf['N'] = 2 ** 21), 'KEY_STORE_MALFORMED'],
    ['another block size', (file) => (file.kdf['r'] = 16), 'KEY_STORE_MALFORMED'],
    ['a key file instead of the passphrase', (file) => (file.kdf = { name: 'key-file' }), 'KEY_STORE_LOCKED'],
    ['an unknown way to derive keys', (file) => (file.kdf = { name: 'none' }), 'KEY_STORE_MALFORMED'],
    ['another nonce', (file) => (file.nonce = flip(file.nonce)), 'KEY_STORE_LOCKED'],
    [
      'stray bits in the salt',
      (file) => (file.kdf['salt'] = `${String(file.kdf['salt']).slice(0, -1)}B`),
      'KEY_STORE_MALFORMED',
    ],
    ['another ciphertext', (file) => (file.ciphertext = flip(file.ciphertext)), 'KEY_STORE_LOCKED'],
    ['a shorter ciphertext', (file) => (file.ciphertext = file.ciphertext.slice(0, -4)), 'KEY_STORE_LOCKED'],
    ['no ciphertext', (file) => (file.ciphertext = ''), 'KEY_STORE_MALFORMED'],
    ['another version', (file) => (file.sealroom = 'sealed-file/v2'), 'KEY_STORE_MALFORMED'],
    ['one member more', (file) => (file.more = 1), 'KEY_STORE_MALFORMED'],
  ]
  it.each(mutations)('does not open with %s', async (_name, mutate, code) => {
    const file = parseCanonical((await sealed()).subarray(0, -1)) as unknown as SealedJson
    mutate(file)
    expect(await codeOf(openFile(canonicalBytes(file), opening()))).toBe(code)
  })

  it('does not open under another passphrase, and does not say more', async () => {
    const other: Unlock = { kind: 'passphrase', passphrase: 'correct horse' }
    const error: unknown = await openFile(await sealed(), opening(other)).catch((thrown: unknown) => thrown)
    expect((error as AgentError).code).toBe('KEY_STORE_LOCKED')
    expect((error as AgentError).message).not.toContain('correct horse')
  })

  it('does not open where its JSON is not canonical', async () => {
    expect(await codeOf(openFile(concatBytes(utf8(' '), await sealed()), opening()))).toBe(
      'KEY_STORE_MALFORMED',
    )
  })

  it('is not read with a cost below what this version writes, but for tests', async () => {
    expect(await codeOf(openFile(await sealed(), { kind: 'consent', unlock: passphrase, where: 'x' }))).toBe(
      'KEY_STORE_MALFORMED',
    )
  })

  it('ends in a coded error for whatever bytes are read', async () => {
    const property = fc.asyncProperty(
      fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map(utf8)),
      async (bytes) => {
        expect(await codeOf(openFile(new Uint8Array(bytes), opening()))).toMatch(/^KEY_STORE_/)
      },
    )
    await fc.assert(property, { numRuns: 200 })
  })
})
