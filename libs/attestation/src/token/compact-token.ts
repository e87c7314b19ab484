/**
 * Signed tokens in compact form (RFC 7515 §7.1, RFC 7519), split and decoded strictly. Nothing in one is trusted: see
 * authenticate-token.node.ts. `jku`, `x5u`, `jwk` and `x5c` of the header are not read at all.
 */
import { CodedError, fromBase64url, utf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { expectObject, memberOf, parseForeignJson, textIn, type ForeignObject } from '../json/foreign-json.js'

/** A token that anyone may have made. */
export interface CompactToken {
  readonly algorithm: string
  /** Null: it names no key. */
  readonly keyId: string | null
  readonly unverifiedClaims: ForeignObject
  /** What was signed: header and payload as they were sent. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

const maximumTokenLength = 262_144

/**
 * Splits and decodes a token.
 * @throws AttestationError `MALFORMED`; `ALGORITHM` for header parameters that must be understood.
 */
export function parseCompactToken(text: string, what: string): CompactToken {
  if (text.length > maximumTokenLength)
    throw malformed(what, `it has ${text.length} characters; at most ${maximumTokenLength}`)
  const parts = text.split('.')
  const [header, payload, signature] = parts
  if (parts.length !== 3 || header === undefined || payload === undefined || signature === undefined)
    throw malformed(what, `it has ${parts.length} parts; expected 3`)
  const fields = expectObject(
    parseForeignJson(decode(header, what, 'header'), `${what} header`),
    `${what} header`,
  )
  const algorithm = textIn(fields, 'alg')
  if (algorithm === null) throw malformed(what, 'its header names no algorithm')
  // RFC 7515 §4.1.11: what is critical and not understood makes a token invalid. `b64` changes what is signed.
  if (memberOf(fields, 'crit') !== undefined || memberOf(fields, 'b64') !== undefined)
    throw new AttestationError('ALGORITHM', `${what}: its header demands extensions; none is understood`, {
      stage: 'parse',
      field: 'crit',
    })
  return {
    algorithm,
    keyId: textIn(fields, 'kid'),
    unverifiedClaims: expectObject(
      parseForeignJson(decode(payload, what, 'payload'), `${what} payload`),
      `${what} payload`,
    ),
    signed: utf8(`${header}.${payload}`),
    signature: decode(signature, what, 'signature'),
  }
}

function decode(part: string, what: string, field: string): Uint8Array {
  try {
    return fromBase64url(part)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(what, `its ${field} is not base64url`, cause)
  }
}

function malformed(what: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what, cause })
}
