/**
 * Algorithms of signatures and keys, by closed list. What is not on it is read as `unknown`, which no caller can allow.
 */
import { AttestationError } from '../errors.js'
import { derTag, contextTag, type DerReader } from '../der/der-reader.js'

/** A signature algorithm that some vendor's hierarchy uses. */
export type SignatureAlgorithm =
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384'
  | 'rsa-pss-sha512'
  | 'rsa-pkcs1-sha256'
  | 'rsa-pkcs1-sha384'
  | 'rsa-pkcs1-sha512'
  | 'ecdsa-sha256'
  | 'ecdsa-sha384'
  | 'ecdsa-sha512'

/** A hash on the list. */
export type HashName = 'sha256' | 'sha384' | 'sha512'

/** A curve on the list. */
export type CurveName = 'P-256' | 'P-384'

/** What kind of key a certificate holds. */
export type KeyType =
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: CurveName }
  | { readonly type: 'unknown' }

const plain: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.11': 'rsa-pkcs1-sha256',
  '1.2.840.113549.1.1.12': 'rsa-pkcs1-sha384',
  '1.2.840.113549.1.1.13': 'rsa-pkcs1-sha512',
  '1.2.840.10045.4.3.2': 'ecdsa-sha256',
  '1.2.840.10045.4.3.3': 'ecdsa-sha384',
  '1.2.840.10045.4.3.4': 'ecdsa-sha512',
}
const hashes: Readonly<Record<string, readonly [hash: HashName, length: number]>> = {
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
}
const curves: Readonly<Record<string, CurveName>> = {
  '1.2.840.10045.3.1.7': 'P-256',
  '1.3.132.0.34': 'P-384',
}
const rsassaPss = '1.2.840.113549.1.1.10'
const mgf1 = '1.2.840.113549.1.1.8'
const rsaEncryption = '1.2.840.113549.1.1.1'
const ecPublicKey = '1.2.840.10045.2.1'

/** Reads the content of an AlgorithmIdentifier of a signature. */
export function parseSignatureAlgorithm(reader: DerReader): SignatureAlgorithm | 'unknown' {
  const identifier = reader.objectIdentifier('signature algorithm')
  if (identifier === rsassaPss) return parsePss(reader)
  const algorithm = plain[identifier]
  if (algorithm === undefined) return 'unknown'
  // RFC 5758 §3.2: no parameters with ECDSA. RFC 4055 §5: NULL with RSA.
  if (algorithm.startsWith('rsa')) reader.optional(derTag.null, 'signature parameters')
  reader.end('signature parameters')
  return algorithm
}

// RFC 4055 §3.1. One hash for message and mask, and a salt of its length: other mixtures are on nobody's list.
function parsePss(reader: DerReader): SignatureAlgorithm | 'unknown' {
  const field = 'RSASSA-PSS parameters'
  const parameters = reader.nested(field)
  reader.end(field)
  if (parameters.nextTag !== contextTag(0)) return 'unknown'
  const hash = parseHash(parameters.nested(field, contextTag(0)).nested(field))
  if (parameters.nextTag !== contextTag(1)) return 'unknown'
  const mask = parameters.nested(field, contextTag(1)).nested(field)
  if (mask.objectIdentifier(field) !== mgf1) return 'unknown'
  const maskHash = parseHash(mask.nested(field))
  if (parameters.nextTag !== contextTag(2)) return 'unknown'
  const salt = parameters.nested(field, contextTag(2)).smallInteger(field)
  const trailer =
    parameters.nextTag === contextTag(3) ? parameters.nested(field, contextTag(3)).smallInteger(field) : 1
  parameters.end(field)
  if (hash === undefined || maskHash?.[0] !== hash[0] || salt !== hash[1] || trailer !== 1) return 'unknown'
  return `rsa-pss-${hash[0]}`
}

function parseHash(reader: DerReader): readonly [HashName, number] | undefined {
  const identifier = reader.objectIdentifier('hash algorithm')
  reader.optional(derTag.null, 'hash parameters')
  reader.end('hash parameters')
  return hashes[identifier]
}

/** Reads the content of a SubjectPublicKeyInfo. */
export function parseKeyType(reader: DerReader): KeyType {
  const algorithm = reader.nested('public key algorithm')
  const identifier = algorithm.objectIdentifier('public key algorithm')
  if (identifier === rsaEncryption) {
    const key = reader.enter({ content: reader.bitStringBytes('public key') })
    reader.end('public key')
    const modulus = key.nested('public key').integerBytes('modulus')
    return { type: 'rsa', bits: bitLength(modulus) }
  }
  if (identifier === ecPublicKey && algorithm.nextTag === derTag.objectIdentifier) {
    const curve = curves[algorithm.objectIdentifier('curve')]
    const point = reader.bitStringBytes('public key')
    reader.end('public key')
    if (curve === undefined) return { type: 'unknown' }
    if (point[0] !== 4 || point.length !== 1 + 2 * coordinateLength(curve))
      throw new AttestationError('MALFORMED', `the public key is no uncompressed point of ${curve}`, {
        stage: 'parse',
        field: 'public key',
      })
    return { type: 'ec', curve }
  }
  return { type: 'unknown' }
}

/** Bytes of one coordinate, and of each half of a raw signature. */
export function coordinateLength(curve: CurveName): number {
  return curve === 'P-256' ? 32 : 48
}

function bitLength(unsigned: Uint8Array): number {
  const bytes = unsigned[0] === 0 ? unsigned.subarray(1) : unsigned
  return bytes.length === 0 ? 0 : (bytes.length - 1) * 8 + (32 - Math.clz32(bytes[0] ?? 0))
}
