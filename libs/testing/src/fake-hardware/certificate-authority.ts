/** A certificate authority that certifies and revokes whatever it is asked to. */
import { constants, createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { concatBytes, toBase64, utf8 } from '#libs/canonical'
import {
  der,
  derBits,
  derBoolean,
  derInteger,
  derOctets,
  derOid,
  derSequence,
  derText,
  derTime,
} from './der-writer.js'

/** A key pair with the algorithm that it signs with. */
export interface FakeKey {
  readonly algorithm: FakeAlgorithm
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
}

const sha384 = '2.16.840.1.101.3.4.2.2'
const algorithms = {
  'rsa-pss-sha384': () => derSequence(derOid('1.2.840.113549.1.1.10'), pssParameters()),
  'rsa-pkcs1-sha384': () => derSequence(derOid('1.2.840.113549.1.1.12'), der(0x05)),
  'ecdsa-sha256': () => derSequence(derOid('1.2.840.10045.4.3.2')),
  'ecdsa-sha384': () => derSequence(derOid('1.2.840.10045.4.3.3')),
} as const

/** What a fake signs with. */
export type FakeAlgorithm = keyof typeof algorithms

/** A new key. RSA keys are short, because their making takes long. */
export function makeKey(algorithm: FakeAlgorithm, { bits = 2048, curve = 'P-384' } = {}): FakeKey {
  const { privateKey, publicKey } = algorithm.startsWith('rsa')
    ? generateKeyPairSync('rsa', { modulusLength: bits })
    : generateKeyPairSync('ec', { namedCurve: curve })
  return { algorithm, privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) }
}

/** An extension of a certificate or list. */
export interface FakeExtension {
  readonly id: string
  readonly critical?: boolean
  readonly value: Uint8Array
}

/** What a certificate is to say. */
export interface FakeCertificate {
  subject: string
  issuer: string
  serialNumber: number
  from: number
  until: number
  key: FakeKey
  /** Who signs, whatever the issuer is called. */
  signer: FakeKey
  extensions: FakeExtension[]
}

/** Makes a certificate of version 3. */
export function makeCertificate(fields: FakeCertificate): Uint8Array<ArrayBuffer> {
  const { subject, issuer, serialNumber, from, until, key, signer, extensions } = fields
  const tbs = derSequence(
    der(0xa0, derInteger(2)),
    derInteger(serialNumber),
    algorithms[signer.algorithm](),
    name(issuer),
    derSequence(derTime(from), derTime(until)),
    name(subject),
    key.spki,
    ...(extensions.length === 0 ? [] : [der(0xa3, extensionList(extensions))]),
  )
  return signed(tbs, signer)
}

/** What a revocation list is to say. */
export interface FakeRevocationList {
  issuer: string
  signer: FakeKey
  from: number
  /** Null: the list names no end. */
  until: number | null
  revoked: number[]
  extensions: FakeExtension[]
}

/** Makes a revocation list of version 2. */
export function makeRevocationList(fields: FakeRevocationList): Uint8Array<ArrayBuffer> {
  const { issuer, signer, from, until, revoked, extensions } = fields
  const entries = revoked.map((serial) => derSequence(derInteger(serial), derTime(from)))
  const tbs = derSequence(
    derInteger(1),
    algorithms[signer.algorithm](),
    name(issuer),
    derTime(from),
    ...(until === null ? [] : [derTime(until)]),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    ...(extensions.length === 0 ? [] : [der(0xa0, extensionList(extensions))]),
  )
  return signed(tbs, signer)
}

/** Extensions of an authority. */
export function authorityExtensions({
  pathLength = null,
  uses = [5, 6],
}: { pathLength?: number | null; uses?: readonly number[] } = {}): FakeExtension[] {
  const constraints = derSequence(derBoolean(true), ...(pathLength === null ? [] : [derInteger(pathLength)]))
  return [
    { id: '2.5.29.19', critical: true, value: constraints },
    { id: '2.5.29.15', critical: true, value: keyUsage(uses) },
  ]
}

/** KeyUsage with these bits. */
export function keyUsage(bits: readonly number[]): Uint8Array {
  const byte = bits.reduce((value, bit) => value | (0x80 >> bit), 0)
  const unused = byte === 0 ? 7 : 31 - Math.clz32(byte & -byte)
  return derBits(Uint8Array.of(byte), unused)
}

/** PEM blocks of certificates, or of lists. */
export function pem(blocks: readonly Uint8Array[], label = 'CERTIFICATE'): Uint8Array {
  const text = blocks.map((block) => {
    const lines = toBase64(block).match(/.{1,64}/g) ?? []
    return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
  })
  return utf8(text.join(''))
}

/** SHA-256 of a certificate in hexadecimal. */
export function fingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex')
}

function signed(tbs: Uint8Array, signer: FakeKey): Uint8Array<ArrayBuffer> {
  return derSequence(tbs, algorithms[signer.algorithm](), derBits(signWith(signer, tbs)))
}

function signWith({ algorithm, privateKey }: FakeKey, message: Uint8Array): Uint8Array {
  const hash = algorithm.endsWith('256') ? 'sha256' : 'sha384'
  if (algorithm !== 'rsa-pss-sha384') return sign(hash, message, privateKey)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return sign(hash, message, { key: privateKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
}

/** A raw ECDSA signature r‖s, as hardware makes it. */
export function signRaw(key: FakeKey, message: Uint8Array, hash = 'sha384'): Uint8Array {
  return sign(hash, message, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
}

function name(commonName: string): Uint8Array {
  return derSequence(der(0x31, derSequence(derOid('2.5.4.3'), derText(commonName))))
}

function extensionList(extensions: readonly FakeExtension[]): Uint8Array {
  return derSequence(
    ...extensions.map(({ id, critical, value }) =>
      derSequence(derOid(id), ...(critical === true ? [derBoolean(true)] : []), derOctets(value)),
    ),
  )
}

function pssParameters(): Uint8Array {
  const hash = derSequence(derOid(sha384), der(0x05))
  return derSequence(
    der(0xa0, hash),
    der(0xa1, derSequence(derOid('1.2.840.113549.1.1.8'), hash)),
    der(0xa2, derInteger(48)),
  )
}

/** Bytes with one bit turned over, counted from the first. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = concatBytes(bytes)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
  return flipped
}
