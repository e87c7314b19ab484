import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digest as digestOf, domains } from '#libs/canonical'
import { CiphertextDigest, fileCiphertextDigest } from './ciphertext-digest.node.js'
import { openBytes, sealBytes } from './sealed-bytes.node.js'
import { openFile, sealFile, sealFileOnly } from './sealed-file.node.js'
import { openReader } from './sealed-reader.node.js'
import { openStreamToFile, sealStream, sealStreamToFile } from './sealed-stream.node.js'

const folder = mkdtempSync(join(tmpdir(), 'envelope-'))
const keys = { dataKey: randomBytes(32), context: Buffer.from('context') }
const salt = randomBytes(24)
const options = { ...keys, randomBytes: () => salt }
const chunk = 16_384
const mebibyte = 2 ** 20

let clear = 0
let sealed = 0
let opened = 0
beforeEach(() => {
  clear = openSync(join(folder, 'clear'), 'w+')
  sealed = openSync(join(folder, 'sealed'), 'w+')
  opened = openSync(join(folder, 'opened'), 'w+')
})
afterEach(() => {
  for (const file of [clear, sealed, opened]) closeSync(file)
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const content = (file: number) => {
  const bytes = Buffer.alloc(fstatSync(file).size)
  readSync(file, bytes, 0, bytes.length, 0)
  return bytes
}
const put = (file: number, bytes: Uint8Array) => {
  ftruncateSync(file, 0)
  writeSync(file, bytes, 0, bytes.length, 0)
}
const flipBit = (file: number, position: number) => {
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, position)
  writeSync(file, Buffer.of(byte[0]! ^ 1), 0, 1, position)
}
const pieces = function* (bytes: Uint8Array, lengths: readonly number[]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!
    yield bytes.subarray(at, at + length)
    at += length
  }
}
const taggedDigest = (bytes: Uint8Array) =>
  createHash('sha256').update(domains.ciphertext).update(bytes).digest('hex')

const sizes = [
  0,
  1,
  chunk - 1,
  chunk,
  chunk + 1,
  mebibyte - 1,
  mebibyte,
  mebibyte + 1,
  9 * mebibyte,
  40 * mebibyte + 3,
]

describe('a sealed file', () => {
  for (const threads of [1, 2] as const)
    it.each(sizes)(
      `of %i bytes is what sealing in memory gives, and opens, in ${threads} thread(s)`,
      async (size) => {
        const plaintext = randomBytes(size)
        put(clear, plaintext)
        put(opened, randomBytes(100))
        const seen: number[] = []
        const summary = await sealFile({
          ...options,
          input: clear,
          output: sealed,
          threads,
          onProgress: (bytes) => seen.push(bytes),
        })
        const expected = sealBytes(options, plaintext)
        expect(content(sealed).equals(expected)).toBe(true)
        expect(summary).toEqual({
          plaintextSize: size,
          size: expected.length,
          digest: taggedDigest(expected),
        })
        expect(seen.at(-1)).toBe(size)
        expect(seen).toEqual(seen.toSorted((a, b) => a - b))
        expect(
          await openFile({ ...keys, input: sealed, output: opened, threads, digest: summary.digest }),
        ).toBe(size)
        expect(content(opened).equals(plaintext)).toBe(true)
      },
    )

  it('can be sealed without its digest', async () => {
    put(clear, randomBytes(100))
    expect(await sealFileOnly({ ...options, input: clear, output: sealed })).toEqual({
      plaintextSize: 100,
      size: 172,
    })
    expect(await fileCiphertextDigest(sealed)).toBe(taggedDigest(content(sealed)))
  })

  it('is not made in place', async () => {
    await expect(sealFile({ ...options, input: clear, output: clear })).rejects.toThrow(RangeError)
    await expect(openFile({ ...keys, input: clear, output: clear })).rejects.toThrow(RangeError)
  })

  it.each([1, 2] as const)(
    'leaves nothing when whoever follows its progress fails, and the next one is whole, in %i thread(s)',
    async (threads) => {
      const plaintext = randomBytes(40 * mebibyte)
      put(clear, plaintext)
      const files = { input: clear, output: sealed, threads }
      const onProgress = (bytes: number) => {
        if (bytes > 20 * mebibyte) throw new Error('not any more')
      }
      await expect(sealFileOnly({ ...options, ...files, onProgress })).rejects.toMatchObject({
        code: 'FILE_FAILED',
      })
      expect(fstatSync(sealed).size).toBe(0)
      for (let again = 0; again < 2; again++) {
        await sealFileOnly({ ...options, ...files })
        expect(content(sealed).equals(sealBytes(options, plaintext))).toBe(true)
      }
    },
  )

  it('names a file that cannot be written', async () => {
    const readOnly = openSync(join(folder, 'opened'), 'r')
    put(clear, randomBytes(10))
    await expect(sealFile({ ...options, input: clear, output: readOnly })).rejects.toMatchObject({
      code: 'FILE_FAILED',
    })
    closeSync(readOnly)
  })

  const size = 20 * mebibyte + 5
  const mutations: [name: string, mutate: () => void][] = [
    [
      'a bit of the salt flipped',
      () => {
        flipBit(sealed, 3)
      },
    ],
    [
      'a bit of the commitment flipped',
      () => {
        flipBit(sealed, 30)
      },
    ],
    [
      'a bit of the first chunk flipped',
      () => {
        flipBit(sealed, 57)
      },
    ],
    [
      'a bit in the middle flipped',
      () => {
        flipBit(sealed, 11 * mebibyte)
      },
    ],
    [
      'a bit of the last tag flipped',
      () => {
        flipBit(sealed, fstatSync(sealed).size - 1)
      },
    ],
    [
      'its last chunk cut off',
      () => {
        ftruncateSync(sealed, fstatSync(sealed).size - 21)
      },
    ],
    [
      'its last byte cut off',
      () => {
        ftruncateSync(sealed, fstatSync(sealed).size - 1)
      },
    ],
    [
      'zeros after its end',
      () => {
        ftruncateSync(sealed, fstatSync(sealed).size + 40)
      },
    ],
    [
      'half its header',
      () => {
        ftruncateSync(sealed, 40)
      },
    ],
    [
      'nothing in it',
      () => {
        ftruncateSync(sealed, 0)
      },
    ],
  ]
  for (const threads of [1, 2] as const)
    it.each(mutations)(`leaves nothing when it has %s, in ${threads} thread(s)`, async (_name, mutate) => {
      put(clear, Buffer.alloc(size, 7))
      await sealFileOnly({ ...options, input: clear, output: sealed })
      mutate()
      await expect(openFile({ ...keys, input: sealed, output: opened, threads })).rejects.toMatchObject({
        code: 'OPEN_FAILED',
        message: 'the envelope could not be opened',
      })
      expect(fstatSync(opened).size).toBe(0)
    })

  it.each([1000, size])('of %i bytes leaves nothing under another key, context or digest', async (length) => {
    put(clear, Buffer.alloc(length, 7))
    const { digest } = await sealFile({ ...options, input: clear, output: sealed })
    const files = { input: sealed, output: opened }
    for (const wrong of [
      { ...keys, dataKey: randomBytes(32) },
      { ...keys, context: Buffer.from('Context') },
      { ...keys, digest: digest.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
    ]) {
      await expect(openFile({ ...wrong, ...files })).rejects.toMatchObject({ code: 'OPEN_FAILED' })
      expect(fstatSync(opened).size).toBe(0)
    }
  })
})

describe('a sealed stream', () => {
  it.each(sizes)(
    'of %i bytes is what sealing in memory gives, and opens, whatever the pieces',
    async (size) => {
      const plaintext = randomBytes(size)
      const expected = sealBytes(options, plaintext)
      const summary = await sealStreamToFile(options, pieces(plaintext, [1, 70_000, 2_000_000, 0]), sealed)
      expect(content(sealed).equals(expected)).toBe(true)
      expect(summary).toEqual({ plaintextSize: size, size: expected.length, digest: taggedDigest(expected) })
      expect(await openStreamToFile(keys, pieces(expected, [100_000, 3, 1_500_000]), opened)).toEqual(summary)
      expect(content(opened).equals(plaintext)).toBe(true)
    },
  )

  it('gives pieces of bounded size', async () => {
    for await (const piece of sealStream(options, [randomBytes(5 * mebibyte)]))
      expect(piece.length).toBeLessThanOrEqual(64 * 16_400)
  })

  it('opens as bytes do, or leaves nothing, cut at any byte or with any bit flipped', async () => {
    const bytes = sealBytes(options, randomBytes(70_000))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.nat(bytes.length * 8 - 1),
        fc.boolean(),
        async (at, bit, cut) => {
          const mutated = Buffer.from(cut ? bytes.subarray(0, at) : bytes)
          if (!cut) mutated[bit >> 3]! ^= 1 << (bit & 7)
          await expect(openStreamToFile(keys, [mutated], opened)).rejects.toMatchObject({
            code: 'OPEN_FAILED',
          })
          expect(fstatSync(opened).size).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  })

  it.each([0, chunk, mebibyte, mebibyte + 9])(
    'of %i bytes leaves nothing with bytes after its end',
    async (size) => {
      const bytes = sealBytes(options, randomBytes(size))
      for (const extra of [1, 16, 17, chunk + 16])
        await expect(openStreamToFile(keys, [bytes, Buffer.alloc(extra)], opened)).rejects.toMatchObject({
          code: 'OPEN_FAILED',
        })
      expect(fstatSync(opened).size).toBe(0)
    },
  )

  it('leaves nothing when its source fails', async () => {
    const bytes = sealBytes(options, randomBytes(3 * mebibyte))
    const broken = function* () {
      yield bytes.subarray(0, 2 * mebibyte)
      throw new Error('connection lost')
    }
    await expect(openStreamToFile(keys, broken(), opened)).rejects.toMatchObject({ code: 'FILE_FAILED' })
    expect(fstatSync(opened).size).toBe(0)
    await expect(sealStreamToFile(options, broken(), sealed)).rejects.toMatchObject({ code: 'FILE_FAILED' })
    expect(fstatSync(sealed).size).toBe(0)
  })
})

describe('random access', () => {
  it('opens any range as the whole has it', async () => {
    const plaintext = randomBytes(3 * mebibyte + 77)
    put(sealed, sealBytes(options, plaintext))
    const reader = await openReader(keys, sealed)
    expect(reader.plaintextSize).toBe(plaintext.length)
    const range = fc
      .tuple(fc.nat(plaintext.length), fc.nat(plaintext.length))
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
    await fc.assert(
      fc.asyncProperty(range, async ([start = 0, end = 0]) => {
        expect(Buffer.compare(await reader.read(start, end - start), plaintext.subarray(start, end))).toBe(0)
      }),
      { numRuns: 50 },
    )
    await expect(reader.read(plaintext.length, 1)).rejects.toThrow(RangeError)
    await expect(reader.read(-1, 1)).rejects.toThrow(RangeError)
  })

  it('does not begin on a file that was cut at a chunk or extended, and does not give out a damaged chunk', async () => {
    const bytes = sealBytes(options, randomBytes(10 * chunk + 5))
    for (const wrong of [bytes.subarray(0, 56 + 16_400 + 21), Buffer.concat([bytes, Buffer.alloc(30)])]) {
      put(sealed, wrong)
      await expect(openReader(keys, sealed)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    }
    put(sealed, bytes)
    flipBit(sealed, 56 + 3 * 16_400)
    const reader = await openReader(keys, sealed)
    await expect(reader.read(3 * chunk, 10)).rejects.toMatchObject({ code: 'OPEN_FAILED' })
    expect((await reader.read(4 * chunk, 10)).length).toBe(10)
  })
})

describe('the digest of ciphertext', () => {
  it.each([0, 100, 5 * mebibyte, 40 * mebibyte])(
    'of %i bytes in pieces is that of the whole',
    async (size) => {
      const bytes = randomBytes(size)
      put(clear, bytes)
      const digest = new CiphertextDigest()
      for (const piece of pieces(bytes, [1_000_000, 3])) await digest.update(piece)
      expect(await digest.digest()).toBe(taggedDigest(bytes))
      expect(await fileCiphertextDigest(clear)).toBe(taggedDigest(bytes))
    },
  )

  it('is the one of the table of domains', async () => {
    const digest = new CiphertextDigest()
    await digest.update(Buffer.from('abc'))
    expect(await digest.digest()).toBe(digestOf(domains.ciphertext, Buffer.from('abc')))
  })

  it.each([10, 6 * mebibyte])('of a file that is %i bytes shorter than said fails', async (missing) => {
    const digest = new CiphertextDigest()
    digest.updateFromFile(clear, 0, missing)
    await expect(digest.digest()).rejects.toMatchObject({ code: 'FILE_FAILED' })
  })
})

it('opening in memory and from a file agree on files made by either', async () => {
  put(clear, randomBytes(123_456))
  await sealFile({ ...options, input: clear, output: sealed })
  expect(Buffer.compare(openBytes(keys, content(sealed)), content(clear))).toBe(0)
})
