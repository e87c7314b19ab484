import fc from 'fast-check'
import { CompactSign, FlattenedSign } from 'jose'
import { describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import { fromBase64url, toBase64url, toHex, utf8 } from './bytes.js'
import { canonicalBytes, canonicalJson, type JsonValue } from './canonical-json.js'
import { statementTypes } from './domains.js'
import { CanonicalError, type CanonicalErrorCode } from './errors.js'
import { signingKeyFromSeed } from './keys.js'
import {
  maximumStatementLength,
  mediaType,
  payloadBytes,
  saltFrom,
  signStatement,
  statementDigest,
  statementId,
  unverifiedStatement,
  verifyStatement,
  type StatementKind,
} from './statement.js'

interface Fetch {
  readonly type: 'fetch'
  readonly run: string
}

const fetchKind: StatementKind<Fetch> = {
  type: 'fetch',
  parse: (value: JsonValue) => {
    const members = value as Record<string, JsonValue>
    if (typeof members['run'] !== 'string' || Object.keys(members).length !== 2)
      throw new TypeError('run is missing')
    return { type: 'fetch', run: members['run'] }
  },
}
const nonceKind: StatementKind<{ readonly type: 'nonce' }> = {
  type: 'nonce',
  parse: () => ({ type: 'nonce' }),
}

const key = await signingKeyFromSeed(new Uint8Array(32).fill(1))
const otherKey = await signingKeyFromSeed(new Uint8Array(32).fill(2))
const payload: Fetch = { type: 'fetch', run: 'ab' }
const header = { alg: 'Ed25519', kid: key.thumbprint, typ: 'sealroom-fetch-v1+jws' }
const signed = await signStatement(fetchKind, payload, key)
const [signedHeader = '', signedPayload = '', signedSignature = ''] = signed.jws.split('.')

/** A JWS of whatever header and payload, with a signature by the right key that is good over just these bytes. */
async function forge(protectedText: string, payloadText: string, signer = key): Promise<string> {
  const input = `${toBase64url(utf8(protectedText))}.${toBase64url(utf8(payloadText))}`
  const signature = await crypto.subtle.sign('Ed25519', signer.secretKey, utf8(input))
  return `${input}.${toBase64url(new Uint8Array(signature))}`
}

async function codeOf(act: () => unknown): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    if (!(error instanceof CanonicalError)) throw error
    return error.code
  }
}

describe('a statement', () => {
  it('is verified by kind and key, and named by its payload', async () => {
    const verified = await verifyStatement(fetchKind, signed.jws, key.publicKey)
    expect(verified).toEqual(signed)
    expect(verified.payload).toEqual(payload)
    expect(verified.kid).toBe(key.thumbprint)
    expect(verified.id).toBe(statementId('fetch', canonicalBytes(payload)))
    expect(verified.digest).toBe(statementDigest(signed.jws))
    expect(toHex(payloadBytes(verified))).toBe(toHex(canonicalBytes(payload)))
    expect(unverifiedStatement(signed.jws)).toEqual({ kid: key.thumbprint, type: 'fetch', payload })
  })

  it('is a JWS with exactly the header of the profile', () => {
    expect(new TextDecoder().decode(fromBase64url(signedHeader))).toBe(canonicalJson(header))
  })

  it('has the same id from every signer and another id as another kind', async () => {
    const byOther = await signStatement(fetchKind, payload, otherKey)
    expect(byOther.id).toBe(signed.id)
    expect(byOther.digest).not.toBe(signed.digest)
    const ids = statementTypes.map((type) => statementId(type, canonicalBytes(payload)))
    expect(new Set(ids).size).toBe(statementTypes.length)
  })

  const good = canonicalJson(payload)
  const goodHeader = canonicalJson(header)
  const mutations: [string, () => Promise<string> | string, CanonicalErrorCode][] = [
    ['another key', () => forge(goodHeader, good, otherKey), 'STATEMENT_SIGNATURE_INVALID'],
    [
      'the key id of another',
      () => forge(canonicalJson({ ...header, kid: otherKey.thumbprint }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    [
      'no key id',
      () => forge(canonicalJson({ alg: header.alg, typ: header.typ }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    [
      'the typ of another kind',
      () => forge(canonicalJson({ ...header, typ: mediaType('nonce') }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    ['alg EdDSA', () => forge(canonicalJson({ ...header, alg: 'EdDSA' }), good), 'STATEMENT_HEADER_INVALID'],
    ['alg none', () => forge(canonicalJson({ ...header, alg: 'none' }), good), 'STATEMENT_HEADER_INVALID'],
    [
      'a key in its header',
      () => forge(canonicalJson({ ...header, jwk: key.publicKey }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    [
      'a link in its header',
      () => forge(canonicalJson({ ...header, jku: 'https://example.org' }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    [
      'crit',
      () => forge(canonicalJson({ ...header, crit: ['b64'], b64: false }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    [
      'a header in another order',
      () => forge(JSON.stringify({ typ: header.typ, kid: header.kid, alg: header.alg }), good),
      'STATEMENT_HEADER_INVALID',
    ],
    ['a header with a space', () => forge(`${goodHeader} `, good), 'STATEMENT_HEADER_INVALID'],
    [
      'the type of another kind',
      () => forge(goodHeader, canonicalJson({ ...payload, type: 'nonce' })),
      'STATEMENT_PAYLOAD_INVALID',
    ],
    ['no type', () => forge(goodHeader, canonicalJson({ run: 'ab' })), 'STATEMENT_PAYLOAD_INVALID'],
    ['a payload that is a list', () => forge(goodHeader, '[]'), 'STATEMENT_PAYLOAD_INVALID'],
    ['a payload that is null', () => forge(goodHeader, 'null'), 'STATEMENT_PAYLOAD_INVALID'],
    [
      'a member that the schema does not know',
      () => forge(goodHeader, canonicalJson({ ...payload, more: 1 })),
      'STATEMENT_PAYLOAD_INVALID',
    ],
    ['a payload with a space', () => forge(goodHeader, `${good} `), 'JSON_NOT_CANONICAL'],
    [
      'a member twice',
      () => forge(goodHeader, '{"run":"aa","run":"ab","type":"fetch"}'),
      'JSON_NOT_CANONICAL',
    ],
    ['a payload that is not JSON', () => forge(goodHeader, 'fetch'), 'JSON_MALFORMED'],
    [
      'another payload under its signature',
      () => `${signedHeader}.${toBase64url(utf8('{"run":"ac","type":"fetch"}'))}.${signedSignature}`,
      'STATEMENT_SIGNATURE_INVALID',
    ],
    [
      'a signature of zeros',
      () => `${signedHeader}.${signedPayload}.${'A'.repeat(86)}`,
      'STATEMENT_SIGNATURE_INVALID',
    ],
    [
      'a signature of 63 bytes',
      () => `${signedHeader}.${signedPayload}.${'A'.repeat(84)}`,
      'STATEMENT_MALFORMED',
    ],
    ['no signature', () => `${signedHeader}.${signedPayload}.`, 'STATEMENT_MALFORMED'],
    ['two parts', () => `${signedHeader}.${signedPayload}`, 'STATEMENT_MALFORMED'],
    ['four parts', () => `${signed.jws}.`, 'STATEMENT_MALFORMED'],
    ['nothing', () => '', 'STATEMENT_MALFORMED'],
    ['padding', () => `${signedHeader}.${signedPayload}.${signedSignature}==`, 'BYTES_MALFORMED'],
    [
      'stray bits in its signature',
      () => `${signedHeader}.${signedPayload}.${signedSignature.slice(0, -1)}${strayOf(signedSignature)}`,
      'BYTES_MALFORMED',
    ],
    ['more than the largest length', () => 'a'.repeat(maximumStatementLength + 1), 'STATEMENT_MALFORMED'],
    [
      'a detached payload',
      async () => {
        const { protected: head = '', signature } = await new FlattenedSign(utf8(good))
          .setProtectedHeader(header)
          .sign(key.secretKey)
        return `${head}..${signature}`
      },
      'STATEMENT_SIGNATURE_INVALID',
    ],
  ]
  it.each(mutations)('is refused with %s', async (_name, make, code) => {
    expect(await codeOf(async () => verifyStatement(fetchKind, await make(), key.publicKey))).toBe(code)
  })

  it('of one kind is never one of another, though the same key signed it', async () => {
    expect(await codeOf(() => verifyStatement(nonceKind, signed.jws, key.publicKey))).toBe(
      'STATEMENT_HEADER_INVALID',
    )
  })

  it('is not signed where its own payload does not meet the schema', async () => {
    const wrong = { type: 'fetch', run: 5 } as unknown as Fetch
    expect(await codeOf(() => signStatement(fetchKind, wrong, key))).toBe('STATEMENT_PAYLOAD_INVALID')
    const hidden = { ...payload, more: undefined } as Fetch
    expect(await codeOf(() => signStatement(fetchKind, hidden, key))).toBe('JSON_UNSUPPORTED_VALUE')
  })

  it('by jose alone verifies too: the profile is plain JWS', async () => {
    const jws = await new CompactSign(utf8(good)).setProtectedHeader(header).sign(key.secretKey)
    expect(jws).toBe(signed.jws)
  })

  it('fails when one character differs', async () => {
    const step = slow ? 1 : 5
    for (let at = 0; at < signed.jws.length; at += step) {
      const other = signed.jws[at] === 'A' ? 'B' : 'A'
      const changed = signed.jws.slice(0, at) + other + signed.jws.slice(at + 1)
      expect(await codeOf(() => verifyStatement(fetchKind, changed, key.publicKey)), `at ${at}`).toBeDefined()
    }
  })

  it('lets only a CanonicalError out, whatever comes', async () => {
    const part = fc.oneof(
      fc.constantFrom(signedHeader, signedPayload, signedSignature, '', 'A'),
      fc.base64String({ maxLength: 20 }),
      fc.jsonValue().map((value) => toBase64url(utf8(JSON.stringify(value)))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const jws = parts.join('.')
        const refused = await codeOf(() => verifyStatement(fetchKind, jws, key.publicKey))
        await codeOf(() => unverifiedStatement(jws))
        return jws === signed.jws || refused !== undefined
      }),
      { numRuns: slow ? 20_000 : 1_000 },
    )
  })
})

describe('unverifiedStatement', () => {
  it('reads only what is consistent in itself', async () => {
    const make = (head: JsonValue, body: JsonValue) => forge(canonicalJson(head), canonicalJson(body))
    const wrong = [
      make({ ...header, typ: mediaType('nonce') }, { ...payload }),
      make({ alg: 'Ed25519', typ: header.typ }, { ...payload }),
      make(header, { run: 'ab' }),
      make([], { ...payload }),
      make(header, null),
    ]
    for (const jws of wrong)
      expect(await codeOf(async () => unverifiedStatement(await jws))).toBe('STATEMENT_MALFORMED')
  })
})

describe('a salt', () => {
  it('is 32 bytes of the randomness that was given', () => {
    expect(saltFrom((length) => new Uint8Array(length).fill(0xff))).toBe(
      toBase64url(new Uint8Array(32).fill(0xff)),
    )
  })
})

/** The last character of 64 bytes in base64url has four bits that must be zero. */
function strayOf(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(text.at(-1) ?? 'A') + 1] ?? 'B'
}
