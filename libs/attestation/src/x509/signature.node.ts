/**
 * Signatures by keys of certificates. Guards that the algorithm is one of those allowed and fits the key. Says nothing about
 * whose key it is.
 */
import { createHash, createPublicKey, constants, verify, type KeyObject } from 'node:crypto'
import { concatBytes, fromHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import type { Certificate, PublicKeyInfo } from './certificate.js'
import {
  coordinateLength,
  type CurveName,
  type HashName,
  type SignatureAlgorithm,
} from './signature-algorithm.js'

/** Shorter RSA keys are refused. */
export const minimumRsaBits = 2048

/** SHA-256 of a certificate's DER in hexadecimal: how roots are pinned. */
export function fingerprintOf({ der }: Certificate): string {
  return sha256Hex(der)
}

/** SHA-256 in hexadecimal, without the domain tag that this project's own digests have. */
export function sha256Hex(...parts: readonly Uint8Array[]): string {
  return hashHex('sha256', ...parts)
}

/** A hash in hexadecimal, as foreign formats define them. */
export function hashHex(hash: HashName, ...parts: readonly Uint8Array[]): string {
  const hasher = createHash(hash)
  for (const part of parts) hasher.update(part)
  return hasher.digest('hex')
}

/** What a signature stands on. */
export interface Signed {
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly algorithm: SignatureAlgorithm | 'unknown'
}

/**
 * Whether `key` made the signature of a certificate or revocation list (ECDSA in DER form).
 * @throws AttestationError `ALGORITHM` where it is not on the list, or does not fit the key; `MALFORMED` for an unusable key.
 */
export function isSignedBy(
  { signed, signature, algorithm }: Signed,
  key: PublicKeyInfo,
  allowed: readonly SignatureAlgorithm[],
  what: string,
): boolean {
  if (algorithm === 'unknown' || !allowed.includes(algorithm))
    throw refused('ALGORITHM', what, `its signature is ${algorithm}; allowed: ${allowed.join(', ')}`)
  const [scheme, hash] = splitAlgorithm(algorithm)
  const { type } = key
  const fits = scheme === 'ecdsa' ? type.type === 'ec' : type.type === 'rsa' && type.bits >= minimumRsaBits
  if (!fits) throw refused('ALGORITHM', what, `its signature is ${algorithm}, by ${describe(key)}`)
  const publicKey = importKey(key, what)
  if (scheme === 'ecdsa') return verify(hash, signed, { key: publicKey, dsaEncoding: 'der' }, signature)
  const padding = scheme === 'rsa-pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST
  return verify(hash, signed, { key: publicKey, padding, saltLength }, signature)
}

/**
 * Whether `key` made a raw ECDSA signature r‖s, each of the curve's width, big-endian. Its twin r‖n−s verifies as well: a
 * signature is no name for what it signs.
 * @throws AttestationError `ALGORITHM` for a key of another curve, `MALFORMED` for another length.
 */
export function isRawEcdsa(
  { signed, signature }: Pick<Signed, 'signed' | 'signature'>,
  key: PublicKeyInfo,
  { curve, hash }: { readonly curve: CurveName; readonly hash: HashName },
  what: string,
): boolean {
  if (key.type.type !== 'ec' || key.type.curve !== curve)
    throw refused('ALGORITHM', what, `it is signed by ${describe(key)}; expected a key on ${curve}`)
  const length = 2 * coordinateLength(curve)
  if (signature.length !== length)
    throw refused('MALFORMED', what, `its signature has ${signature.length} bytes; expected ${length}`)
  return verify(hash, signed, { key: importKey(key, what), dsaEncoding: 'ieee-p1363' }, signature)
}

// RFC 5480: SubjectPublicKeyInfo of an uncompressed point, up to the 04 that begins it.
const spkiHeader: Readonly<Record<CurveName, string>> = {
  'P-256': '3059301306072a8648ce3d020106082a8648ce3d03010703420004',
  'P-384': '3076301006072a8648ce3d020106052b8104002203620004',
}

/** A public key from its coordinates x‖y, as quotes carry it. Whether the point is on the curve shows when it is used. */
export function publicKeyOfPoint(curve: CurveName, coordinates: Uint8Array): PublicKeyInfo {
  if (coordinates.length !== 2 * coordinateLength(curve))
    throw refused('MALFORMED', 'public key', `${coordinates.length} bytes are no point of ${curve}`)
  return { type: { type: 'ec', curve }, spki: concatBytes(fromHex(spkiHeader[curve]), coordinates) }
}

function importKey({ spki }: PublicKeyInfo, what: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch (cause) {
    // A point that is not on its curve, for one.
    throw refused('MALFORMED', what, 'the public key cannot be used', cause)
  }
}

function splitAlgorithm(algorithm: SignatureAlgorithm): ['ecdsa' | 'rsa-pss' | 'rsa-pkcs1', HashName] {
  const at = algorithm.lastIndexOf('-')
  return [algorithm.slice(0, at) as 'ecdsa' | 'rsa-pss' | 'rsa-pkcs1', algorithm.slice(at + 1) as HashName]
}

function describe({ type }: PublicKeyInfo): string {
  if (type.type === 'rsa') return `an RSA key of ${type.bits} bits`
  return type.type === 'ec' ? `a key on ${type.curve}` : 'a key of unknown type'
}

function refused(
  code: 'ALGORITHM' | 'MALFORMED',
  what: string,
  why: string,
  cause?: unknown,
): AttestationError {
  return new AttestationError(code, `${what}: ${why}`, { stage: 'authenticate', field: 'signature', cause })
}
