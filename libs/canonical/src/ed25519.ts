/** Verification of Ed25519 (RFC 8032 §5.1.7); keys that bind nobody are refused, see keys.ts. */
import { CanonicalError } from './errors.js'
import { expectBindingKey, importPublicKey, type PublicKey } from './keys.js'
import { nativeCrypto, type NativeKey } from './native.js'

const signatureLength = 64

/**
 * Whether exactly these bytes were signed by this key. A signature of another length is simply not one.
 * @throws CanonicalError `KEY_MALFORMED` or `BYTES_MALFORMED` where the key cannot be used at all.
 */
export async function verifyEd25519(
  key: PublicKey,
  bytes: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (nativeCrypto === undefined) {
    const publicKey = await importPublicKey(key)
    return (
      signature.length === signatureLength &&
      (await crypto.subtle.verify('Ed25519', publicKey, signature, bytes))
    )
  }
  const publicKey = nativeKey(key, nativeCrypto)
  return signature.length === signatureLength && nativeCrypto.verify(null, bytes, publicKey, signature)
}

const known = new Map<string, NativeKey>()
const maximumKnown = 1000

function nativeKey(key: PublicKey, native: NonNullable<typeof nativeCrypto>): NativeKey {
  const held = known.get(key.x)
  if (held !== undefined) return held
  // Node takes any 32 bytes, as OpenSSL does: which of them bind somebody is checked here.
  expectBindingKey(key)
  const made = keyFrom(key, native)
  if (known.size >= maximumKnown) known.clear()
  known.set(key.x, made)
  return made
}

function keyFrom({ kty, crv, x }: PublicKey, native: NonNullable<typeof nativeCrypto>): NativeKey {
  try {
    return native.createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
  } catch (cause) {
    throw new CanonicalError('KEY_MALFORMED', 'an Ed25519 key cannot be imported', { cause })
  }
}
