import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, utf8 } from '#libs/canonical'
import {
  FakeAws,
  authorityExtensions,
  flipBit,
  keyUsage,
  makeKey,
  slow,
  type NitroForgery,
} from '#libs/testing'
import { Checklist } from '../checklist.js'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { parseReferenceValues } from '../reference-values.js'
import type { EvidenceVerdict } from '../verdict.js'
import { judgeNitroDocument } from './production.js'
import { nitroVerifierWith } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const hour = 3_600_000
const aws = new FakeAws()
const stranger = makeKey('ecdsa-sha384')
const nonce = new Uint8Array(32).fill(0x0e)

function judge(
  { document, root }: { readonly document: Uint8Array; readonly root: string },
  { at = now, asked = nonce }: { at?: number; asked?: Uint8Array | null } = {},
): Promise<EvidenceVerdict> {
  return judgeNitroDocument(document, { at, roots: [root], nonce: asked })
}

type Change = (f: NitroForgery) => void
const set = (fields: NitroForgery['payload']) => (f: NitroForgery) => {
  Object.assign(f.payload, fields)
}
const drop = (field: string) => (f: NitroForgery) => {
  f.payload = Object.fromEntries(Object.entries(f.payload).filter(([name]) => name !== field))
}
const onTheWay = (change: NitroForgery['onTheWay']) => (f: NitroForgery) => {
  f.onTheWay = change
}
const measurement = new Uint8Array(48).fill(1)

describe('a document of the fake AWS', () => {
  it('is genuine and fit for production', async () => {
    const verdict = await judge(aws.make(aws.draft(now)))
    expect(verdict).toMatchObject({ authentic: true, production: true, refusal: null })
    expect(verdict.facts).toMatchObject({
      timestamp: '2026-11-23T12:00:00.000Z',
      pcr0: '01'.repeat(48),
      pcr15: '00'.repeat(48),
      nonce: '0e'.repeat(32),
      public_key_sha256: null,
    })
  })

  it.each<[string, Change]>([
    ['its COSE tag', onTheWay((document) => concatBytes(Uint8Array.of(0xd2), document))],
    ['a public key', set({ public_key: new Uint8Array(1024) })],
    ['the measurement alone', set({ pcrs: { pairs: [[0, measurement]] } })],
    ['no field for what it does not hold', drop('public_key')],
  ])('is genuine with %s', async (_name, change) => {
    const forgery = aws.draft(now)
    change(forgery)
    expect(await judge(aws.make(forgery))).toMatchObject({ production: true })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['no bytes', onTheWay(() => new Uint8Array()), 'MALFORMED'],
    ['text', onTheWay(() => utf8('-----BEGIN CERTIFICATE-----')), 'MALFORMED'],
    ['a byte missing', onTheWay((document) => document.subarray(0, -1)), 'MALFORMED'],
    ['a byte after it', onTheWay((document) => concatBytes(document, Uint8Array.of(0))), 'TRAILING_DATA'],
    ['another tag', onTheWay((document) => concatBytes(Uint8Array.of(0xd1), document)), 'MALFORMED'],
    ['its tag twice', onTheWay((document) => concatBytes(Uint8Array.of(0xd2, 0xd2), document)), 'MALFORMED'],
    [
      'an array without length',
      onTheWay((document) => concatBytes(Uint8Array.of(0x9f), document.subarray(1), Uint8Array.of(0xff))),
      'MALFORMED',
    ],
    [
      'a length that is longer than needed',
      onTheWay((document) => concatBytes(Uint8Array.of(0x98, 4), document.subarray(1))),
      'MALFORMED',
    ],
    [
      'a fifth item',
      onTheWay((document) => concatBytes(Uint8Array.of(0x85), document.subarray(1), Uint8Array.of(0xf6))),
      'MALFORMED',
    ],
    ['another algorithm', (f) => (f.headers = { pairs: [[1, -7]] }), 'ALGORITHM'],
    ['no algorithm', (f) => (f.headers = { pairs: [] }), 'ALGORITHM'],
    [
      'a further header',
      (f) =>
        (f.headers = {
          pairs: [
            [1, -35],
            [2, ['x']],
          ],
        }),
      'MALFORMED',
    ],
    [
      'its algorithm twice',
      (f) =>
        (f.headers = {
          pairs: [
            [1, -35],
            [1, -35],
          ],
        }),
      'MALFORMED',
    ],
    ['a header that nobody signed', (f) => (f.unsignedHeaders = { pairs: [[4, 'key']] }), 'MALFORMED'],
    [
      'a changed payload',
      (f) => (f.payloadOnTheWay = (payload) => flipBit(payload, payload.length * 8 - 1)),
      'SIGNATURE_INVALID',
    ],
    [
      'a changed signature',
      (f) => (f.signatureOnTheWay = (signature) => flipBit(signature, 100)),
      'SIGNATURE_INVALID',
    ],
    ['a signature of zeros', (f) => (f.signatureOnTheWay = () => new Uint8Array(96)), 'SIGNATURE_INVALID'],
    ['a short signature', (f) => (f.signatureOnTheWay = (signature) => signature.subarray(1)), 'MALFORMED'],
    ['another certified key', (f) => (f.leaf.key = stranger), 'SIGNATURE_INVALID'],
    ['a certificate that a stranger signed', (f) => (f.leaf.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['an authority that a stranger signed', (f) => (f.intermediate.signer = stranger), 'CHAIN_UNTRUSTED'],
    [
      'an authority that may not certify',
      (f) => (f.intermediate.extensions = authorityExtensions({ uses: [0] })),
      'CHAIN_UNTRUSTED',
    ],
    [
      'a key that may only certify',
      (f) => (f.leaf.extensions = [{ id: '2.5.29.15', value: keyUsage([5]) }]),
      'CHAIN_UNTRUSTED',
    ],
    [
      'a key on another curve',
      (f) => (f.leaf.key = makeKey('ecdsa-sha384', { curve: 'P-256' })),
      'ALGORITHM',
    ],
    [
      'a certificate over another hash',
      (f) => (f.leaf.signer = { ...aws.intermediate, algorithm: 'ecdsa-sha256' }),
      'ALGORITHM',
    ],
    ['a certificate that is over', (f) => (f.leaf.until = now - 1000), 'EXPIRED'],
    ['a certificate that has not begun', (f) => (f.leaf.from = now + 1000), 'NOT_YET_VALID'],
    ['no certificate', set({ certificate: null }), 'MALFORMED'],
    ['no bundle', set({ cabundle: [] }), 'MALFORMED'],
    ['a bundle of seventeen', set({ cabundle: Array.from({ length: 17 }, () => measurement) }), 'MALFORMED'],
    ['a bundle of what is no certificate', set({ cabundle: [measurement] }), 'MALFORMED'],
    ['a digest that is not SHA384', set({ digest: 'SHA256' }), 'MALFORMED'],
    ['no module', drop('module_id'), 'MALFORMED'],
    ['a time that is none', set({ timestamp: 'now' }), 'MALFORMED'],
    ['a time that no calendar has', set({ timestamp: 8.7e15 }), 'MALFORMED'],
    ['no measurements', set({ pcrs: { pairs: [] } }), 'MALFORMED'],
    ['no measurement of the image', set({ pcrs: { pairs: [[1, measurement]] } }), 'MALFORMED'],
    [
      'a measurement twice',
      set({
        pcrs: {
          pairs: [
            [0, measurement],
            [0, measurement],
          ],
        },
      }),
      'MALFORMED',
    ],
    ['a short measurement', set({ pcrs: { pairs: [[0, measurement.subarray(1)]] } }), 'MALFORMED'],
    [
      'measurement 32',
      set({
        pcrs: {
          pairs: [
            [0, measurement],
            [32, measurement],
          ],
        },
      }),
      'MALFORMED',
    ],
    ['more user data than there may be', set({ user_data: new Uint8Array(513) }), 'MALFORMED'],
    ['a nonce that is text', set({ nonce: 'nonce' }), 'MALFORMED'],
    ['a field that nobody knows', set({ debug: 1 }), 'MALFORMED'],
  ])('is not authentic with %s', async (_name, change, code) => {
    const forgery = aws.draft(now)
    change(forgery)
    const verdict = await judge(aws.make(forgery))
    expect(verdict).toMatchObject({ authentic: false, production: false, refusal: code, facts: {} })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    [
      'a debug enclave',
      set({
        pcrs: {
          pairs: [
            [0, new Uint8Array(48)],
            [1, measurement],
          ],
        },
      }),
      'IMAGE_NOT_PRODUCTION',
    ],
    ['another nonce', set({ nonce: fromHex('00') }), 'BINDING_MISMATCH'],
    ['no nonce', set({ nonce: null }), 'BINDING_MISMATCH'],
  ])('is authentic and not for production with %s', async (_name, change, code) => {
    const forgery = aws.draft(now)
    change(forgery)
    expect(await judge(aws.make(forgery))).toMatchObject({
      authentic: true,
      production: false,
      refusal: code,
    })
  })

  it('needs no nonce where none was asked for', async () => {
    const forgery = aws.draft(now)
    set({ nonce: null })(forgery)
    expect(await judge(aws.make(forgery), { asked: null })).toMatchObject({ production: true })
  })

  it('is refused by a verifier that pins another root', async () => {
    const { document } = aws.make(aws.draft(now))
    const verdict = await judgeNitroDocument(document, { at: now, nonce: null })
    expect(verdict.refusal).toBe('CHAIN_UNTRUSTED')
  })

  it('lives as long as its leaf', async () => {
    const made = aws.make(aws.draft(now))
    expect(await judge(made, { at: now + 2 * hour })).toMatchObject({ production: true })
    expect(await judge(made, { at: now + 2 * hour + 1 })).toMatchObject({ refusal: 'EXPIRED' })
    expect(await judge(made, { at: now - hour - 1 })).toMatchObject({ refusal: 'NOT_YET_VALID' })
  })

  it('is not authentic with any bit turned over, but for the tag that may stand before it', async () => {
    const { document, root } = aws.make(aws.draft(now))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: document.length * 8 - 1 }), async (bit) => {
        expect((await judge({ document: flipBit(document, bit), root })).authentic).toBe(false)
      }),
      { numRuns: slow ? 20_000 : 400 },
    )
  })

  it('ends in a verdict whatever is shown', async () => {
    const { document, root } = aws.make(aws.draft(now))
    const shown = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.nat({ max: document.length - 1 }).map((length) => document.subarray(0, length)),
      fc
        .tuple(fc.integer({ min: 1, max: document.length }), fc.uint8Array({ minLength: 1, maxLength: 20 }))
        .map(([at, extra]) => concatBytes(document.subarray(0, at), extra, document.subarray(at))),
    )
    await fc.assert(
      fc.asyncProperty(shown, async (bytes) => {
        expect((await judge({ document: bytes, root })).authentic).toBe(false)
      }),
      { numRuns: slow ? 20_000 : 400 },
    )
  })
})

describe('the appraisal of a document', () => {
  const entry = { tee: 'nitro', measurement: ['01'.repeat(48)], maximumAgeSeconds: 300 }
  const pcr = (index: number, fill: number) =>
    set({
      pcrs: {
        pairs: [0, 3, 4, 8].map((n) => [n, new Uint8Array(48).fill(n === index ? fill : n === 0 ? 1 : 0)]),
      },
    })

  async function appraise(
    change: Change,
    fields: Record<string, unknown>,
  ): Promise<AttestationErrorCode | null> {
    const forgery = aws.draft(now)
    change(forgery)
    const { document, root } = aws.make(forgery)
    const verifier = nitroVerifierWith([root])
    const context = { now, checklist: new Checklist() }
    try {
      const authentic = await verifier.authenticate({ kind: 'nitro', bytes: document }, context)
      verifier.appraise(authentic, parseReferenceValues({ ...entry, ...fields }), context)
      return null
    } catch (error) {
      if (error instanceof AttestationError) return error.code
      throw error
    }
  }

  it.each<[string, Change, Record<string, unknown>]>([
    ['an image that nobody signed, wherever it runs', pcr(4, 9), {}],
    ['a signer that is named', pcr(8, 9), { signer: ['09'.repeat(48)] }],
    ['a role that is named', pcr(3, 9), { role: ['09'.repeat(48)] }],
    ['an instance that is named', pcr(4, 9), { instance: ['08'.repeat(48), '09'.repeat(48)] }],
  ])('accepts %s', async (_name, change, fields) => {
    expect(await appraise(change, fields)).toBe(null)
  })

  it.each<[string, Change, Record<string, unknown>, AttestationErrorCode]>([
    ['a debug enclave', pcr(0, 0), {}, 'IMAGE_NOT_PRODUCTION'],
    ['a signer where none is named', pcr(8, 9), {}, 'POLICY'],
    ['another signer', pcr(8, 9), { signer: ['08'.repeat(48)] }, 'POLICY'],
    ['another role', pcr(3, 9), { role: ['08'.repeat(48)] }, 'POLICY'],
    ['another instance', pcr(4, 9), { instance: ['08'.repeat(48)] }, 'POLICY'],
    ['no measurement of its signer', set({ pcrs: { pairs: [[0, measurement]] } }), {}, 'POLICY'],
    ['no user data', set({ user_data: null }), {}, 'BINDING_MISMATCH'],
    ['user data of another length', set({ user_data: new Uint8Array(63) }), {}, 'BINDING_MISMATCH'],
  ])('refuses %s', async (_name, change, fields, code) => {
    expect(await appraise(change, fields)).toBe(code)
  })
})
