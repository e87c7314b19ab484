import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64url, parseCanonical, toBase64url } from '#libs/canonical'
import { keyInfo, type KeyPurpose } from './key-info.js'
import {
  generateSealingKeyPair,
  openKey,
  sealingKeyPairFromSeed,
  sealKey,
  type SealedKey,
  type SealingPublicKey,
} from './sealing-key.js'

const thumbprint = (letter: string) => letter.repeat(43)
const digest = (digit: string) => digit.repeat(64)
const inRun = {
  sender: thumbprint('A'),
  recipient: thumbprint('B'),
  contract: digest('1'),
  run: digest('2'),
  offer: digest('3'),
  set: digest('4'),
}
const segmentKey: KeyPurpose = { purpose: 'segment-key', ...inRun, manifest: digest('5'), segment: 'labs' }
const purposes: readonly KeyPurpose[] = [
  segmentKey,
  {
    purpose: 'request-key-to-party',
    sender: inRun.sender,
    recipient: inRun.recipient,
    contract: inRun.contract,
  },
  { purpose: 'request-key-to-enclave', ...inRun },
  { purpose: 'output-key', ...inRun, output: 'rates' },
]

const pair = await sealingKeyPairFromSeed(new Uint8Array(32).fill(7))
const other = await generateSealingKeyPair((length) => randomBytes(length))
const key = Uint8Array.from(randomBytes(32))
const info = keyInfo(segmentKey)
const sealed = await sealKey(pair.publicKey, key, info)
const sealedAgain = await sealKey(pair.publicKey, key, info)

const flipped = (text: string, bit: number) => {
  const bytes = fromBase64url(text)
  bytes[bit >> 3]! ^= 1 << (bit & 7)
  return toBase64url(bytes)
}

describe('keyInfo', () => {
  it('has exactly the twelve members of the format, null where a purpose has none', () => {
    const members = 'contract manifest offer output purpose recipient run segment sender set suite tag'.split(
      ' ',
    )
    for (const purpose of purposes)
      expect(Object.keys(parseCanonical(keyInfo(purpose))!).sort()).toEqual(members)
    expect(parseCanonical(keyInfo(purposes[1]!))).toMatchObject({
      run: null,
      offer: null,
      set: null,
      segment: null,
    })
  })

  it('differs between purposes and in every member', () => {
    const changed = Object.entries(segmentKey).flatMap(([name, value]) =>
      name === 'purpose' ? [] : [{ ...segmentKey, [name]: `${value}x` }],
    )
    const infos = [...purposes, ...changed].map((purpose) => toBase64url(keyInfo(purpose)))
    expect(new Set(infos).size).toBe(purposes.length + 8)
  })
})

describe('a sealing key pair', () => {
  it('is the same for the same seed and another for another', async () => {
    expect((await sealingKeyPairFromSeed(new Uint8Array(32).fill(7))).publicKey).toEqual(pair.publicKey)
    expect(other.publicKey).not.toEqual(pair.publicKey)
  })

  it('does not come from a seed of another length', async () => {
    await expect(sealingKeyPairFromSeed(new Uint8Array(31))).rejects.toThrow(RangeError)
  })
})

describe('a sealed key', () => {
  it('opens for its recipient under its info', async () => {
    expect(Uint8Array.from(await openKey(pair, sealed, info))).toEqual(key)
    expect([fromBase64url(sealed.encapsulated).length, fromBase64url(sealed.ciphertext).length]).toEqual([
      1120, 48,
    ])
  })

  it('is never sealed twice alike', () => {
    expect(sealedAgain).not.toEqual(sealed)
  })

  it('does not open for another recipient', async () => {
    await expect(openKey(other, sealed, info)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
  })

  it.each(purposes.slice(1).map((purpose) => [purpose.purpose, purpose] as const))(
    'does not open as a %s',
    async (_name, purpose) => {
      await expect(openKey(pair, sealed, keyInfo(purpose))).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    },
  )

  const mutations: [name: string, mutated: SealedKey][] = [
    ['a shorter encapsulation', { ...sealed, encapsulated: sealed.encapsulated.slice(0, -4) }],
    ['a longer encapsulation', { ...sealed, encapsulated: `${sealed.encapsulated}AAAA` }],
    ['a shorter ciphertext', { ...sealed, ciphertext: sealed.ciphertext.slice(0, -4) }],
    ['an empty ciphertext', { ...sealed, ciphertext: '' }],
    ['characters that are not base64url', { ...sealed, ciphertext: '+'.repeat(64) }],
    ['a number for text', { ...sealed, ciphertext: 1 as unknown as string }],
    ['an encapsulation of zeros', { ...sealed, encapsulated: toBase64url(new Uint8Array(1120)) }],
    ['nothing at all', {} as SealedKey],
    ['the ciphertext of another seal', { ...sealed, ciphertext: sealedAgain.ciphertext }],
  ]
  it.each(mutations)('does not open with %s', async (_name, mutated) => {
    await expect(openKey(pair, mutated, info)).rejects.toMatchObject({
      code: 'OPEN_FAILED',
      message: 'the envelope could not be opened',
    })
  })

  it('does not open with any bit flipped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(48 * 8 - 1), fc.nat(1120 * 8 - 1), fc.boolean(), async (a, b, inCiphertext) => {
        const mutated = inCiphertext
          ? { ...sealed, ciphertext: flipped(sealed.ciphertext, a) }
          : { ...sealed, encapsulated: flipped(sealed.encapsulated, b) }
        // X25519 ignores the highest bit of a point, but X-Wing hashes the bytes.
        await expect(openKey(pair, mutated, info)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
      }),
      { numRuns: 40 },
    )
  })

  const badKeys: [name: string, bad: SealingPublicKey][] = [
    ['another suite', { ...pair.publicKey, suite: 'x25519' as SealingPublicKey['suite'] }],
    ['a short key', { ...pair.publicKey, publicKey: pair.publicKey.publicKey.slice(4) }],
    ['text that is not base64url', { ...pair.publicKey, publicKey: '*'.repeat(1622) }],
    ['a point of low order', { ...pair.publicKey, publicKey: toBase64url(new Uint8Array(1216)) }],
    [
      'a coefficient that is not below the modulus',
      {
        ...pair.publicKey,
        publicKey: toBase64url(fromBase64url(pair.publicKey.publicKey).fill(255, 1149, 1152)),
      },
    ],
  ]
  it.each(badKeys)('is not made for %s', async (_name, bad) => {
    await expect(sealKey(bad, key, info)).rejects.toMatchObject({ code: 'SEALING_KEY_MALFORMED' })
  })

  it('is not made of anything but 32 bytes', async () => {
    await expect(sealKey(pair.publicKey, new Uint8Array(31), info)).rejects.toThrow(RangeError)
  })
})
