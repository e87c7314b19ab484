/**
 * HMAC by the packages that the project calls for it, and HKDF as far as it is used: with SHA-256 by the `hpke` package, with SHA-512 the
 * expansion of the chunked format, in both implementations.
 */
import { createHmac } from 'node:crypto'
import { hmac as nobleHmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { KDF_HKDF_SHA256 } from 'hpke'
import { z } from 'zod'
import { equalBytes } from '#libs/canonical'
import { expandedLength, nobleExpand, nodeExpand } from '#libs/envelope/vectors'
import { hexBytes, readAs } from './reading.js'
import type { Judge } from './wycheproof-algorithms.js'

type Hash = 'sha256' | 'sha512'
const tagBits: Readonly<Record<Hash, number>> = { sha256: 256, sha512: 512 }
/** HPKE takes a secret of 32 bytes at most with this suite, but any length of 255 hashes is HKDF's (RFC 5869 §2.3). */
const longestUsed: Readonly<Record<Hash, number>> = { sha256: 255 * 32, sha512: expandedLength }
const macGroupSchema = z.object({ tagSize: z.int() })
const macSchema = z.object({ key: hexBytes, msg: hexBytes, tag: hexBytes })
const hkdfSchema = z.object({ ikm: hexBytes, salt: hexBytes, info: hexBytes, size: z.int(), okm: hexBytes })

/** HMAC with whole tags: the project cuts none. */
export function hmac(hash: Hash): Judge {
  return {
    whyNotUsed: (group) =>
      readAs(macGroupSchema, group, 'a group').tagSize === tagBits[hash]
        ? undefined
        : 'the project uses whole tags only',
    judge: (_group, test) => {
      const { key, msg, tag } = readAs(macSchema, test, 'a test')
      return { verdict: () => verdictOf(hmacs(hash, key, msg), tag) }
    },
  }
}

/** HKDF (RFC 5869). */
export function hkdf(hash: Hash): Judge {
  return {
    whyNotUsed: () => undefined,
    judge: (_group, test) => {
      const { ikm, salt, info, size, okm } = readAs(hkdfSchema, test, 'a test')
      const longest = longestUsed[hash]
      if (size > longest)
        return {
          notUsed: `HKDF with ${hash}`,
          why: `the project takes ${longest} bytes of it at most`,
          cases: 1,
        }
      if (hash === 'sha256')
        return { verdict: async () => verdictOf([await hkdfSha256(ikm, salt, info, size)], okm) }
      return {
        verdict: () => {
          // What is shorter is a prefix of what is longer (RFC 5869 §2.3).
          const [prk = ikm] = hmacs('sha512', salt, ikm)
          return verdictOf(
            [nodeExpand(prk, info).subarray(0, size), nobleExpand(prk, info).subarray(0, size)],
            okm,
          )
        },
      }
    },
  }
}

function hmacs(hash: Hash, key: Uint8Array, message: Uint8Array): readonly Uint8Array[] {
  return [
    createHmac(hash, key).update(message).digest(),
    nobleHmac(hash === 'sha256' ? sha256 : sha512, key, message),
  ]
}

async function hkdfSha256(
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  size: number,
): Promise<Uint8Array> {
  const kdf = KDF_HKDF_SHA256()
  return kdf.Expand(await kdf.Extract(salt, ikm), info, size)
}

function verdictOf(computed: readonly Uint8Array[], expected: Uint8Array): string {
  const equal = computed.map((bytes) => equalBytes(bytes, expected))
  if (equal.every((same) => same)) return 'accepted'
  return equal.some((same) => same) ? 'the implementations differ' : 'refused'
}
