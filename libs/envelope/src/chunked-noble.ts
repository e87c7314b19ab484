/**
 * The chunked format a second time, on `@noble/ciphers` and `@noble/hashes`: runs where `node:crypto` does not, some 30
 * times slower. It shares nothing with the other but the numbers of the layout, and must agree with it byte for byte.
 */
import { gcm } from '@noble/ciphers/aes.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, utf8 } from '#libs/canonical'
import {
  chunkCount,
  chunkLength,
  dataKeyLength,
  derivedLength,
  headerLength,
  nonceLength,
  saltLength,
  sealedChunkLength,
  writeChunkNonce,
} from './chunked-format.js'
import { openFailed } from './errors.js'
import { plaintextSize } from './sealed-size.js'

/** Seals bytes under a 32-byte data key and a fresh 24-byte salt. */
export function nobleSeal(
  dataKey: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  if (dataKey.length !== dataKeyLength || salt.length !== saltLength)
    throw new RangeError(`expected ${dataKeyLength} bytes of key and ${saltLength} of salt`)
  const { key, baseNonce, commitment } = derive(dataKey, salt, context)
  const chunks: Uint8Array[] = []
  for (let index = 0; index < chunkCount(plaintext.length); index++) {
    const chunk = plaintext.subarray(index * chunkLength, (index + 1) * chunkLength)
    chunks.push(gcm(key, nonceOf(baseNonce, index)).encrypt(chunk))
  }
  return concatBytes(salt, commitment, ...chunks)
}

/**
 * Opens what {@link nobleSeal} or node's implementation sealed.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export function nobleOpen(dataKey: Uint8Array, context: Uint8Array, sealed: Uint8Array): Uint8Array {
  if (dataKey.length !== dataKeyLength) throw openFailed()
  const size = plaintextSize(sealed.length)
  const { key, baseNonce, commitment } = derive(dataKey, sealed.subarray(0, saltLength), context)
  if (!equalBytes(commitment, sealed.subarray(saltLength, headerLength))) throw openFailed()
  const chunks: Uint8Array[] = []
  for (let index = 0; index < chunkCount(size); index++) {
    const start = headerLength + index * sealedChunkLength
    try {
      const chunk = sealed.subarray(start, start + sealedChunkLength)
      chunks.push(gcm(key, nonceOf(baseNonce, index)).decrypt(chunk))
    } catch {
      throw openFailed()
    }
  }
  return concatBytes(...chunks)
}

function derive(dataKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const info = concatBytes(
    utf8('c2sp.org/chunked-encryption@v1+'),
    utf8('AEAD_AES_256_GCM'),
    Uint8Array.of(0),
    salt,
    context,
  )
  const derived = nobleExpand(dataKey, info)
  return {
    key: derived.subarray(0, 32),
    baseNonce: derived.subarray(32, 32 + nonceLength),
    commitment: derived.subarray(32 + nonceLength),
  }
}

/** HKDF-Expand with SHA-512 by hand (RFC 5869 §2.3), 76 bytes of it: noble's own wants a key of 64 bytes. */
export function nobleExpand(key: Uint8Array, info: Uint8Array): Uint8Array {
  const first = hmac(sha512, key, concatBytes(info, Uint8Array.of(1)))
  const second = hmac(sha512, key, concatBytes(first, info, Uint8Array.of(2)))
  return concatBytes(first, second).subarray(0, derivedLength)
}

function nonceOf(base: Uint8Array, index: number): Uint8Array {
  const nonce = new Uint8Array(nonceLength)
  writeChunkNonce(nonce, base, index)
  return nonce
}
