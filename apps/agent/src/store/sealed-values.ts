/** Values of an agent's store at rest: XChaCha20-Poly1305 under the store key, bound to the name they stand under. */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { canonicalBytes, concatBytes, domains, fromUtf8, utf8 } from '#libs/canonical'
import { AgentError } from '../errors.js'

const nonceLength = 24

/** Seals a value so that it can only be opened under the same name. */
export function sealValue(
  key: Uint8Array,
  name: string,
  value: unknown,
  randomBytes: (n: number) => Uint8Array,
): Uint8Array {
  const nonce = randomBytes(nonceLength)
  return concatBytes(nonce, xchacha20poly1305(key, nonce, boundTo(name)).encrypt(canonicalBytes(value)))
}

/**
 * Opens a value of the store.
 * @throws AgentError `STORE_DAMAGED`: another key, another name, or altered bytes; which of them is not told.
 */
export function openValue(key: Uint8Array, name: string, sealed: Uint8Array): unknown {
  try {
    const plain = xchacha20poly1305(key, sealed.subarray(0, nonceLength), boundTo(name)).decrypt(
      sealed.subarray(nonceLength),
    )
    return JSON.parse(fromUtf8(plain)) as unknown
  } catch (cause) {
    throw new AgentError(
      'STORE_DAMAGED',
      `the record ${name.split('!')[0] ?? ''} of the agent's store cannot be opened: restore a backup`,
      { cause },
    )
  }
}

function boundTo(name: string): Uint8Array {
  return concatBytes(utf8(domains.keyStore), utf8(name))
}
