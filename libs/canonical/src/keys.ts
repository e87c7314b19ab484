import { sha256 } from '@noble/hashes/sha2.js'
import type { CryptoKey } from 'jose'
import { fromBase64url, toBase64url, toHex, utf8 } from './bytes.js'
import { canonicalJson } from './canonical-json.js'
import { CanonicalError } from './errors.js'

/** An Ed25519 public key as RFC 8037 writes it. */
export interface PublicKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
}

/** RFC 7638 thumbprint: 43 characters of base64url. Contracts name parties by it. */
export type Thumbprint = string

/** A key that can sign. Holds a secret: never logged, never serialized but by the key store. */
export interface SigningKey {
  readonly publicKey: PublicKey
  readonly thumbprint: Thumbprint
  readonly secretKey: CryptoKey
}

/** RFC 7638 §3: SHA-256 over the required members in lexicographic order. */
export function thumbprintOf(key: PublicKey): Thumbprint {
  const name = `${key.kty} ${key.crv} ${key.x}`
  const known = thumbprints.get(name)
  if (known !== undefined) return known
  const thumbprint = makeThumbprint(key)
  if (thumbprints.size >= maximumThumbprints) thumbprints.clear()
  thumbprints.set(name, thumbprint)
  return thumbprint
}

const thumbprints = new Map<string, Thumbprint>()
const maximumThumbprints = 10_000

function makeThumbprint(key: PublicKey): Thumbprint {
  return toBase64url(sha256(utf8(canonicalJson({ crv: key.crv, kty: key.kty, x: key.x }))))
}

/**
 * The signing key of a 32-byte Ed25519 seed (RFC 8032 §5.1.5).
 * @throws CanonicalError `KEY_MALFORMED` where the seed is not 32 bytes.
 */
export async function signingKeyFromSeed(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== 32)
    throw new CanonicalError('KEY_MALFORMED', `an Ed25519 seed has 32 bytes; got ${seed.length}`)
  const x = toBase64url(await publicFromSeed(seed))
  const publicKey: PublicKey = { kty: 'OKP', crv: 'Ed25519', x }
  const secretKey = await importKey({ ...publicKey, d: toBase64url(seed) })
  return { publicKey, thumbprint: thumbprintOf(publicKey), secretKey }
}

/**
 * Imports a public key for verification.
 * @throws CanonicalError `KEY_MALFORMED`.
 */
export async function importPublicKey(key: PublicKey): Promise<CryptoKey> {
  const known = imported.get(key.x)
  if (known !== undefined) return known
  const publicKey = await importAnew(key)
  if (imported.size >= maximumImported) imported.clear()
  imported.set(key.x, publicKey)
  return publicKey
}

// The same few keys verify nearly everything, and importing one costs as much as verifying with it.
const imported = new Map<string, CryptoKey>()
const maximumImported = 1000

/**
 * Refuses a public key under which a signature would bind nobody.
 * @throws CanonicalError `KEY_MALFORMED`, `BYTES_MALFORMED`.
 */
export function expectBindingKey(key: PublicKey): void {
  const point = fromBase64url(key.x)
  if (point.length !== 32) throw new CanonicalError('KEY_MALFORMED', 'an Ed25519 public key has 32 bytes')
  if (!isBinding(point))
    throw new CanonicalError(
      'KEY_MALFORMED',
      'an Ed25519 public key of small order, or not in its one spelling, binds nobody',
    )
}

async function importAnew(key: PublicKey): Promise<CryptoKey> {
  expectBindingKey(key)
  return await importKey({ kty: key.kty, crv: key.crv, x: key.x })
}

// Ordinates of the points of order 1, 2, 4 and 8: under such a key one signature verifies for many messages, or for all.
const smallOrder = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

// RFC 8032 §5.1.3: the ordinate is below 2^255 - 19; the highest bit is the sign of x. OpenSSL checks neither this nor the order.
function isBinding(point: Uint8Array): boolean {
  const ordinate = Uint8Array.from(point)
  ordinate[31] = (ordinate[31] ?? 0) & 0x7f
  const text = toHex(ordinate)
  const reduced = (ordinate[0] ?? 0) < 0xed || !text.endsWith(`${'ff'.repeat(30)}7f`)
  return reduced && !smallOrder.has(text)
}

async function importKey(jwk: PublicKey & { readonly d?: string }): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('jwk', { ...jwk }, { name: 'Ed25519' }, false, [
      jwk.d === undefined ? 'verify' : 'sign',
    ])
  } catch (cause) {
    throw new CanonicalError('KEY_MALFORMED', 'an Ed25519 key cannot be imported', { cause })
  }
}

// RFC 8410 §7: the PKCS#8 header of a bare Ed25519 seed. WebCrypto derives the public half on export.
const pkcs8Header = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20)

async function publicFromSeed(seed: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = new Uint8Array([...pkcs8Header, ...seed])
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', key)
  if (x === undefined) throw new CanonicalError('KEY_MALFORMED', 'an Ed25519 seed has no public key')
  return fromBase64url(x)
}
