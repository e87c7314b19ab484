/**
 * The layout of C2SP chunked encryption v1 (c2sp.org/chunked-encryption) with AES-256-GCM and SHA-512, in numbers only:
 *
 *   salt (24) ‖ commitment (32) ‖ chunks of 16384 bytes of plaintext and a tag of 16, the last one always shorter.
 *
 * Chunk `k` starts at 56 + k·16400. Its nonce is the base nonce XOR `k`; it has no associated data. What authenticates the
 * length is that the last chunk, and no other, is short; it may be empty.
 *
 * Imports nothing, like everything that the cipher's threads load: each of them would pay for it at its start.
 */

/** Bytes of a data key. */
export const dataKeyLength = 32
export const saltLength = 24
export const commitmentLength = 32
export const headerLength = saltLength + commitmentLength
export const nonceLength = 12
export const tagLength = 16
/** Plaintext bytes of every chunk but the last. */
export const chunkLength = 16_384
export const sealedChunkLength = chunkLength + tagLength
/** HKDF-Expand gives key (32), base nonce (12) and commitment (32), in this order. */
export const derivedLength = 32 + nonceLength + commitmentLength
/** A file has at most 2^38 chunks; its 2^52 bytes are still exact in a JavaScript number. */
export const maximumPlaintextLength = 2 ** 38 * chunkLength - 1

/** How many chunks `plaintextLength` bytes make, the short last one included. */
export function chunkCount(plaintextLength: number): number {
  return Math.floor(plaintextLength / chunkLength) + 1
}

/** Writes the nonce of chunk `index` into `nonce`: big-endian index, XOR the base nonce. */
export function writeChunkNonce(nonce: Uint8Array, base: Uint8Array, index: number): void {
  nonce.set(base)
  for (let at = nonceLength - 1, rest = index; rest > 0; at--, rest = Math.floor(rest / 256))
    nonce[at] = (nonce[at] ?? 0) ^ (rest & 255)
}
