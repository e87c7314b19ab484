import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalBytes, signingKeyFromSeed, toBase64url, type SigningKey } from '#libs/canonical'
import { bodyDigest, createRequestToken, requestScheme, type RequestClaims } from '#libs/protocol'
import { aStage, testOrigin, type Stage } from '../testing/stage.js'
import type { TestParty } from '../testing/party.js'

interface Sent {
  method: string
  path: string
  body: Uint8Array<ArrayBuffer> | null
  claims: RequestClaims
  key: SigningKey
  headers: Record<string, string>
}

describe('a signed request', () => {
  let stage: Stage
  let north: TestParty
  let stranger: SigningKey

  beforeAll(async () => {
    stage = await aStage()
    north = await stage.party('north')
    stranger = await signingKeyFromSeed(randomBytes(32))
  })
  afterAll(async () => {
    await stage.close()
  })

  const body = () => canonicalBytes({ contract: 'a'.repeat(64) })

  /** A good POST, before a test breaks it. */
  function aRequest(): Sent {
    const bytes = body()
    return {
      method: 'POST',
      path: '/v1/log/cosign-requests',
      body: bytes,
      key: north.daemon,
      headers: { 'content-type': 'application/json' },
      claims: {
        aud: testOrigin,
        method: 'POST',
        path: '/v1/log/cosign-requests',
        iat: stage.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: bodyDigest(bytes),
        offset: null,
        length: null,
      },
    }
  }

  async function send({
    method,
    path,
    body,
    claims,
    key,
    headers,
  }: Sent): Promise<{ status: number; code: string }> {
    const token = await createRequestToken(claims, key)
    const response = await fetch(stage.url + path, {
      method,
      body,
      headers: { authorization: `${requestScheme} ${token}`, ...headers },
    })
    expect(response.headers.get('content-type')).toMatch(response.ok ? /json/ : /^application\/problem\+json/)
    const answer = (await response.json()) as { code?: string; requestId?: string }
    if (!response.ok) expect(answer.requestId).toMatch(/^[\w-]{12}$/)
    return { status: response.status, code: answer.code ?? '' }
  }

  it('is heard where nothing is wrong with it', async () => {
    // The contract does not exist, so the answer comes from behind every check.
    expect(await send(aRequest())).toEqual({ status: 404, code: 'CONTRACT_UNKNOWN' })
  })

  const mutations: [name: string, mutate: (sent: Sent) => void, status: number, code: string][] = [
    [
      'another audience',
      (sent) => {
        sent.claims = { ...sent.claims, aud: 'log.other/1' }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'another method',
      (sent) => {
        sent.claims = { ...sent.claims, method: 'PUT' }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'another path',
      (sent) => {
        sent.claims = { ...sent.claims, path: '/v1/log/cosignatures' }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'a query that the token does not name',
      (sent) => {
        sent.path += '?x=1'
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'another body',
      (sent) => {
        sent.body = canonicalBytes({ contract: 'b'.repeat(64) })
      },
      400,
      'REQUEST_MALFORMED',
    ],
    [
      'a body that the token does not name',
      (sent) => {
        sent.claims = { ...sent.claims, body: null }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'an offset that is none',
      (sent) => {
        sent.claims = { ...sent.claims, offset: 0 }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'a time 61 seconds ago',
      (sent) => {
        sent.claims = { ...sent.claims, iat: sent.claims.iat - 61_000 }
      },
      401,
      'REQUEST_TOKEN_STALE',
    ],
    [
      'a time 61 seconds ahead',
      (sent) => {
        sent.claims = { ...sent.claims, iat: sent.claims.iat + 62_000 }
      },
      401,
      'REQUEST_TOKEN_STALE',
    ],
    [
      'a key that nobody registered',
      (sent) => {
        sent.key = stranger
      },
      401,
      'KEY_UNKNOWN',
    ],
    [
      'the consent key',
      (sent) => {
        sent.key = north.consent
      },
      401,
      'KEY_UNKNOWN',
    ],
    [
      'a known kid and another key behind it',
      (sent) => {
        sent.key = { ...stranger, thumbprint: north.daemon.thumbprint }
      },
      401,
      'REQUEST_TOKEN_INVALID',
    ],
    [
      'another scheme',
      (sent) => {
        sent.headers['authorization'] = 'Bearer x'
      },
      401,
      'TOKEN_MISSING',
    ],
    [
      'junk for a token',
      (sent) => {
        sent.headers['authorization'] = `${requestScheme} !.!.!`
      },
      400,
      'BYTES_MALFORMED',
    ],
    [
      'no token',
      (sent) => {
        sent.headers['authorization'] = ''
      },
      401,
      'TOKEN_MISSING',
    ],
    [
      'a body that is no JSON',
      (sent) => {
        sent.body = new Uint8Array([123])
        sent.claims = { ...sent.claims, body: bodyDigest(new Uint8Array([123])) }
      },
      400,
      'REQUEST_MALFORMED',
    ],
    [
      'a field more than the schema has',
      (sent) => {
        sent.body = canonicalBytes({ contract: 'a'.repeat(64), x: 1 })
        sent.claims = { ...sent.claims, body: bodyDigest(sent.body) }
      },
      400,
      'REQUEST_MALFORMED',
    ],
    [
      'a member named __proto__',
      (sent) => {
        sent.body = new TextEncoder().encode('{"__proto__":{}}')
        sent.claims = { ...sent.claims, body: bodyDigest(sent.body) }
      },
      400,
      'JSON_UNSUPPORTED_VALUE',
    ],
    [
      'another content type',
      (sent) => {
        sent.headers['content-type'] = 'text/plain'
      },
      415,
      'REQUEST_MALFORMED',
    ],
    [
      'a body beyond the bound',
      (sent) => {
        sent.body = new Uint8Array(3 * 1024 * 1024 + 1)
        sent.claims = { ...sent.claims, body: bodyDigest(sent.body) }
      },
      413,
      'REQUEST_TOO_LARGE',
    ],
    [
      'a path that is none',
      (sent) => {
        sent.path = '/v1/nothing'
        sent.claims = { ...sent.claims, path: '/v1/nothing' }
      },
      404,
      'ROUTE_UNKNOWN',
    ],
  ]
  it.each(mutations)('is refused with %s', async (_name, mutate, status, code) => {
    const sent = aRequest()
    mutate(sent)
    expect(await send(sent)).toEqual({ status, code })
  })

  it('is heard once', async () => {
    const sent = aRequest()
    expect((await send(sent)).status).toBe(404)
    expect(await send(sent)).toEqual({ status: 401, code: 'TOKEN_REPLAYED' })
  })

  it('is heard once when it only reads', async () => {
    const sent = aRequest()
    Object.assign(sent, { method: 'GET', path: '/v1/contracts', body: null, headers: {} })
    sent.claims = { ...sent.claims, method: 'GET', path: '/v1/contracts', body: null }
    expect((await send(sent)).status).toBe(200)
    expect((await send(sent)).code).toBe('TOKEN_REPLAYED')
  })

  it("of a party is not heard on an operator's or a worker's path", async () => {
    await expect(north.client.assignment(0)).rejects.toMatchObject({ problem: { code: 'NOT_ENTITLED' } })
    const response = await fetch(`${stage.url}/v1/operator/invitations`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: 'Bearer wrong-token-of-someone', 'content-type': 'application/json' },
    })
    expect(((await response.json()) as { code: string }).code).toBe('OPERATOR_TOKEN_INVALID')
  })

  it('signed by the daemon key before the newest is not heard', async () => {
    const south = await stage.party('south')
    const next = await signingKeyFromSeed(randomBytes(32))
    const identity = await south.makeIdentity({
      daemonKey: next.publicKey,
      sequence: 2,
      previous: south.identity().id,
    })
    await south.client.record(identity.jws)
    await expect(south.client.contracts()).rejects.toMatchObject({ problem: { code: 'KEY_UNKNOWN' } })
  })

  it('beyond the rate of one caller is told to wait', async () => {
    const slow = await aStage({ requestsPerSecond: 2 })
    const party = await slow.party('slow')
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => party.client.contracts()))
    const refused = asked.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]?.reason).toMatchObject({ problem: { code: 'REQUESTS_TOO_MANY' } })
    await slow.close()
  })
})

describe('a token that changed something', () => {
  it('is still used after a restart', async () => {
    const stage = await aStage({}, { onDisk: true })
    const party = await stage.party('north')
    const message = canonicalBytes({ contract: 'a'.repeat(64) })
    const path = '/v1/log/cosign-requests'
    const token = await createRequestToken(
      {
        aud: testOrigin,
        method: 'POST',
        path,
        iat: stage.clock.now(),
        jti: toBase64url(randomBytes(16)),
        body: bodyDigest(message),
        offset: null,
        length: null,
      },
      party.daemon,
    )
    const post = async (url: string) => {
      const response = await fetch(url + path, {
        method: 'POST',
        body: message,
        headers: { authorization: `${requestScheme} ${token}`, 'content-type': 'application/json' },
      })
      return ((await response.json()) as { code: string }).code
    }
    expect(await post(stage.url)).toBe('CONTRACT_UNKNOWN')
    await stage.coordinator.close()
    const again = await aStage({}, { onDisk: true, folder: stage.folder })
    expect(await post(again.url)).toBe('TOKEN_REPLAYED')
    await again.close()
  })
})
