import { describe, expect, it } from 'vitest'
import { fromHex, toBase64url, toHex, utf8 } from './bytes.js'
import { CanonicalError } from './errors.js'
import { importPublicKey, signingKeyFromSeed, thumbprintOf, type PublicKey } from './keys.js'
import { signBytes, verifyBytes } from './signature.js'

const keyOf = (hex: string): PublicKey => ({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(fromHex(hex)) })

async function codeOf(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error
    return error.code
  }
}

describe('an Ed25519 key', () => {
  it('comes from its seed as in RFC 8032 §7.1, test 1', async () => {
    const key = await signingKeyFromSeed(
      fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
    )
    expect(key.publicKey).toEqual(keyOf('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'))
    expect(toHex(await signBytes(key, utf8('')))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    )
  })

  it('has the thumbprint of RFC 8037 appendix A.3', () => {
    const key: PublicKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    expect(thumbprintOf(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('cannot be taken out again once it was imported', async () => {
    const { secretKey } = await signingKeyFromSeed(new Uint8Array(32).fill(1))
    await expect(crypto.subtle.exportKey('jwk', secretKey)).rejects.toThrow()
  })

  it('needs a seed of 32 bytes', async () => {
    for (const length of [0, 31, 33, 64])
      expect(await codeOf(() => signingKeyFromSeed(new Uint8Array(length)))).toBe('KEY_MALFORMED')
  })

  // Without the check OpenSSL accepts, under the first of them, the signature of zeros with R = 1 over every message.
  const unusable: [string, string][] = [
    ['the neutral point', `01${'00'.repeat(31)}`],
    ['the neutral point with a sign', `01${'00'.repeat(30)}80`],
    ['the point of order 2', `ec${'ff'.repeat(30)}7f`],
    ['a point of order 4', '00'.repeat(32)],
    ['another point of order 4', `${'00'.repeat(31)}80`],
    ['a point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['a point of order 8 with a sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['another point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['zero in another spelling', `ed${'ff'.repeat(30)}7f`],
    ['one in another spelling', `ee${'ff'.repeat(30)}ff`],
    ['an ordinate above the prime', `ff${'ff'.repeat(30)}7f`],
    ['31 bytes', '11'.repeat(31)],
    ['33 bytes', '11'.repeat(33)],
  ]
  it.each(unusable)('is refused where it is %s', async (_name, hex) => {
    expect(await codeOf(() => importPublicKey(keyOf(hex)))).toBe('KEY_MALFORMED')
    expect(await codeOf(() => verifyBytes(keyOf(hex), utf8('x'), new Uint8Array(64)))).toBe('KEY_MALFORMED')
  })

  it('is refused in another spelling of its bytes', async () => {
    const { publicKey } = await signingKeyFromSeed(new Uint8Array(32).fill(1))
    expect(await codeOf(() => importPublicKey({ ...publicKey, x: `${publicKey.x}=` }))).toBe(
      'BYTES_MALFORMED',
    )
  })
})

describe('a signature', () => {
  it('holds for its bytes and key only', async () => {
    const [key, other] = await Promise.all(
      [1, 2].map((seed) => signingKeyFromSeed(new Uint8Array(32).fill(seed))),
    )
    const signature = await signBytes(key!, utf8('message'))
    expect(await verifyBytes(key!.publicKey, utf8('message'), signature)).toBe(true)
    expect(await verifyBytes(other!.publicKey, utf8('message'), signature)).toBe(false)
    expect(await verifyBytes(key!.publicKey, utf8('messagE'), signature)).toBe(false)
    for (const length of [0, 63, 65])
      expect(await verifyBytes(key!.publicKey, utf8('message'), new Uint8Array(length))).toBe(false)
    for (let at = 0; at < 64; at++) {
      const flipped = Uint8Array.from(signature)
      flipped[at]! ^= 1
      expect(await verifyBytes(key!.publicKey, utf8('message'), flipped)).toBe(false)
    }
  })
})
