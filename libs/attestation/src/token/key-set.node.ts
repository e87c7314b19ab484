/**
 * The public keys that a service signs with, as configured (RFC 7517). A set comes from configuration or verified collateral,
 * never from where a token says.
 */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { AttestationError } from '../errors.js'
import {
  expectArray,
  expectObject,
  expectText,
  memberOf,
  parseForeignJson,
  textIn,
} from '../json/foreign-json.js'

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
  /** RFC 7638, in base64url; null where `key` is. */
  readonly thumbprint: string | null
  /** `x5c`: what is said to certify the key, the leaf first, in base64 of DER as it stands there. */
  readonly certificates: readonly string[]
}

/** Keys in the order of the set. */
export type KeySet = readonly ServiceKey[]

/** Shorter RSA keys are refused (RFC 7518 §3.3). */
const minimumModulusBits = 2048
const maximumKeys = 256
const maximumCertificates = 8

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
    return [
      {
        keyId,
        algorithm: textIn(fields, 'alg'),
        use: textIn(fields, 'use'),
        ...imported,
        thumbprint: imported.key === null ? null : thumbprintOf(imported.key),
        certificates: certificatesIn(memberOf(fields, 'x5c')),
      },
    ]
  })
}

function certificatesIn(x5c: unknown): readonly string[] {
  if (x5c === undefined) return []
  const texts = expectArray(x5c, 'x5c of a key set')
  if (texts.length > maximumCertificates) throw malformed(`a key with ${texts.length} certificates`)
  return texts.map((text) => expectText(text, 'x5c of a key set'))
}

// RFC 7638 §3: the members that the key needs, in the order of their names. Written by OpenSSL, so that no other spelling of a number counts.
function thumbprintOf(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' })
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
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
