import { beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed, type SigningKey } from '#libs/canonical'
import { seededBytes } from '#libs/testing'
import {
  bodyDigest,
  createRequestToken,
  requestWindowMilliseconds,
  unverifiedTokenKey,
  verifyRequestToken,
  type RequestClaims,
  type SeenRequest,
} from './request-token.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const seen: SeenRequest = {
  aud: 'log.test/1',
  method: 'PATCH',
  path: '/v1/uploads/x?a=1',
  body: bodyDigest(new Uint8Array([1, 2, 3])),
  offset: 0,
  length: 3,
}
const claims: RequestClaims = { ...seen, iat: now, jti: 'A'.repeat(22) }
let key: SigningKey
let other: SigningKey

beforeAll(async () => {
  key = await signingKeyFromSeed(seededBytes('token')(32))
  other = await signingKeyFromSeed(seededBytes('other')(32))
})

describe('verifyRequestToken', () => {
  it('gives back the claims of a token for exactly this request', async () => {
    const token = await createRequestToken(claims, key)
    expect(unverifiedTokenKey(token)).toBe(key.thumbprint)
    expect(await verifyRequestToken(token, key.publicKey, seen, now)).toEqual(claims)
  })

  const others: readonly [what: string, change: Partial<SeenRequest>][] = [
    ['another log', { aud: 'log.test/2' }],
    ['another method', { method: 'POST' }],
    ['another path', { path: '/v1/uploads/y?a=1' }],
    ['another query', { path: '/v1/uploads/x?a=2' }],
    ['another body', { body: bodyDigest(new Uint8Array([1, 2, 4])) }],
    ['no body', { body: null }],
    ['another offset', { offset: 3 }],
    ['another length', { length: 4 }],
    ['no length', { length: null }],
  ]
  it.each(others)('refuses a token when it is used for %s', async (_what, change) => {
    const token = await createRequestToken(claims, key)
    await expect(verifyRequestToken(token, key.publicKey, { ...seen, ...change }, now)).rejects.toMatchObject(
      { code: 'REQUEST_TOKEN_INVALID' },
    )
  })

  it('refuses a token of another key, and one that only says it is of this key', async () => {
    const stolen = await createRequestToken(claims, other)
    await expect(verifyRequestToken(stolen, key.publicKey, seen, now)).rejects.toMatchObject({
      code: 'REQUEST_TOKEN_INVALID',
    })
    const [header] = (await createRequestToken(claims, key)).split('.')
    const [, payload, signature] = stolen.split('.')
    const forged = [header, payload, signature].join('.')
    await expect(verifyRequestToken(forged, key.publicKey, seen, now)).rejects.toMatchObject({
      code: 'REQUEST_TOKEN_INVALID',
    })
  })

  it('accepts a minute either way and not a millisecond more', async () => {
    const token = await createRequestToken(claims, key)
    for (const offset of [-requestWindowMilliseconds, requestWindowMilliseconds])
      await expect(verifyRequestToken(token, key.publicKey, seen, now + offset)).resolves.toBeDefined()
    for (const offset of [-requestWindowMilliseconds - 1, requestWindowMilliseconds + 1])
      await expect(verifyRequestToken(token, key.publicKey, seen, now + offset)).rejects.toMatchObject({
        code: 'REQUEST_TOKEN_STALE',
      })
  })

  it('refuses claims that are more, fewer or of other types', async () => {
    const wrong = [{ ...claims, admin: true }, { ...claims, jti: 'short' }, { ...claims, iat: '1' }, {}, []]
    for (const payload of wrong) {
      const token = await createRequestToken(payload as RequestClaims, key)
      await expect(verifyRequestToken(token, key.publicKey, seen, now)).rejects.toMatchObject({
        code: 'REQUEST_TOKEN_INVALID',
      })
    }
  })

  it('refuses a token that is longer than any of ours', async () => {
    const token = `${await createRequestToken(claims, key)}${'A'.repeat(5000)}`
    await expect(verifyRequestToken(token, key.publicKey, seen, now)).rejects.toMatchObject({
      code: 'REQUEST_TOKEN_INVALID',
    })
  })
})
