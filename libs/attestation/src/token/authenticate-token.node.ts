/**
 * Whether a service signed a token that is valid now. Guards the algorithm by list, the key by configuration, the exact issuer
 * and the times. Says nothing about what the claims mean, nor for whom the token was issued.
 */
import { verify } from 'node:crypto'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { memberOf, seenOf, textIn, type ForeignObject } from '../json/foreign-json.js'
import { parseCompactToken, type CompactToken } from './compact-token.js'
import type { KeySet, ServiceKey, TokenAlgorithm } from './key-set.node.js'

/** Whose tokens are believed, and when. */
export interface TokenTrust {
  /** In milliseconds. */
  readonly at: number
  /** Exactly the `iss` of the token. */
  readonly issuer: string
  readonly keys: KeySet
}

/** Keys of a service whose name is compared later. */
export type KeyTrust = Omit<TokenTrust, 'issuer'>

/** What a kind of token is like. */
export interface TokenKind {
  readonly what: string
  readonly algorithm: TokenAlgorithm
}

declare const authentic: unique symbol

/** A token that its issuer signed and that is valid. */
export interface AuthenticToken {
  readonly [authentic]: true
  readonly algorithm: TokenAlgorithm
  readonly keyId: string
  readonly signer: ServiceKey
  /** Its `iss`. */
  readonly issuer: string
  /** In seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly claims: ForeignObject
}

/**
 * Authenticates a token in compact form.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`, `KEY_UNKNOWN`, `SIGNATURE_INVALID`, `WRONG_ISSUER`, `NOT_YET_VALID`,
 * `EXPIRED`.
 */
export function authenticateToken(text: string, kind: TokenKind, trust: TokenTrust): AuthenticToken {
  const token = authenticateTokenOfAnyIssuer(text, kind, trust)
  if (token.issuer !== trust.issuer)
    throw refused(
      'WRONG_ISSUER',
      'iss',
      `${kind.what}: iss is ${seenOf(token.issuer)}; expected ${trust.issuer}`,
    )
  return token
}

/**
 * The same for a token whose issuer, and whose signer among the keys, the caller compares: nothing is believed until both are.
 * @throws AttestationError as {@link authenticateToken}; `WRONG_ISSUER` where it names none.
 */
export function authenticateTokenOfAnyIssuer(
  text: string,
  { what, algorithm }: TokenKind,
  { at, keys }: KeyTrust,
): AuthenticToken {
  const token = parseCompactToken(text, what)
  if (token.algorithm !== algorithm)
    throw refused(
      'ALGORITHM',
      'alg',
      `${what} is signed with ${seenOf(token.algorithm)}; expected ${algorithm}`,
    )
  const signer = findSigner(token, algorithm, keys, what)
  const { unverifiedClaims: claims } = token
  const issuer = textIn(claims, 'iss')
  if (issuer === null) throw refused('WRONG_ISSUER', 'iss', `${what}: it names no issuer`)
  const { issuedAt, expiresAt } = checkTimes(claims, at, what)
  const { keyId } = signer
  return Object.freeze({ algorithm, keyId, signer, issuer, issuedAt, expiresAt, claims }) as AuthenticToken
}

function findSigner(
  { keyId, signed, signature }: CompactToken,
  algorithm: TokenAlgorithm,
  keys: KeySet,
  what: string,
): ServiceKey {
  const named = keys.filter((key) => key.keyId === keyId)
  if (named.length === 0)
    throw refused('KEY_UNKNOWN', 'kid', `${what}: the keys configured lack its key ${seenOf(keyId)}`)
  const usable = named.filter(
    ({ algorithm: declared, use, fits }) =>
      fits === algorithm && (declared === null || declared === algorithm) && (use === null || use === 'sig'),
  )
  if (usable.length === 0)
    throw refused(
      'ALGORITHM',
      'kid',
      `${what}: its key ${seenOf(keyId)} is not one for ${algorithm} signatures`,
    )
  const signer = usable.find(({ key }) => key !== null && isSignature(algorithm, signed, key, signature))
  if (signer === undefined)
    throw refused('SIGNATURE_INVALID', 'signature', `${what}: its key ${seenOf(keyId)} did not sign it`)
  return signer
}

// RFC 7518 §3.3 and §3.4: PKCS #1 v1.5 with SHA-256; raw r and s of 48 bytes each with SHA-384.
function isSignature(
  algorithm: TokenAlgorithm,
  signed: Uint8Array,
  key: NonNullable<ServiceKey['key']>,
  signature: Uint8Array,
): boolean {
  return algorithm === 'RS256'
    ? verify('sha256', signed, key, signature)
    : signature.length === 96 && verify('sha384', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

// RFC 7519 §4.1.4 to §4.1.6, without leeway. A service that is ahead of our clock is refused until we are there.
function checkTimes(
  claims: ForeignObject,
  at: number,
  what: string,
): { readonly issuedAt: number; readonly expiresAt: number } {
  if (!Number.isFinite(at)) throw new RangeError('the time of a verdict is no time')
  const issuedAt = expectTime(claims, 'iat', what)
  const expiresAt = expectTime(claims, 'exp', what)
  const notBefore = memberOf(claims, 'nbf') === undefined ? issuedAt : expectTime(claims, 'nbf', what)
  const now = at / 1000
  if (now < notBefore || now < issuedAt)
    throw refused(
      'NOT_YET_VALID',
      'nbf',
      `${what} is valid from ${Math.max(notBefore, issuedAt)}; judged at ${now}`,
    )
  if (now >= expiresAt)
    throw refused('EXPIRED', 'exp', `${what} was valid until ${expiresAt}; judged at ${now}`)
  return { issuedAt, expiresAt }
}

/** The end of the year 9999, in seconds: beyond it no calendar writes a time. */
const latestTime = 253_402_300_799

function expectTime(claims: ForeignObject, name: string, what: string): number {
  const value = memberOf(claims, name)
  if (typeof value === 'number' && value >= 0 && value <= latestTime) return value
  throw new AttestationError(
    'MALFORMED',
    `${what}: ${name} is ${seenOf(value)}; expected seconds since 1970`,
    {
      stage: 'parse',
      field: name,
    },
  )
}

function refused(code: AttestationErrorCode, field: string, message: string): AttestationError {
  return new AttestationError(code, message, { stage: 'authenticate', field })
}
