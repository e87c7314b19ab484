import { describe, expect, it } from 'vitest'
import { VerifiedBefore } from './verified-before.js'
import { signStatement, verifyStatement, type StatementKind } from './statement.js'
import { signingKeyFromSeed } from './keys.js'

const kindOf = (type: 'nonce' | 'spend'): StatementKind<{ type: string; value: number }> => ({
  type,
  parse: (value) => value as { type: string; value: number },
})

describe('VerifiedBefore', () => {
  it('finds a statement by kind, key and bytes, and by nothing less', () => {
    const before = new VerifiedBefore<object, string>(100)
    const [kind, other] = [{}, {}]
    before.keep(kind, 'key', 'jws', 'statement')
    expect(before.find(kind, 'key', 'jws')).toBe('statement')
    expect(before.find(other, 'key', 'jws')).toBeUndefined()
    expect(before.find(kind, 'yek', 'jws')).toBeUndefined()
    expect(before.find(kind, 'key', 'jwt')).toBeUndefined()
  })

  it('holds no more characters than it was given, and forgets the oldest first', () => {
    const before = new VerifiedBefore<object, number>(30)
    const kind = {}
    for (let n = 0; n < 10; n++) before.keep(kind, 'k', `${n}`.repeat(10), n)
    const held = Array.from({ length: 10 }, (_, n) => before.find(kind, 'k', `${n}`.repeat(10)))
    expect(held).toEqual([...Array<undefined>(7).fill(undefined), 7, 8, 9])
  })
})

describe('verifyStatement, of bytes that were verified before', () => {
  it('refuses the same bytes under another key, and other bytes under the same key', async () => {
    const kind = kindOf('nonce')
    const [key, other] = [
      await signingKeyFromSeed(new Uint8Array(32).fill(1)),
      await signingKeyFromSeed(new Uint8Array(32).fill(2)),
    ]
    const { jws } = await signStatement(kind, { type: 'nonce', value: 1 }, key)
    const first = await verifyStatement(kind, jws, key.publicKey)
    expect(await verifyStatement(kind, jws, key.publicKey)).toBe(first)
    await expect(verifyStatement(kind, jws, other.publicKey)).rejects.toMatchObject({
      code: 'STATEMENT_HEADER_INVALID',
    })
    await expect(verifyStatement(kindOf('spend'), jws, key.publicKey)).rejects.toMatchObject({
      code: 'STATEMENT_HEADER_INVALID',
    })
    const [header = '', payload = '', signature = ''] = jws.split('.')
    const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(verifyStatement(kind, forged, key.publicKey)).rejects.toMatchObject({
        code: 'STATEMENT_SIGNATURE_INVALID',
      })
  })
})
