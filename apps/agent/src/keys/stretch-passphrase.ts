/** From a passphrase to a key: scrypt (RFC 7914), at a cost that makes guessing dear and that an altered file cannot raise. */
import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { fromBase64url } from '#libs/canonical'

/** What opens a sealed file. */
export type Unlock =
  | { readonly kind: 'passphrase'; readonly passphrase: string }
  | { readonly kind: 'key-file'; readonly key: Uint8Array }

/** scrypt's cost. The default takes about half a second and 128 MiB. */
export interface ScryptCost {
  readonly N: number
  readonly r: 8
  readonly p: 1
}

export const defaultCost: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

/** More than this (1 GiB of memory) is refused on reading, so that an altered file cannot exhaust the machine. */
export const maximumN = 2 ** 20

/** Cheaper than this is refused on reading too, unless a test says otherwise. */
export const minimumN = 2 ** 15

const derived = new WeakMap<Unlock, Map<string, Promise<Uint8Array>>>()
const derive = promisify<string, Uint8Array, number, ScryptCost & { maxmem: number }, Buffer>(scrypt)

/** The 32-byte key of a passphrase and a salt, in base64url; the same question is answered once. */
export async function stretchPassphrase(
  unlock: Unlock & { readonly kind: 'passphrase' },
  { N, r, p, salt }: ScryptCost & { readonly salt: string },
): Promise<Uint8Array> {
  const known = derived.get(unlock) ?? new Map<string, Promise<Uint8Array>>()
  derived.set(unlock, known)
  const name = `${N} ${salt}`
  const maxmem = 128 * N * r + 2 ** 20
  const key =
    known.get(name) ??
    derive(unlock.passphrase.normalize('NFC'), fromBase64url(salt), 32, { N, r, p, maxmem }).then(
      (bytes) => new Uint8Array(bytes),
    )
  known.set(name, key)
  return await key
}
