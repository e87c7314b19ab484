/**
 * Ed25519 over raw bytes (RFC 8032), for published formats that are no JWS: signed notes, cosignatures.
 * Guards nothing about the kind of what was signed: every caller signs bytes that begin with a prefix of their own.
 */
import { verifyEd25519 } from './ed25519.js'
import type { PublicKey, SigningKey } from './keys.js'

/** An Ed25519 signature has 64 bytes. */
export const signatureLength = 64

/** Signs bytes as they are; the caller sees to domain separation. */
export async function signBytes(
  key: SigningKey,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('Ed25519', key.secretKey, bytes))
}

/**
 * Whether exactly these bytes were signed by this key. A signature of another length is simply not one.
 * @throws CanonicalError `KEY_MALFORMED` or `BYTES_MALFORMED` where the key cannot be used at all.
 */
export async function verifyBytes(
  key: PublicKey,
  bytes: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return await verifyEd25519(key, bytes, signature)
}
