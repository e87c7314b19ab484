import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  toBase64,
  toBase64url,
  toHex,
  utf8,
} from './bytes.js'
import { CanonicalError } from './errors.js'

type Codec = readonly [
  name: string,
  encode: (bytes: Uint8Array) => string,
  decode: (text: string) => Uint8Array,
]
const codecs: Codec[] = [
  ['hexadecimal', toHex, fromHex],
  ['base64url', toBase64url, fromBase64url],
  ['base64', toBase64, fromBase64],
]

const bytes = fc.uint8Array({ maxLength: 100 })
const refusal = expect.objectContaining({ code: 'BYTES_MALFORMED' }) as unknown

describe.each(codecs)('%s', (name, encode, decode) => {
  it('is undone by its reader', () => {
    fc.assert(fc.property(bytes, (value) => equalBytes(decode(encode(value)), value)))
  })

  it('is what Node writes', () => {
    const encoding = name === 'hexadecimal' ? 'hex' : (name as 'base64' | 'base64url')
    fc.assert(fc.property(bytes, (value) => encode(value) === Buffer.from(value).toString(encoding)))
  })

  it('has one spelling: whatever is read is written again as it stood, everything else is a coded error', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdefABCDEFyz-_+/= \n'.split(''))
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        try {
          return encode(decode(text)) === text
        } catch (error) {
          return error instanceof CanonicalError && error.code === 'BYTES_MALFORMED'
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('copes with a megabyte', () => {
    const large = new Uint8Array(1_000_000).fill(0xa5)
    expect(equalBytes(decode(encode(large)), large)).toBe(true)
  })
})

describe('foreign spellings', () => {
  const cases: [string, () => unknown][] = [
    ['upper-case hexadecimal', () => fromHex('AB')],
    ['half a byte of hexadecimal', () => fromHex('abc')],
    ['padded base64url', () => fromBase64url('AA==')],
    ['base64url with stray bits', () => fromBase64url('AB')],
    ['base64url of an impossible length', () => fromBase64url('AAAAA')],
    ['base64url with a newline', () => fromBase64url('AAAA\n')],
    ['base64 without padding', () => fromBase64('AA')],
    ['base64 with stray bits', () => fromBase64('AB==')],
    ['base64 of the other alphabet', () => fromBase64('-_8=')],
    ['base64 that is padding only', () => fromBase64('====')],
    ['bytes that are not UTF-8', () => fromUtf8(Uint8Array.of(0xc3, 0x28))],
    ['an overlong form', () => fromUtf8(Uint8Array.of(0xc0, 0x80))],
    ['a surrogate in UTF-8', () => fromUtf8(Uint8Array.of(0xed, 0xa0, 0x80))],
  ]
  it.each(cases)('of %s are refused', (_name, read) => {
    expect(read).toThrow(refusal)
  })
})

describe('utf8', () => {
  it('keeps every well-formed string, a byte order mark too', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromUtf8(utf8(text)) === text))
    expect(fromUtf8(utf8('\ufeffx'))).toBe('\ufeffx')
  })
})

describe('concatBytes and equalBytes', () => {
  it('agree with a list of numbers', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (parts) =>
        equalBytes(concatBytes(...parts), Uint8Array.from(parts.flatMap((part) => [...part]))),
      ),
    )
  })

  it('tell apart what differs in one bit or in length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(319), (value, bit) => {
        const other = Uint8Array.from(value)
        const at = (bit >> 3) % value.length
        other[at] = value[at]! ^ (1 << (bit & 7))
        return (
          !equalBytes(value, other) && !equalBytes(value, value.slice(1)) && equalBytes(value, value.slice())
        )
      }),
    )
  })
})
