import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as portableSha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, toHex, utf8 } from './bytes.js'
import type { Domain } from './domains.js'
import { nativeCrypto } from './native.js'

/** A SHA-256 digest as 64 lower-case hexadecimal characters. */
export type Digest = string

/** SHA-256 of bytes (FIPS 180-4). Says nothing about what they are: {@link digest} is for whatever has a domain. */
export function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (nativeCrypto === undefined) return new Uint8Array(portableSha256(bytes))
  return new Uint8Array(nativeCrypto.createHash('sha256').update(bytes).digest())
}

/** SHA-256 over the domain tag and the bytes. */
export function digest(domain: Domain, ...bytes: readonly Uint8Array[]): Digest {
  return toHex(sha256(concatBytes(tagOf(domain), ...bytes)))
}

/** SHA-512 over the domain tag and the bytes: 64 bytes, the width of a CPU's report data. */
export function digest512(domain: Domain, ...bytes: readonly Uint8Array[]): Uint8Array {
  return sha512(concatBytes(tagOf(domain), ...bytes))
}

/** HMAC-SHA-256 under `key` over the domain tag and the bytes, in hexadecimal. */
export function keyedDigest(domain: Domain, key: Uint8Array, bytes: Uint8Array): Digest {
  return toHex(hmac(portableSha256, key, concatBytes(tagOf(domain), bytes)))
}

const tags = new Map<Domain, Uint8Array>()

function tagOf(domain: Domain): Uint8Array {
  const known = tags.get(domain)
  if (known !== undefined) return known
  const tag = utf8(domain)
  tags.set(domain, tag)
  return tag
}
