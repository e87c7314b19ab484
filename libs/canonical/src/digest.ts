import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, toHex, utf8 } from './bytes.js'
import type { Domain } from './domains.js'

/** A SHA-256 digest as 64 lower-case hexadecimal characters. */
export type Digest = string

/** SHA-256 over the domain tag and the bytes. */
export function digest(domain: Domain, ...bytes: readonly Uint8Array[]): Digest {
  return toHex(sha256(concatBytes(utf8(domain), ...bytes)))
}

/** SHA-512 over the domain tag and the bytes: 64 bytes, the width of a CPU's report data. */
export function digest512(domain: Domain, ...bytes: readonly Uint8Array[]): Uint8Array {
  return sha512(concatBytes(utf8(domain), ...bytes))
}

/** HMAC-SHA-256 under `key` over the domain tag and the bytes, in hexadecimal. */
export function keyedDigest(domain: Domain, key: Uint8Array, bytes: Uint8Array): Digest {
  return toHex(hmac(sha256, key, concatBytes(utf8(domain), bytes)))
}
