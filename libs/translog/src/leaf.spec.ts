import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalBytes, statementTypes, toHex, utf8 } from '#libs/canonical'
import { slow } from '#libs/testing'
import { TranslogError } from './errors.js'
import {
  encodeLeaf,
  maximumLeafLength,
  parseLeaf,
  runPseudonym,
  signerPseudonym,
  type LogLeaf,
} from './leaf.js'

const leaf: LogLeaf = {
  version: 1,
  type: 'key-release',
  digest: 'a1'.repeat(32),
  signer: 'b2'.repeat(32),
  run: 'c3'.repeat(32),
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (!(error instanceof TranslogError)) throw error
    return error.code
  }
}

describe('a log leaf', () => {
  it('is one string of bytes and reads back as it was, for every type of statement', () => {
    for (const type of statementTypes)
      for (const signer of [null, leaf.signer])
        for (const run of [null, leaf.run])
          expect(parseLeaf(encodeLeaf({ ...leaf, type, signer, run }))).toEqual({
            ...leaf,
            type,
            signer,
            run,
          })
  })

  it('has the bytes that the format fixes', () => {
    expect(new TextDecoder().decode(encodeLeaf({ ...leaf, run: null }))).toBe(
      `{"digest":"${leaf.digest}","run":null,"signer":"${leaf.signer ?? ''}","type":"key-release","version":1}`,
    )
  })

  const withoutRun = { version: 1, type: leaf.type, digest: leaf.digest, signer: leaf.signer }
  const mutations: [string, unknown][] = [
    ['another version', { ...leaf, version: 2 }],
    ['a version in text', { ...leaf, version: '1' }],
    ['a type that nobody knows', { ...leaf, type: 'payout' }],
    ['a digest in upper case', { ...leaf, digest: 'A1'.repeat(32) }],
    ['a short digest', { ...leaf, digest: 'a1' }],
    ['a signer in the clear', { ...leaf, signer: 'north' }],
    ['an empty run', { ...leaf, run: '' }],
    ['no run', withoutRun],
    ['a further member', { ...leaf, note: 'x' }],
    ['a list', [leaf]],
    ['null', null],
  ]
  it.each(mutations)('is refused with %s', (_name, value) => {
    expect(codeOf(() => parseLeaf(canonicalBytes(value)))).toBe('LEAF_MALFORMED')
    expect(codeOf(() => encodeLeaf(value as LogLeaf))).toBe('LEAF_MALFORMED')
  })

  it('is refused in any other spelling', () => {
    const text = new TextDecoder().decode(encodeLeaf(leaf))
    for (const spelling of [
      `${text}\n`,
      ` ${text}`,
      text.replace(':1}', ':1.0}'),
      text.replace('{', '{"version":1,'),
    ])
      expect(codeOf(() => parseLeaf(utf8(spelling)))).toBe('LEAF_MALFORMED')
    expect(codeOf(() => parseLeaf(utf8(JSON.stringify(leaf))))).toBe('LEAF_MALFORMED')
    expect(codeOf(() => parseLeaf(new Uint8Array(maximumLeafLength + 1)))).toBe('LEAF_MALFORMED')
  })

  it('lets only a TranslogError out of its parser', () => {
    const json = fc.jsonValue().map((value) => utf8(JSON.stringify(value)))
    const mutated = fc.tuple(fc.nat(300), fc.nat(255)).map(([at, byte]) => {
      const bytes = encodeLeaf(leaf)
      bytes[at % bytes.length] = byte
      return bytes
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 1100 }), json, mutated), (bytes) => {
        const code = codeOf(() => {
          expect(toHex(encodeLeaf(parseLeaf(bytes)))).toBe(toHex(bytes))
        })
        return code === undefined || code === 'LEAF_MALFORMED'
      }),
      { numRuns: slow ? 50_000 : 2_000 },
    )
  })
})

describe('pseudonyms', () => {
  const secret = new Uint8Array(32).fill(7)
  it('differ by contract, by who is named and by what is named', () => {
    const names = [
      signerPseudonym(secret, 'north'),
      signerPseudonym(secret, 'south'),
      signerPseudonym(new Uint8Array(32).fill(8), 'north'),
      runPseudonym(secret, 'north'),
    ]
    expect(new Set(names).size).toBe(4)
    expect(signerPseudonym(secret, 'north')).toBe(names[0])
    expect(names.every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true)
  })

  it('need a secret of 32 bytes', () => {
    for (const length of [0, 31, 33])
      expect(codeOf(() => signerPseudonym(new Uint8Array(length), 'north'))).toBe('SECRET_MALFORMED')
    expect(codeOf(() => runPseudonym(new Uint8Array(), 'run'))).toBe('SECRET_MALFORMED')
  })
})
