import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed, type SigningKey } from '#libs/canonical'
import { bodyDigest, verifyRequestToken } from '#libs/protocol'
import { seededBytes } from '#libs/testing'
import { CoordinatorClient, fetchLogInfo } from './coordinator-client.js'
import { isLoopback, secureUrl } from './secure-url.js'
import type { Connection } from './signed-fetch.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
let key: SigningKey
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  key = await signingKeyFromSeed(seededBytes('client')(32))
})

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

async function connected(answer: Answer): Promise<Connection> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      answer(request, response, Buffer.concat(chunks))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, origin: 'log.test/1', key, now: () => now, randomBytes: seededBytes('jti') }
}

const json = (response: ServerResponse, value: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

describe('secureUrl', () => {
  it.each(['http://127.0.0.1:1', 'http://localhost:1', 'http://[::1]:1', 'https://coordinator.example'])(
    'takes %s',
    (text) => {
      expect(secureUrl(text).href).toContain(new URL(text).host)
    },
  )

  it.each([
    'http://coordinator.example',
    'http://192.0.2.1',
    'http://127.0.0.1.example.org',
    'http://localhost.example.org',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'coordinator',
    '',
  ])('refuses %s', (text) => {
    expect(() => secureUrl(text)).toThrow(expect.objectContaining({ code: 'URL_INSECURE' }))
  })

  it('takes only what can be nothing but this machine for loopback', () => {
    expect(['localhost', '[::1]', '127.9.9.9'].every(isLoopback)).toBe(true)
    expect(['10.0.0.1', '0.0.0.0', '127.0.0.1.nip.io', 'my-localhost', '[::]'].some(isLoopback)).toBe(false)
  })
})

describe('CoordinatorClient', () => {
  it('signs each request for exactly what it is', async () => {
    const seen: { authorization: string; path: string; body: Buffer }[] = []
    const connection = await connected((request, response, body) => {
      seen.push({ authorization: request.headers.authorization ?? '', path: request.url ?? '', body })
      json(response, request.method === 'GET' ? { events: [], next: 5 } : {})
    })
    const client = new CoordinatorClient(connection)
    expect(await client.events(5)).toEqual({ events: [], next: 5 })
    await client.readiness({ run: 'ab'.repeat(32), state: 'ready', reason: '' })
    for (const [index, { authorization, path, body }] of seen.entries())
      await verifyRequestToken(
        authorization.split(' ')[1] ?? '',
        key.publicKey,
        {
          aud: 'log.test/1',
          method: index === 0 ? 'GET' : 'POST',
          path,
          body: index === 0 ? null : bodyDigest(body),
          offset: null,
          length: null,
        },
        now,
      )
    expect(seen).toHaveLength(2)
  })

  it('tells the coordinator’s own reasons where it refuses', async () => {
    const refusals = [{ rule: 'limit.runs', expected: 'a', seen: 'b', who: 'c', text: 'd' }]
    const connection = await connected((_request, response) =>
      json(
        response,
        {
          type: 't',
          title: 't',
          status: 409,
          code: 'REFUSED',
          detail: 'no more runs',
          requestId: 'r',
          refusals,
        },
        409,
      ),
    )
    await expect(new CoordinatorClient(connection).contracts()).rejects.toMatchObject({
      code: 'COORDINATOR_REFUSED',
      message: expect.stringContaining('no more runs') as string,
      problem: { refusals },
    })
  })

  const broken: readonly [what: string, answer: Answer, code: string][] = [
    ['text that is no JSON', (_request, response) => response.writeHead(200).end('<html>'), 'ANSWER_INVALID'],
    [
      'JSON of another shape',
      (_request, response) => json(response, { contracts: [{ id: 'x' }] }),
      'ANSWER_INVALID',
    ],
    [
      'a refusal without a problem',
      (_request, response) => response.writeHead(500).end('oops'),
      'COORDINATOR_REFUSED',
    ],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://192.0.2.1/' }).end(),
      'COORDINATOR_UNREACHABLE',
    ],
    [
      'an answer that is cut off',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{"contracts":')
        setImmediate(() => response.destroy())
      },
      'COORDINATOR_UNREACHABLE',
    ],
    ['a closed connection', (request) => request.socket.destroy(), 'COORDINATOR_UNREACHABLE'],
  ]
  it.each(broken)('ends in a code at %s', async (_what, answer, code) => {
    const connection = await connected(answer)
    await expect(new CoordinatorClient(connection).contracts()).rejects.toMatchObject({ code })
  })

  it('tells a wait without news from news', async () => {
    const connection = await connected((_request, response) => response.writeHead(204).end())
    expect(await new CoordinatorClient(connection).assignment(0)).toBeNull()
    expect(await new CoordinatorClient(connection).workerRun('ab'.repeat(32), 0, 0)).toBeNull()
  })

  it('sends nothing to an address that is not secure', async () => {
    await expect(fetchLogInfo('http://192.0.2.1')).rejects.toMatchObject({ code: 'URL_INSECURE' })
    const client = new CoordinatorClient({
      url: 'http://192.0.2.1',
      origin: 'o',
      key,
      now: () => now,
      randomBytes: seededBytes('x'),
    })
    await expect(client.contracts()).rejects.toMatchObject({ code: 'URL_INSECURE' })
  })
})
