/**
 * Statements: canonical JSON in a compact JWS, with one header and no other.
 * Guards: that exactly these bytes were signed by the key that the caller expects, as the kind of statement that the caller
 * expects. Says nothing about whether that key may make the statement; authority is the caller's.
 */
import { CompactSign } from 'jose'
import { concatBytes, fromBase64url, toBase64url, utf8 } from './bytes.js'
import { canonicalBytes, canonicalJson, parseCanonical, type JsonValue } from './canonical-json.js'
import { digest, type Digest } from './digest.js'
import { domains, statementDomain, type StatementType } from './domains.js'
import { CanonicalError } from './errors.js'
import { verifyEd25519 } from './ed25519.js'
import { thumbprintOf, type PublicKey, type SigningKey, type Thumbprint } from './keys.js'
import { VerifiedBefore } from './verified-before.js'

/** Larger statements are refused before anything is decoded. */
export const maximumStatementLength = 1_000_000

/** A kind of statement: its name, and the schema that its payload must meet. */
export interface StatementKind<Payload> {
  readonly type: StatementType
  /** @throws whatever the schema throws; it is turned into `STATEMENT_PAYLOAD_INVALID`. */
  readonly parse: (value: JsonValue) => Payload
}

declare const verified: unique symbol

/** A statement whose signature was verified. Only {@link verifyStatement} and {@link signStatement} make one. */
export interface Verified<Payload> {
  readonly [verified]: true
  readonly payload: Payload
  /** SHA-256 of the payload bytes under the tag of the statement's type. */
  readonly id: Digest
  /** SHA-256 of the whole JWS; the log's leaf commits to it. */
  readonly digest: Digest
  /** Thumbprint of the key that signed. */
  readonly kid: Thumbprint
  readonly jws: string
}

/**
 * Signs a payload.
 * @throws CanonicalError `STATEMENT_PAYLOAD_INVALID` where our own payload does not meet the schema.
 */
export async function signStatement<P>(
  kind: StatementKind<P>,
  payload: P,
  key: SigningKey,
): Promise<Verified<P>> {
  const bytes = canonicalBytes(parsePayload(kind, canonicalBytes(payload)))
  const header = { alg: 'Ed25519', kid: key.thumbprint, typ: mediaType(kind.type) }
  const jws = await new CompactSign(bytes).setProtectedHeader(header).sign(key.secretKey)
  // jose writes the header's members in the order given, which is the canonical one.
  return asVerified(kind, jws, parsePayload(kind, bytes), bytes, key.thumbprint)
}

const before = new VerifiedBefore<StatementKind<unknown>, Verified<unknown>>(4_000_000)

/**
 * Verifies a statement of a known kind by a known key: header byte-equal to the only one allowed, signature good, payload
 * canonical and as the schema says.
 * @throws CanonicalError `STATEMENT_MALFORMED`, `STATEMENT_HEADER_INVALID`, `STATEMENT_SIGNATURE_INVALID`,
 * `STATEMENT_PAYLOAD_INVALID`, and the codes of {@link parseCanonical}.
 */
export async function verifyStatement<P>(
  kind: StatementKind<P>,
  jws: string,
  key: PublicKey,
): Promise<Verified<P>> {
  const kid = thumbprintOf(key)
  // Kept under this kind, so its payload is of this kind's type.
  const known = before.find(kind, kid, jws) as Verified<P> | undefined
  if (known !== undefined) return known
  const { header, payload, signature } = splitJws(jws)
  if (header !== protectedHeader(kind.type, kid))
    throw new CanonicalError(
      'STATEMENT_HEADER_INVALID',
      `the protected header must be exactly alg Ed25519, kid ${kid}, typ ${mediaType(kind.type)}`,
    )
  // RFC 7515 §5.2: what is signed is the text up to the signature. The header can only be the one that was just compared.
  if (!(await verifyEd25519(key, utf8(jws.slice(0, jws.lastIndexOf('.'))), signature)))
    throw new CanonicalError('STATEMENT_SIGNATURE_INVALID', `${kind.type} is not signed by ${kid}`)
  const statement = asVerified(kind, jws, parsePayload(kind, payload), payload, kid)
  before.keep(kind, kid, jws, statement)
  return statement
}

/**
 * What a statement claims to be, before anything is verified: enough to find the key to verify it with.
 * @throws CanonicalError `STATEMENT_MALFORMED` and the codes of {@link parseCanonical}.
 */
export function unverifiedStatement(jws: string): {
  readonly kid: string
  readonly type: string
  readonly payload: JsonValue
} {
  const { header, payload } = splitJws(jws)
  const claimed = parseCanonical(fromBase64url(header))
  const kid = member(claimed, 'kid')
  const typ = member(claimed, 'typ')
  const value = parseCanonical(payload)
  const type = member(value, 'type')
  if (typeof kid !== 'string' || typeof type !== 'string' || typ !== mediaType(type))
    throw new CanonicalError('STATEMENT_MALFORMED', 'kid, typ and payload type must be there and agree')
  return { kid, type, payload: value }
}

/** The `typ` of a statement's header (RFC 7515 §4.1.9). */
export function mediaType(type: string): string {
  return `sealroom-${type}-v1+jws`
}

/** The id of a payload: what other statements name it by. */
export function statementId(type: StatementType, payloadBytes: Uint8Array): Digest {
  return digest(statementDomain(type), payloadBytes)
}

/** The digest of a whole JWS, to which a log leaf commits. */
export function statementDigest(jws: string): Digest {
  return digest(domains.signedStatement, utf8(jws))
}

/** The payload bytes of a verified statement, as signed. */
export function payloadBytes(statement: Verified<unknown>): Uint8Array {
  return splitJws(statement.jws).payload
}

function asVerified<P>(
  kind: StatementKind<P>,
  jws: string,
  payload: P,
  bytes: Uint8Array,
  kid: Thumbprint,
): Verified<P> {
  const statement = { payload, id: statementId(kind.type, bytes), digest: statementDigest(jws), kid, jws }
  return Object.freeze(statement) as Verified<P>
}

// The same few keys sign nearly everything, each the same few types.
const headers = new Map<string, string>()
const maximumHeaders = 10_000

function protectedHeader(type: StatementType, kid: Thumbprint): string {
  const known = headers.get(`${type} ${kid}`)
  if (known !== undefined) return known
  const header = makeHeader(type, kid)
  if (headers.size >= maximumHeaders) headers.clear()
  headers.set(`${type} ${kid}`, header)
  return header
}

function makeHeader(type: StatementType, kid: Thumbprint): string {
  return toBase64url(utf8(canonicalJson({ alg: 'Ed25519', kid, typ: mediaType(type) })))
}

function splitJws(jws: string): {
  header: string
  payload: Uint8Array
  signature: Uint8Array<ArrayBuffer>
} {
  const parts = jws.length > maximumStatementLength ? [] : jws.split('.')
  const [header, payload, signed] = parts
  if (parts.length !== 3 || header === undefined || payload === undefined || signed === undefined)
    throw new CanonicalError(
      'STATEMENT_MALFORMED',
      `not a compact JWS of at most ${maximumStatementLength} characters`,
    )
  const signature = fromBase64url(signed)
  if (signature.length !== 64)
    throw new CanonicalError('STATEMENT_MALFORMED', 'an Ed25519 signature has 64 bytes')
  return { header, payload: fromBase64url(payload), signature }
}

function parsePayload<P>(kind: StatementKind<P>, bytes: Uint8Array): P {
  const value = parseCanonical(bytes)
  if (member(value, 'type') !== kind.type)
    throw new CanonicalError('STATEMENT_PAYLOAD_INVALID', `payload type is not ${kind.type}`)
  try {
    return kind.parse(value)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown'
    throw new CanonicalError(
      'STATEMENT_PAYLOAD_INVALID',
      `${kind.type} does not meet its schema: ${reason}`,
      { cause },
    )
  }
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Record<string, JsonValue>)[name] : undefined
}

/** Bytes of 32 random ones as a statement's salt. */
export function saltFrom(randomBytes: (length: number) => Uint8Array): string {
  return toBase64url(concatBytes(randomBytes(32)))
}
