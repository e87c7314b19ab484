import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import type { PublicKey, Thumbprint } from '#libs/canonical'
import type { RequestClaims } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'

/** Who sent a request, as its token proved. */
export type Caller =
  | { readonly kind: 'party'; readonly thumbprint: Thumbprint }
  | { readonly kind: 'worker'; readonly thumbprint: Thumbprint }
  | {
      /** Signed by a key that nobody registered: it may only bring the Identity or the registration that holds this key. */
      readonly kind: 'newcomer'
      readonly thumbprint: Thumbprint
      /** Verifies the request under the key that its body brings, and uses its token up. */
      readonly prove: (key: PublicKey) => Promise<void>
    }
  | { readonly kind: 'operator' }
  | { readonly kind: 'anyone' }

/** What the authentication hook leaves with a request. */
export interface Authenticated {
  readonly caller: Caller
  /** Null for newcomers, operators and public routes. */
  readonly claims: RequestClaims | null
}

declare module 'fastify' {
  interface FastifyRequest {
    authenticated?: Authenticated
    rawBody?: Uint8Array<ArrayBuffer>
  }
}

export type CallerKind = Caller['kind']

export const allowedCallers = 'sealroom:callers'

/** Which callers a route serves; without it, parties only. */
export const Serves = (...kinds: readonly CallerKind[]) => SetMetadata(allowedCallers, kinds)

/** The party that sent the request. */
export const Party = createParamDecorator((_: unknown, context: ExecutionContext): Thumbprint => {
  const caller = callerOf(context.switchToHttp().getRequest<FastifyRequest>())
  if (caller.kind !== 'party') throw new CoordinatorError('NOT_ENTITLED', 'only a party may ask this')
  return caller.thumbprint
})

/** The worker that sent the request. */
export const Worker = createParamDecorator((_: unknown, context: ExecutionContext): Thumbprint => {
  const caller = callerOf(context.switchToHttp().getRequest<FastifyRequest>())
  if (caller.kind !== 'worker') throw new CoordinatorError('NOT_ENTITLED', 'only a worker may ask this')
  return caller.thumbprint
})

/** Whoever sent the request. */
export const From = createParamDecorator((_: unknown, context: ExecutionContext): Caller =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
)

export function callerOf(request: FastifyRequest): Caller {
  return request.authenticated?.caller ?? { kind: 'anyone' }
}
