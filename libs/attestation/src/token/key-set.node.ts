/**
 * The public keys that a service signs with, as configured (RFC 7517). A set comes from configuration or verified collateral,
 * never from where a token says.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { AttestationError } from '../errors.js'
import { expectArray, expectObject, memberOf, parseForeignJson, textIn } from '../json/foreign-json.js'

/** Algorithms of tokens, by closed list. */
export type TokenAlgorithm = 'RS256' | 'ES384'

/** One key of a set. */
export interface ServiceKey {
  readonly keyId: string
  /** What the set says that the key is for; null: not said. */
  readonly algorithm: string | null
  readonly use: string | null
  /** Null for a key of another type than RSA and P-384. */
  readonly key: KeyObject | null
  /** The algorithm that the key's type fits. */
  readonly fits: TokenAlgorithm | null
}

/** Keys in the order of the set. */
export type KeySet = readonly ServiceKey[]

/** Shorter RSA keys are refused (RFC 7518 §3.3). */
const minimumModulusBits = 2048
const maximumKeys = 256

/**
 * Reads a key set. Keys without an id are left out, since no token can name them.
 * @throws AttestationError `MALFORMED`.
 */
export function parseKeySet(bytes: Uint8Array): KeySet {
  const what = 'key set'
  const keys = expectArray(memberOf(expectObject(parseForeignJson(bytes, what), what), 'keys'), what)
  if (keys.length > maximumKeys) throw malformed(`it has ${keys.length} keys; at most ${maximumKeys}`)
  return keys.flatMap((value) => {
    const fields = expectObject(value, 'key of a key set')
    const keyId = textIn(fields, 'kid')
    if (keyId === null) return []
    const imported = importKey(
      { kty: textIn(fields, 'kty'), crv: textIn(fields, 'crv'), n: textIn(fields, 'n') },
      { e: textIn(fields, 'e'), x: textIn(fields, 'x'), y: textIn(fields, 'y') },
    )
    return [{ keyId, algorithm: textIn(fields, 'alg'), use: textIn(fields, 'use'), ...imported }]
  })
}

type Texts = Readonly<Record<string, string | null>>

function importKey(type: Texts, rest: Texts): Pick<ServiceKey, 'key' | 'fits'> {
  const none = { key: null, fits: null }
  const { kty, crv, n } = type
  const { e, x, y } = rest
  if (kty === 'RSA' && n != null && e != null) {
    const key = fromJwk({ kty, n, e })
    const { modulusLength } = key.asymmetricKeyDetails ?? {}
    return modulusLength !== undefined && modulusLength >= minimumModulusBits ? { key, fits: 'RS256' } : none
  }
  if (kty === 'EC' && crv === 'P-384' && x != null && y != null)
    return { key: fromJwk({ kty, crv, x, y }), fits: 'ES384' }
  return none
}

function fromJwk(key: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch (cause) {
    throw malformed('one of its keys cannot be used', cause)
  }
}

function malformed(why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `key set: ${why}`, { stage: 'parse', field: 'keys', cause })
}
