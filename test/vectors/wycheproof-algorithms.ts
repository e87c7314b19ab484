/** Which algorithms of Wycheproof the project uses, and by what each is judged. */
import type { NotUsed } from './kind.js'
import { aesGcm, xchacha } from './wycheproof-aead.js'
import { chunkedEncryption } from './wycheproof-chunked.js'
import { ed25519 } from './wycheproof-ed25519.js'
import { hkdf, hmac } from './wycheproof-hash.js'

/** What a file says of a case. */
export type Result = 'valid' | 'invalid' | 'acceptable'

/** Judges the cases of an algorithm by code that the project runs. */
export interface Judge {
  /** Why a group of cases is not used, or undefined. */
  whyNotUsed(group: Readonly<Record<string, unknown>>): string | undefined
  /**
   * What is to be seen of a case: `accepted`, `refused`, or in words what differs.
   * @throws MalformedVectors.
   */
  judge(
    group: Readonly<Record<string, unknown>>,
    test: Readonly<Record<string, unknown>>,
  ): NotUsed | { verdict(result: Result): string | Promise<string> }
}

/** By the name in a file's `algorithm`. */
export const algorithms: Readonly<Record<string, Judge>> = {
  'AES-GCM': aesGcm,
  'XCHACHA20-POLY1305': xchacha,
  EDDSA: ed25519,
  ED25519: ed25519,
  Ed25519: ed25519,
  'Cobblestone-256': chunkedEncryption,
  HMACSHA256: hmac('sha256'),
  HMACSHA512: hmac('sha512'),
  'HKDF-SHA-256': hkdf('sha256'),
  'HKDF-SHA-512': hkdf('sha512'),
}
