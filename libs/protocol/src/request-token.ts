/**
 * Signed requests to the coordinator: a JWT of the shape of DPoP (RFC 9449) in `Authorization: Sealroom <token>`, bound to
 * method, path with query and body; for an upload part to its offset and length too. Guards against another's requests and
 * replays within the window; the caller keeps the used `jti`. Carries no authority over data: statements do that.
 */
import { CompactSign, compactVerify } from 'jose'
import { z } from 'zod'
import {
  canonicalBytes,
  canonicalJson,
  digest,
  domains,
  fromBase64url,
  importPublicKey,
  parseCanonical,
  thumbprintOf,
  toBase64url,
  utf8,
  type PublicKey,
  type SigningKey,
} from '#libs/canonical'
import { ProtocolError } from './errors.js'
import { bytesSchema, countSchema, digestSchema } from './primitives.js'

/** The scheme of the Authorization header. */
export const requestScheme = 'Sealroom'

/** A token older or newer than this is refused; used tokens are remembered for twice as long. */
export const requestWindowMilliseconds = 60_000

const claimsSchema = z.strictObject({
  aud: z.string().min(1).max(200),
  method: z.enum(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE']),
  path: z.string().min(1).max(2000),
  iat: countSchema,
  jti: bytesSchema(16),
  body: digestSchema.nullable(),
  offset: countSchema.nullable(),
  length: countSchema.nullable(),
})

export type RequestClaims = z.infer<typeof claimsSchema>

/** The digest by which a token names a request body. */
export function bodyDigest(body: Uint8Array): string {
  return digest(domains.requestBody, body)
}

/** Makes the token of one request. */
export async function createRequestToken(claims: RequestClaims, key: SigningKey): Promise<string> {
  return await new CompactSign(canonicalBytes(claims))
    .setProtectedHeader(headerOf(key.thumbprint))
    .sign(key.secretKey)
}

/** The key that a token claims to be signed by, before anything is verified. */
export function unverifiedTokenKey(token: string): string {
  const header = z
    .object({ kid: z.string().max(100) })
    .safeParse(parseCanonical(fromBase64url(token.split('.')[0] ?? '')))
  if (!header.success) throw new ProtocolError('REQUEST_TOKEN_INVALID', 'the request token names no key')
  return header.data.kid
}

/** What a request is, as the receiver sees it. */
export type SeenRequest = Omit<RequestClaims, 'iat' | 'jti'>

/**
 * Verifies that a token is for exactly this request, signed by this key, now.
 * @throws ProtocolError `REQUEST_TOKEN_INVALID`, `REQUEST_TOKEN_STALE`; CanonicalError for junk.
 */
export async function verifyRequestToken(
  token: string,
  key: PublicKey,
  seen: SeenRequest,
  now: number,
): Promise<RequestClaims> {
  const header = toBase64url(utf8(canonicalJson(headerOf(thumbprintOf(key)))))
  if (token.length > 4096 || token.split('.')[0] !== header)
    throw new ProtocolError(
      'REQUEST_TOKEN_INVALID',
      'the request token has another header than the one allowed',
    )
  const claims = claimsSchema.safeParse(parseCanonical(await verifiedPayload(token, key)))
  if (!claims.success)
    throw new ProtocolError(
      'REQUEST_TOKEN_INVALID',
      'the claims of the request token are not as they must be',
    )
  const { iat, jti, ...bound } = claims.data
  for (const name of Object.keys(seen) as (keyof SeenRequest)[])
    if (bound[name] !== seen[name])
      throw new ProtocolError(
        'REQUEST_TOKEN_INVALID',
        `the request token is for another request: ${name} differs`,
      )
  if (Math.abs(now - iat) > requestWindowMilliseconds)
    throw new ProtocolError(
      'REQUEST_TOKEN_STALE',
      `the request token was made ${Math.round((now - iat) / 1000)} s ago; at most ${requestWindowMilliseconds / 1000} s either way is accepted: compare the clocks`,
    )
  return { iat, jti, ...bound }
}

async function verifiedPayload(token: string, key: PublicKey): Promise<Uint8Array> {
  const publicKey = await importPublicKey(key)
  try {
    return (await compactVerify(token, publicKey, { algorithms: ['Ed25519'] })).payload
  } catch (cause) {
    throw new ProtocolError('REQUEST_TOKEN_INVALID', 'the request token is not signed by the key it names', {
      cause,
    })
  }
}

function headerOf(kid: string): { alg: string; kid: string; typ: string } {
  return { alg: 'Ed25519', kid, typ: 'sealroom-request+jwt' }
}
