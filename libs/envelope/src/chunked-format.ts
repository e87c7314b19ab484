/**
 * The layout of C2SP chunked encryption v1 (c2sp.org/chunked-encryption) with AES-256-GCM and SHA-512, in numbers only:
 *
 *   salt (24) ‖ commitment (32) ‖ chunks of 16384 bytes of plaintext and a tag of 16, the last one always shorter.
 *
 * Chunk `k` starts at 56 + k·16400. Its nonce is the base nonce XOR `k`; it has no associated data. What authenticates the
 * length is that the last chunk, and no other, is short; it may be empty.
 */
import { concatBytes, utf8 } from '#libs/canonical'
import { openFailed } from './errors.js'

export const dataKeyLength = 32
export const saltLength = 24
export const commitmentLength = 32
export const headerLength = saltLength + commitmentLength
export const nonceLength = 12
export const tagLength = 16
/** Plaintext bytes of every chunk but the last. */
export const chunkLength = 16_384
export const sealedChunkLength = chunkLength + tagLength
/** Sizes stay exact in a JavaScript number up to here: 2^52 bytes, which is also the limit of 2^38 chunks. */
const maximumPlaintext = 2 ** 38 * chunkLength - 1

/** The size of `plaintextLength` bytes once sealed. */
export function sealedSize(plaintextLength: number): number {
  if (!Number.isSafeInteger(plaintextLength) || plaintextLength < 0 || plaintextLength > maximumPlaintext)
    throw new RangeError(`${plaintextLength} bytes cannot be sealed; the most is ${maximumPlaintext}`)
  return headerLength + plaintextLength + tagLength * chunkCount(plaintextLength)
}

/** How many chunks `plaintextLength` bytes make, the short last one included. */
export function chunkCount(plaintextLength: number): number {
  return Math.floor(plaintextLength / chunkLength) + 1
}

/**
 * The plaintext length that a sealed size stands for. Nothing is authenticated by it: only the short last chunk is.
 * @throws EnvelopeError `OPEN_FAILED` for a size that sealing never makes.
 */
export function plaintextSize(sealed: number): number {
  const chunks = sealed - headerLength
  const last = chunks % sealedChunkLength
  if (!Number.isSafeInteger(sealed) || chunks < tagLength || last < tagLength) throw openFailed()
  const plaintext = Math.floor(chunks / sealedChunkLength) * chunkLength + last - tagLength
  if (plaintext > maximumPlaintext) throw openFailed()
  return plaintext
}

/** The info of the key derivation: HKDF-Expand(SHA-512, data key, info) gives key (32), base nonce (12), commitment (32). */
export function derivationInfo(salt: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), salt, context)
}

/** Bytes of derived material. */
export const derivedLength = 32 + nonceLength + commitmentLength

/** Writes the nonce of chunk `index` into `nonce`: big-endian index, XOR the base nonce. */
export function writeChunkNonce(nonce: Uint8Array, base: Uint8Array, index: number): void {
  nonce.set(base)
  for (let at = nonceLength - 1, rest = index; rest > 0; at--, rest = Math.floor(rest / 256))
    nonce[at] = (nonce[at] ?? 0) ^ (rest & 255)
}
