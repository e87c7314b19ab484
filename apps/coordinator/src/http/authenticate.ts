/**
 * The one check of who sent a request: for HTTP, for upload parts and for the WebSocket's upgrade. Runs before a body is
 * read; that the body is the signed one is checked when it is there (party-auth.guard.ts).
 */
import { timingSafeEqual } from 'node:crypto'
import { Injectable } from '@nestjs/common'
import { fromBase64url, parseCanonical, utf8, type PublicKey, type Thumbprint } from '#libs/canonical'
import {
  bodyDigest,
  requestScheme,
  unverifiedTokenKey,
  verifyRequestToken,
  type RequestClaims,
  type SeenRequest,
} from '#libs/protocol'
import { Clock } from '../clock.js'
import { CoordinatorError, member } from '../errors.js'
import type { Authenticated } from './caller.js'
import { KeyDirectory } from './key-directory.js'
import { ReplayWindow } from './replay-window.js'

/** What of a request its token binds, as it arrived. */
export interface ArrivedRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly hasBody: boolean
  /** The body, once it has arrived. */
  readonly body: () => Uint8Array | undefined
  /** `Upload-Offset` and `Content-Length` of an upload part. */
  readonly upload: { readonly offset: number; readonly length: number } | null
}

/** Paths that only the operator's token opens. */
export const operatorPrefix = '/v1/operator/'

export abstract class AuthenticationSettings {
  abstract readonly origin: string
  abstract readonly operatorToken: string
}

@Injectable()
export class Authenticator {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly replays: ReplayWindow,
    private readonly clock: Clock,
    private readonly settings: AuthenticationSettings,
  ) {}

  /**
   * Who sent this, or throws.
   * @throws CoordinatorError `TOKEN_MISSING`, `TOKEN_REPLAYED`, `OPERATOR_TOKEN_INVALID`; ProtocolError, CanonicalError.
   */
  async authenticate(request: ArrivedRequest): Promise<Authenticated> {
    if (request.authorization === undefined) return { caller: { kind: 'anyone' }, claims: null }
    const [scheme, token, ...rest] = request.authorization.split(' ')
    if (request.path.startsWith(operatorPrefix)) return this.operator(scheme, token)
    if (scheme !== requestScheme || token === undefined || rest.length > 0 || token.length > 4096)
      throw new CoordinatorError('TOKEN_MISSING', `expected "Authorization: ${requestScheme} <token>"`)
    const kid = unverifiedTokenKey(token)
    const known = this.keys.find(kid)
    if (known === undefined) return this.newcomer(kid, token, request)
    const claims = await this.verify(kid, token, known.key, request)
    return { caller: { kind: known.kind, thumbprint: known.thumbprint }, claims }
  }

  private newcomer(kid: Thumbprint, token: string, request: ArrivedRequest): Authenticated {
    const prove = async (key: PublicKey) => {
      const claims = await this.verify(kid, token, key, request)
      const body = request.body()
      if (claims.body !== (body === undefined ? null : bodyDigest(body)))
        throw new CoordinatorError(
          'REQUEST_MALFORMED',
          'the body is not the one that the request token signed',
        )
    }
    return { caller: { kind: 'newcomer', thumbprint: kid, prove }, claims: null }
  }

  private async verify(
    kid: Thumbprint,
    token: string,
    key: PublicKey,
    request: ArrivedRequest,
  ): Promise<RequestClaims> {
    const seen: SeenRequest = {
      aud: this.settings.origin,
      method: request.method as RequestClaims['method'],
      path: request.path,
      body: claimedBody(token, request.hasBody),
      offset: request.upload?.offset ?? null,
      length: request.upload?.length ?? null,
    }
    const now = this.clock.now()
    const claims = await verifyRequestToken(token, key, seen, now)
    this.replays.use(kid, claims, request.method !== 'GET' && request.method !== 'HEAD', now)
    return claims
  }

  private operator(scheme: string | undefined, token: string | undefined): Authenticated {
    const given = utf8(token ?? '')
    const expected = utf8(this.settings.operatorToken)
    if (scheme !== 'Bearer' || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new CoordinatorError('OPERATOR_TOKEN_INVALID', "expected the operator's token as Bearer")
    return { caller: { kind: 'operator' }, claims: null }
  }
}

/**
 * The body digest that a token names, before the body is here. The signature over it is verified at once; the body is
 * compared with it when it has arrived. A request with a body must name one, and one without must not.
 */
function claimedBody(token: string, hasBody: boolean): string | null {
  if (!hasBody) return null
  const body = member(parseCanonical(fromBase64url(token.split('.')[1] ?? '')), 'body')
  return typeof body === 'string' ? body : ''
}
