/**
 * X.509 version 3 certificates (RFC 5280), read strictly. Says nothing about whether one is to be believed: see chain.node.ts.
 */
import { toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { contextTag, derTag, parseDer, type DerReader } from '../der/der-reader.js'
import {
  parseBasicConstraints,
  parseExtensions,
  parseKeyUsage,
  type BasicConstraints,
  type Extension,
  type Extensions,
  type KeyUse,
} from './extensions.js'
import { parseName, type DistinguishedName } from './name.js'
import { parseKeyType, parseSignatureAlgorithm } from './signature-algorithm.js'
import type { KeyType, SignatureAlgorithm } from './signature-algorithm.js'
import { parseDerTime } from './time.js'

/** A certificate that anyone may have made. */
export interface Certificate {
  /** All of it. */
  readonly der: Uint8Array
  /** What its issuer signed. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly signatureAlgorithm: SignatureAlgorithm | 'unknown'
  /** Hexadecimal of the INTEGER as encoded. */
  readonly serialNumber: string
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** In milliseconds, both included. */
  readonly validity: { readonly from: number; readonly until: number }
  readonly publicKey: PublicKeyInfo
  readonly extensions: Extensions
  readonly basicConstraints: BasicConstraints
  /** Null: no restriction. */
  readonly keyUsage: readonly KeyUse[] | null
}

/** A public key with its type. */
export interface PublicKeyInfo {
  readonly type: KeyType
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array
}

const maximumCertificateLength = 65_536
const maximumSerialLength = 21

/**
 * Reads one certificate in DER.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseCertificate(der: Uint8Array, what = 'certificate'): Certificate {
  if (der.length > maximumCertificateLength)
    throw malformed(what, 'length', `it has ${der.length} bytes; at most ${maximumCertificateLength}`)
  const outer = parseDer(der, what)
  const signed = outer.next(derTag.sequence, 'tbsCertificate')
  const algorithm = outer.next(derTag.sequence, 'signatureAlgorithm')
  const signature = outer.bitStringBytes('signature')
  outer.end('certificate')

  const tbs = outer.enter(signed)
  const version = tbs.nextTag === contextTag(0) ? parseVersion(tbs) : 0
  if (version !== 2) throw malformed(what, 'version', `it is v${version + 1}; expected v3`)
  const serial = tbs.integerBytes('serialNumber')
  if (serial.length > maximumSerialLength) throw malformed(what, 'serialNumber', `${serial.length} bytes`)
  // RFC 5280 §4.1.1.2: the signed and the unsigned statement of the algorithm are the same.
  const inner = tbs.next(derTag.sequence, 'signature')
  if (toHex(inner.encoded) !== toHex(algorithm.encoded))
    throw malformed(what, 'signatureAlgorithm', 'it differs from the signed one')
  const issuer = parseName(tbs, 'issuer')
  const validity = tbs.nested('validity')
  const period = { from: parseDerTime(validity, 'notBefore'), until: parseDerTime(validity, 'notAfter') }
  validity.end('validity')
  const subject = parseName(tbs, 'subject')
  const spki = tbs.next(derTag.sequence, 'subjectPublicKeyInfo')
  const extensions =
    tbs.nextTag === contextTag(3) ? parseExtensionList(tbs, what) : new Map<string, Extension>()
  tbs.end('tbsCertificate')

  return Object.freeze({
    der,
    signed: signed.encoded,
    signature,
    signatureAlgorithm: parseSignatureAlgorithm(outer.enter(algorithm)),
    serialNumber: toHex(serial),
    issuer,
    subject,
    validity: period,
    publicKey: { type: parseKeyType(tbs.enter(spki)), spki: spki.encoded },
    extensions,
    basicConstraints: parseBasicConstraints(extensions),
    keyUsage: parseKeyUsage(extensions),
  })
}

function parseVersion(tbs: DerReader): number {
  const explicit = tbs.nested('version', contextTag(0))
  const version = explicit.smallInteger('version')
  explicit.end('version')
  return version
}

function parseExtensionList(tbs: DerReader, what: string): Extensions {
  const explicit = tbs.nested('extensions', contextTag(3))
  const extensions = parseExtensions(explicit.nested('extensions'), what)
  explicit.end('extensions')
  return extensions
}

function malformed(what: string, field: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${field}: ${why}`, { stage: 'parse', field })
}
