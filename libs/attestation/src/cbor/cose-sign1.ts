/** COSE_Sign1 (RFC 9052 §4.2) with one algorithm and no further headers. Whose key signs is the caller's. */
import { concatBytes, utf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { parseCbor, parseCborArray, type CborMap } from './cbor-reader.js'

/** A message, read and not verified. */
export interface CoseSign1 {
  /** COSE's number of the algorithm: -35 is ES384. */
  readonly algorithm: number
  readonly payload: Uint8Array
  /** The bytes that the signature is over. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

const tag = 18
const algorithmHeader = 1

/**
 * Reads a message, with its tag or without.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `ALGORITHM` where it names none.
 */
export function parseCoseSign1(bytes: Uint8Array, what: string): CoseSign1 {
  const [head, unsignedHead, payload, signature, ...more] = parseCborArray(bytes, what, tag)
  if (!(head instanceof Uint8Array) || !(payload instanceof Uint8Array) || !(signature instanceof Uint8Array))
    throw malformed(what, 'not an array of headers, payload and signature')
  if (more.length > 0) throw malformed(what, 'more than four items')
  // Nobody signs these: whatever stands there was put there by anyone.
  if (!(unsignedHead instanceof Map) || unsignedHead.size > 0)
    throw malformed(what, 'unprotected headers that are not an empty map')
  const headers = parseCbor(head, `${what}, protected headers`)
  if (!isMap(headers)) throw malformed(what, 'protected headers that are no map')
  const algorithm = headers.get(algorithmHeader)
  if (typeof algorithm !== 'number')
    throw new AttestationError('ALGORITHM', `${what}: no algorithm is named`, {
      stage: 'parse',
      field: 'alg',
    })
  if (headers.size > 1) throw malformed(what, 'protected headers beside the algorithm')
  return { algorithm, payload, signed: signatureStructure(head, payload), signature }
}

// §4.4: ["Signature1", protected, external_aad, payload], the external data empty.
function signatureStructure(head: Uint8Array, payload: Uint8Array): Uint8Array {
  const context = utf8('Signature1')
  return concatBytes(
    Uint8Array.of(0x84, 0x60 | context.length),
    context,
    byteString(head),
    Uint8Array.of(0x40),
    byteString(payload),
  )
}

function byteString(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length < 24) return concatBytes(Uint8Array.of(0x40 | length), bytes)
  if (length < 256) return concatBytes(Uint8Array.of(0x58, length), bytes)
  if (length < 65_536) return concatBytes(Uint8Array.of(0x59, length >> 8, length & 0xff), bytes)
  return concatBytes(
    Uint8Array.of(0x5a, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff),
    bytes,
  )
}

function isMap(value: unknown): value is CborMap {
  return value instanceof Map
}

function malformed(what: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what })
}
