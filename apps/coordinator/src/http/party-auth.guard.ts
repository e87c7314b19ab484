import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import type { FastifyRequest } from 'fastify'
import { bodyDigest } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { allowedCallers, callerOf, type CallerKind } from './caller.js'

/** Lets a request pass whose caller the route serves and whose body is the one that its token signed. */
@Injectable()
export class PartyAuthGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    const allowed = this.reflector.getAllAndOverride<readonly CallerKind[] | undefined>(allowedCallers, [
      context.getHandler(),
      context.getClass(),
    ]) ?? ['party']
    const { kind } = callerOf(request)
    if (kind === 'anyone' && !allowed.includes('anyone'))
      throw new CoordinatorError('TOKEN_MISSING', 'this request must be signed; see docs on request tokens')
    if (kind === 'newcomer' && !allowed.includes('newcomer'))
      throw new CoordinatorError(
        'KEY_UNKNOWN',
        'the key of this request token is not the newest daemon key of a party, nor of a registered worker',
      )
    if (!allowed.includes(kind) && !allowed.includes('anyone'))
      throw new CoordinatorError('NOT_ENTITLED', `this is for ${allowed.join(' or ')}; the caller is ${kind}`)
    this.expectSignedBody(request)
    return true
  }

  private expectSignedBody(request: FastifyRequest): void {
    const claims = request.authenticated?.claims
    if (claims === null || claims === undefined) return
    const seen = request.rawBody === undefined ? null : bodyDigest(request.rawBody)
    if (claims.body !== seen)
      throw new CoordinatorError('REQUEST_MALFORMED', 'the body is not the one that the request token signed')
  }
}
