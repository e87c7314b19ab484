import { sha256 } from '@noble/hashes/sha2.js'
import type { CryptoKey } from 'jose'
import { fromBase64url, toBase64url, utf8 } from './bytes.js'
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
  if (fromBase64url(key.x).length !== 32)
    throw new CanonicalError('KEY_MALFORMED', 'an Ed25519 public key has 32 bytes')
  return await importKey({ kty: key.kty, crv: key.crv, x: key.x })
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
