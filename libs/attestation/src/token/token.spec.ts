import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '#libs/canonical'
import { FakeTokenIssuer, slow, type TokenForgery } from '#libs/testing'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { authenticateToken, type AuthenticToken } from './authenticate-token.node.js'
import { parseKeySet } from './key-set.node.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const seconds = now / 1000
const issuer = 'https://service.example'
const fakes = { RS256: new FakeTokenIssuer('RS256'), ES384: new FakeTokenIssuer('ES384') }

function authenticate(
  token: string,
  algorithm: 'RS256' | 'ES384' = 'RS256',
  keys = fakes[algorithm].keySet(),
): AuthenticToken {
  return authenticateToken(token, { what: 'token', algorithm }, { at: now, issuer, keys: parseKeySet(keys) })
}

function codeOf(act: () => unknown): AttestationErrorCode | null {
  try {
    act()
    return null
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.code
  }
}

const draft = (algorithm: 'RS256' | 'ES384' = 'RS256'): TokenForgery =>
  fakes[algorithm].draft(now, { iss: issuer })

describe('authenticateToken', () => {
  it.each(['RS256', 'ES384'] as const)('believes a token by %s', (algorithm) => {
    const token = authenticate(fakes[algorithm].make(draft(algorithm)), algorithm)
    expect(token).toMatchObject({ algorithm, keyId: 'fake', claims: { iss: issuer } })
  })

  it.each<[string, (f: TokenForgery) => void, AttestationErrorCode]>([
    ['no algorithm', (f) => (f.header = { kid: 'fake' }), 'MALFORMED'],
    ['the algorithm none', (f) => (f.header['alg'] = 'none'), 'ALGORITHM'],
    ['a shared secret', (f) => (f.header['alg'] = 'HS256'), 'ALGORITHM'],
    ['a stronger algorithm than asked', (f) => (f.header['alg'] = 'RS512'), 'ALGORITHM'],
    ['an extension that is critical', (f) => (f.header['crit'] = ['exp']), 'ALGORITHM'],
    ['no key id', (f) => (f.header = { alg: 'RS256' }), 'KEY_UNKNOWN'],
    [
      'another key id, and where to find it',
      (f) => Object.assign(f.header, { kid: 'x', jku: issuer }),
      'KEY_UNKNOWN',
    ],
    ['another issuer', (f) => (f.claims['iss'] = 'https://service.example/'), 'WRONG_ISSUER'],
    ['no issuer', (f) => (f.claims['iss'] = null), 'WRONG_ISSUER'],
    ['an issuer among others', (f) => (f.claims['iss'] = [issuer]), 'WRONG_ISSUER'],
    ['no end', (f) => (f.claims['exp'] = null), 'MALFORMED'],
    ['an end in text', (f) => (f.claims['exp'] = '9999999999'), 'MALFORMED'],
    ['its end now', (f) => (f.claims['exp'] = seconds), 'EXPIRED'],
    ['its beginning later', (f) => (f.claims['nbf'] = seconds + 1), 'NOT_YET_VALID'],
    ['its issue later', (f) => (f.claims['iat'] = seconds + 1), 'NOT_YET_VALID'],
    ['its beginning in text', (f) => (f.claims['nbf'] = '0'), 'MALFORMED'],
    ['a fourth part', (f) => (f.onTheWay = (t) => `${t}.`), 'MALFORMED'],
    ['padding', (f) => (f.onTheWay = (t) => `${t}=`), 'MALFORMED'],
    ['a line after it', (f) => (f.onTheWay = (t) => `${t}\n`), 'MALFORMED'],
    ['no signature', (f) => (f.onTheWay = (t) => t.slice(0, t.lastIndexOf('.') + 1)), 'SIGNATURE_INVALID'],
    ['claims that are a list', (f) => (f.onTheWay = (t) => t.replace(/\.[^.]*\./, '.W10.')), 'MALFORMED'],
  ])('refuses a token with %s', (_name, change, code) => {
    const forgery = draft()
    change(forgery)
    expect(codeOf(() => authenticate(fakes.RS256.make(forgery)))).toBe(code)
  })

  it.each<[string, Uint8Array, AttestationErrorCode]>([
    ['the key of another under its name', new FakeTokenIssuer('RS256').keySet(), 'SIGNATURE_INVALID'],
    ['a key of another type', fakes.ES384.keySet(), 'ALGORITHM'],
    ['its key for another algorithm', fakes.RS256.keySet({ alg: 'RS512' }), 'ALGORITHM'],
    ['its key for encryption', fakes.RS256.keySet({ use: 'enc' }), 'ALGORITHM'],
    ['a short key', fakes.RS256.keySet({ n: 'AQAB' }), 'ALGORITHM'],
    ['its key without a name', fakes.RS256.keySet({ kid: null }), 'KEY_UNKNOWN'],
    ['no keys', utf8('{"keys":[]}'), 'KEY_UNKNOWN'],
    ['no list of keys', utf8('{}'), 'MALFORMED'],
    ['no JSON', utf8('keys'), 'MALFORMED'],
  ])('refuses a token where the key set has %s', (_name, keys, code) => {
    expect(codeOf(() => authenticate(fakes.RS256.make(draft()), 'RS256', keys))).toBe(code)
  })

  it.each(['RS256', 'ES384'] as const)(
    'refuses a %s token with any one character of it changed',
    (algorithm) => {
      const token = fakes[algorithm].make(draft(algorithm))
      fc.assert(
        fc.property(
          fc.nat(token.length - 1),
          fc.constantFrom('A', 'Q', 'g', 'w', 'z', '1', '9', '_', '-'),
          (at, other) => {
            fc.pre(token[at] !== other)
            const changed = token.slice(0, at) + other + token.slice(at + 1)
            expect(codeOf(() => authenticate(changed, algorithm))).not.toBe(null)
          },
        ),
        { numRuns: slow ? 3000 : 200 },
      )
    },
  )

  it('ends in a refusal for any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('e30', '.', 'eyJhbGciOiJSUzI1NiJ9', '{}', 'W10', '=', '\0'), {
          maxLength: 8,
        }),
        (parts) => {
          expect(codeOf(() => authenticate(parts.join('')))).not.toBe(null)
        },
      ),
    )
  })
})
