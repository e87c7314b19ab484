import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import { chunkCount, writeChunkNonce } from './chunked-format.js'
import { nobleOpen, nobleSeal } from './chunked-noble.js'
import { outputContext, requestPartContext, segmentContext } from './context.js'
import { EnvelopeError } from './errors.js'
import { openBytes, sealBytes } from './sealed-bytes.node.js'
import { plaintextSize, sealedSize } from './sealed-size.js'

const dataKey = randomBytes(32)
const context = outputContext({ run: '0'.repeat(64), output: 'rates' })
const options = { dataKey, context, randomBytes }
const sizes = [0, 1, 16_383, 16_384, 16_385, 2 * 16_384, 3 * 16_384 - 1, 64 * 16_384, 64 * 16_384 + 5]

describe('sealed bytes', () => {
  it.each(sizes)('of %i bytes open to what was sealed, and are as large as foretold', (size) => {
    const plaintext = randomBytes(size)
    const sealed = sealBytes(options, plaintext)
    expect(sealed.length).toBe(sealedSize(size))
    expect(plaintextSize(sealed.length)).toBe(size)
    expect(Buffer.compare(openBytes(options, sealed), plaintext)).toBe(0)
  })

  it.each(sizes.filter((size) => size < 60_000))(
    'of %i bytes are the same in both implementations',
    (size) => {
      const plaintext = randomBytes(size)
      const salt = randomBytes(24)
      const sealed = sealBytes({ ...options, randomBytes: () => salt }, plaintext)
      expect(Buffer.from(nobleSeal(dataKey, salt, context, plaintext)).equals(sealed)).toBe(true)
      expect(Buffer.from(nobleOpen(dataKey, context, sealed)).equals(plaintext)).toBe(true)
    },
  )

  it('open to what was sealed at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40_000 }), fc.uint8Array(), (plaintext, anyContext) => {
        const any = { ...options, context: anyContext }
        expect(Buffer.compare(openBytes(any, sealBytes(any, plaintext)), plaintext)).toBe(0)
      }),
      { numRuns: slow ? 2000 : 100 },
    )
  })

  it('do not open with any bit flipped', () => {
    const sealed = sealBytes(options, randomBytes(20_000))
    fc.assert(
      fc.property(fc.nat(sealed.length * 8 - 1), (bit) => {
        const flipped = Uint8Array.from(sealed)
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => openBytes(options, flipped)).toThrow(expect.objectContaining({ code: 'OPEN_FAILED' }))
      }),
      { numRuns: slow ? 20_000 : 300 },
    )
  })

  it('do not open cut off at any byte', () => {
    const sealed = sealBytes(options, randomBytes(40_000))
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), (length) => {
        expect(() => openBytes(options, sealed.subarray(0, length))).toThrow(EnvelopeError)
      }),
      { numRuns: slow ? 5000 : 300 },
    )
  })

  const chunk = 16_400
  const base = sealBytes(options, randomBytes(3 * 16_384 + 7))
  const swapped = Buffer.concat([
    base.subarray(0, 56),
    base.subarray(56 + chunk, 56 + 2 * chunk),
    base.subarray(56, 56 + chunk),
    base.subarray(56 + 2 * chunk),
  ])
  const mutations: [name: string, open: () => unknown][] = [
    ['two chunks swapped', () => openBytes(options, swapped)],
    ['the last chunk left out', () => openBytes(options, base.subarray(0, 56 + 3 * chunk))],
    [
      'a whole chunk left out',
      () => openBytes(options, Buffer.concat([base.subarray(0, 56), base.subarray(56 + chunk)])),
    ],
    ['bytes after the end', () => openBytes(options, Buffer.concat([base, Buffer.alloc(16)]))],
    ['another file after it', () => openBytes(options, Buffer.concat([base, base.subarray(56)]))],
    ['another key', () => openBytes({ ...options, dataKey: randomBytes(32) }, base)],
    ['a key of another length', () => openBytes({ ...options, dataKey: dataKey.subarray(1) }, base)],
    [
      'another context',
      () => openBytes({ ...options, context: outputContext({ run: '0'.repeat(64), output: 'rate' }) }, base),
    ],
    ['nothing', () => openBytes(options, new Uint8Array(0))],
  ]
  it.each(mutations)('do not open with %s', (_name, open) => {
    expect(open).toThrow(
      expect.objectContaining({ code: 'OPEN_FAILED', message: 'the envelope could not be opened' }),
    )
  })

  it('are not made with a key that is not 32 bytes', () => {
    expect(() => sealBytes({ ...options, dataKey: randomBytes(31) }, base)).toThrow(RangeError)
  })

  it('end foreign bytes in OPEN_FAILED', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(() => openBytes(options, bytes)).toThrow(expect.objectContaining({ code: 'OPEN_FAILED' }))
      }),
      { numRuns: slow ? 20_000 : 500 },
    )
  })
})

describe('the layout', () => {
  it('has one more chunk than full ones', () => {
    expect([0, 16_383, 16_384, 32_768].map(chunkCount)).toEqual([1, 1, 2, 3])
  })

  it('refuses lengths that no number holds exactly', () => {
    expect(() => sealedSize(2 ** 52)).toThrow(RangeError)
    expect(() => sealedSize(-1)).toThrow(RangeError)
    expect(() => plaintextSize(Number.MAX_SAFE_INTEGER)).toThrow(EnvelopeError)
    expect(() => plaintextSize(Number.NaN)).toThrow(EnvelopeError)
  })

  it('numbers chunks beyond 32 bits', () => {
    const nonce = new Uint8Array(12)
    writeChunkNonce(nonce, new Uint8Array(12), 2 ** 38 - 1)
    expect([...nonce]).toEqual([0, 0, 0, 0, 0, 0, 0, 0x3f, 255, 255, 255, 255])
    writeChunkNonce(nonce, new Uint8Array(12).fill(255), 258)
    expect([...nonce.subarray(9)]).toEqual([255, 254, 253])
  })

  it('gives every purpose a context of its own', () => {
    const place = { owner: 'o', dataset: 'd', version: 'v', segment: 's', segmentCount: 1 }
    const contexts = [
      segmentContext(place),
      segmentContext({ ...place, owner: 'x' }),
      segmentContext({ ...place, dataset: 'x' }),
      segmentContext({ ...place, version: 'x' }),
      segmentContext({ ...place, segment: 'x' }),
      segmentContext({ ...place, segmentCount: 2 }),
      requestPartContext({ contract: 'c', requester: 'r' }),
      requestPartContext({ contract: 'c', requester: 'x' }),
      outputContext({ run: 'c', output: 'r' }),
      outputContext({ run: 'c', output: 'x' }),
    ].map((bytes) => Buffer.from(bytes).toString())
    expect(new Set(contexts).size).toBe(contexts.length)
  })
})
