/** One signed request to the coordinator and its answer, checked by schema. What the coordinator says is still only a claim. */
import type { z } from 'zod'
import { canonicalBytes, toBase64url, type SigningKey } from '#libs/canonical'
import {
  bodyDigest,
  createRequestToken,
  problemSchema,
  requestScheme,
  type RequestClaims,
} from '#libs/protocol'
import { ClientError } from './errors.js'
import { secureUrl } from './secure-url.js'

/** Larger answers than this are cut off, so that a hostile coordinator cannot exhaust its reader. */
const maximumAnswerBytes = 64 * 1024 * 1024

/** An answer that is not whole after this long counts as none. */
const answerMilliseconds = 60_000

export interface Connection {
  readonly url: string
  /** Origin of the log: the audience of every request. */
  readonly origin: string
  readonly key: SigningKey
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly signal?: AbortSignal
}

export interface Message {
  readonly method: RequestClaims['method']
  readonly path: string
  readonly body?: Uint8Array<ArrayBuffer>
  readonly headers?: Record<string, string>
  readonly upload?: { readonly offset: number; readonly length: number }
}

/**
 * Sends a signed request.
 * @throws ClientError `COORDINATOR_UNREACHABLE`, `COORDINATOR_REFUSED` with the coordinator's problem.
 */
export async function signedFetch(connection: Connection, message: Message): Promise<Response> {
  const body = message.body ?? null
  const token = await createRequestToken(
    {
      aud: connection.origin,
      method: message.method,
      path: message.path,
      iat: connection.now(),
      jti: toBase64url(connection.randomBytes(16)),
      body: body === null ? null : bodyDigest(body),
      offset: message.upload?.offset ?? null,
      length: message.upload?.length ?? null,
    },
    connection.key,
  )
  const headers = { ...message.headers, authorization: `${requestScheme} ${token}` }
  return await plainFetch(connection, message, headers)
}

/** Sends a request without a signature; for what anyone may read. */
export async function plainFetch(
  connection: Pick<Connection, 'url' | 'signal'>,
  message: Message,
  headers: Record<string, string> = {},
): Promise<Response> {
  const url = new URL(message.path, secureUrl(connection.url))
  const response = await send(url, message, headers, connection.signal)
  if (!response.ok) throw await refusal(message, response)
  return response
}

async function send(
  url: URL,
  message: Message,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  try {
    return await fetch(url, {
      method: message.method,
      headers,
      body: message.body ?? null,
      redirect: 'error',
      signal: signal ?? null,
    })
  } catch (cause) {
    throw new ClientError('COORDINATOR_UNREACHABLE', `${message.method} ${url.origin} did not answer`, {
      cause,
    })
  }
}

async function refusal(message: Message, response: Response): Promise<ClientError> {
  const where = `${message.method} ${message.path.split('?')[0] ?? ''}`
  const problem = problemSchema.safeParse(parseJson(await readText(response)))
  if (!problem.success) return new ClientError('COORDINATOR_REFUSED', `${where} answered ${response.status}`)
  return new ClientError('COORDINATOR_REFUSED', `${where}: ${problem.data.detail}`, { problem: problem.data })
}

/** Sends JSON and reads an answer of a known shape. */
export async function signedJson<T>(
  connection: Connection,
  schema: z.ZodType<T>,
  message: JsonMessage,
): Promise<T> {
  const { json, ...rest } = message
  const body =
    json === undefined ? {} : { body: canonicalBytes(json), headers: { 'content-type': 'application/json' } }
  // Whoever never ends its answer must not hold up its asker for ever.
  const deadline = AbortSignal.timeout(answerMilliseconds)
  const signal = connection.signal === undefined ? deadline : AbortSignal.any([connection.signal, deadline])
  return await readAnswer(
    await signedFetch({ ...connection, signal }, { ...rest, ...body }),
    schema,
    message.path,
  )
}

export interface JsonMessage {
  readonly method: RequestClaims['method']
  readonly path: string
  readonly json?: unknown
}

/**
 * Reads an answer against its schema.
 * @throws ClientError `ANSWER_INVALID`.
 */
export async function readAnswer<T>(response: Response, schema: z.ZodType<T>, path: string): Promise<T> {
  const answer = schema.safeParse(parseJson(await readText(response)))
  if (answer.success) return answer.data
  const where = answer.error.issues.slice(0, 3).map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new ClientError(
    'ANSWER_INVALID',
    `the answer to ${path.split('?')[0] ?? ''} is not as expected: ${where.join('; ')}`,
  )
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > maximumAnswerBytes)
        throw new ClientError('ANSWER_INVALID', `an answer is longer than ${maximumAnswerBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof ClientError) throw cause
    throw new ClientError('COORDINATOR_UNREACHABLE', 'an answer was cut off', { cause })
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
