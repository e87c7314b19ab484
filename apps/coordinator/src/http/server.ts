/** Fastify as this server wants it: bodies as bytes, authentication before a body is read, bounds everywhere. */
import { randomBytes } from 'node:crypto'
import helmet from '@fastify/helmet'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CanonicalError } from '#libs/canonical'
import type { Clock } from '../clock.js'
import { CoordinatorError } from '../errors.js'
import type { Authenticator } from './authenticate.js'
import { problemOf, sendProblem } from './problem.filter.js'
import type { RateLimit } from './rate-limit.js'

/** A statement with its attachment in base64, and room for the JSON around them. */
export const jsonBodyBytes = 3 * 1024 * 1024

/** One part of an upload. */
export const uploadPartBytes = 4 * 1024 * 1024

/** What someone unknown may bring: one Identity or one registration. */
const newcomerBodyBytes = 64 * 1024

export function fastifyAdapter(options: { readonly trustProxy: boolean }): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: jsonBodyBytes,
    routerOptions: { maxParamLength: 200 },
    trustProxy: options.trustProxy,
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    genReqId: () => randomBytes(9).toString('base64url'),
    logger: false,
    forceCloseConnections: 'idle',
    schemaController: { compilersFactory: { buildValidator: noJsonSchemas, buildSerializer: noJsonSchemas } },
  })
}

// Bodies and queries are checked by the protocol's own schemas. Without these two Fastify loads a compiler of JSON Schema at start,
// which is a tenth of all files that this program reads.
function noJsonSchemas(): never {
  throw new TypeError('routes here have no JSON schemas')
}

export interface RequestChecks {
  readonly authenticator: Authenticator
  readonly perCaller: RateLimit
  /** Many callers may share an address; this bounds what strangers can make the server verify. */
  readonly perAddress: RateLimit
  readonly clock: Clock
  /** Keeps tokens of requests that change something, where no change took them along. */
  readonly flushTokens: () => Promise<void>
  /** Resolves when all that an answer can rest on is kept; throws where it could not be. */
  readonly settled: () => Promise<void>
  readonly isStopping: () => boolean
}

/** Puts headers, body readers and authentication in front of the routes. */
export async function prepareServer(adapter: FastifyAdapter, checks: RequestChecks): Promise<void> {
  const server: FastifyInstance = adapter.getInstance()
  await server.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  })
  readBodies(server)
  server.addHook('onRequest', async (request, reply) => {
    try {
      await checkRequest(request, checks)
    } catch (error) {
      sendProblem(reply, problemOf(error, request.id))
      return reply
    }
    return undefined
  })
  server.addHook('onSend', async (request, reply, payload) => {
    if (request.url.startsWith('/health/')) return payload
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD') await checks.flushTokens()
      await checks.settled()
      return payload
    } catch (error) {
      // Nothing is said of what may be gone after the restart.
      const problem = problemOf(error, request.id)
      void reply.status(problem.status).type('application/problem+json').removeHeader('content-length')
      return JSON.stringify(problem)
    }
  })
}

async function checkRequest(request: FastifyRequest, checks: RequestChecks): Promise<void> {
  const { authenticator, perCaller, perAddress, clock } = checks
  if (checks.isStopping()) throw new CoordinatorError('STOPPING', 'the server is stopping; try again shortly')
  perAddress.take(request.ip, clock.now())
  const length = Number(request.headers['content-length'] ?? '0')
  if (request.headers['transfer-encoding'] !== undefined && request.headers['content-length'] === undefined)
    throw new CoordinatorError('REQUEST_MALFORMED', 'a body must come with its Content-Length')
  request.authenticated = await authenticator.authenticate({
    method: request.method,
    path: request.url,
    authorization: request.headers.authorization,
    hasBody: length > 0,
    body: () => request.rawBody,
    upload: request.method === 'PATCH' ? uploadPart(request, length) : null,
  })
  const { caller } = request.authenticated
  if (caller.kind === 'newcomer' && length > newcomerBodyBytes)
    throw new CoordinatorError('KEY_UNKNOWN', 'the key of this request token is not known here')
  if (caller.kind === 'anyone' && length > 0)
    throw new CoordinatorError('TOKEN_MISSING', 'this request must be signed')
  if (caller.kind === 'party' || caller.kind === 'worker') perCaller.take(caller.thumbprint, clock.now())
}

function uploadPart(request: FastifyRequest, length: number): { offset: number; length: number } | null {
  const offset = request.headers['upload-offset']
  if (typeof offset !== 'string' || !/^(?:0|[1-9]\d{0,15})$/.test(offset))
    throw new CoordinatorError('REQUEST_MALFORMED', 'an upload part must come with Upload-Offset')
  return { offset: Number(offset), length }
}

function readBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  const keep = (request: FastifyRequest, body: Buffer) => {
    request.rawBody = new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength)
    return request.rawBody
  }
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: jsonBodyBytes },
    (request, body, done) => {
      try {
        done(null, parseBody(keep(request, body as Buffer)))
      } catch (error) {
        done(error as Error)
      }
    },
  )
  server.addContentTypeParser(
    'application/offset+octet-stream',
    { parseAs: 'buffer', bodyLimit: uploadPartBytes },
    (request, body, done) => {
      done(null, keep(request, body as Buffer))
    },
  )
}

// Bodies need not be canonical: the token signs the bytes as they are. Only prototypes must not come in by name.
function parseBody(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (name, value: unknown) => {
      if (name === '__proto__')
        throw new CanonicalError('JSON_UNSUPPORTED_VALUE', 'a member is named __proto__')
      return value
    })
  } catch (cause) {
    if (cause instanceof CanonicalError) throw cause
    throw new CoordinatorError('REQUEST_MALFORMED', 'the body is not JSON', { cause })
  }
}
