import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '#libs/canonical'
import { der, derInteger, derOid, derSequence, derTime, slow } from '#libs/testing'
import { AttestationError } from '../errors.js'
import { parseDerTime } from '../x509/time.js'
import { parseDer, readDer, type DerReader } from './der-reader.js'

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof AttestationError) return error.code
    throw error
  }
  return 'none'
}

const inner = (hex: string): DerReader => readDer(fromHex(hex), 'test')

describe('parseDer', () => {
  it.each([
    ['an indefinite length', '3080020101 0000'],
    ['a length in more bytes than needed', '308103020101'],
    ['a long length with a leading zero', `30820080${'00'.repeat(128)}`],
    ['more announced than there is', '3004020101'],
    ['a length of five bytes', '30850000000003020101'],
    ['a tag of several bytes', '1f2103020101'],
    ['another tag', '3103020101'],
    ['nothing', ''],
    ['a tag alone', '30'],
  ])('refuses %s', (_name, hex) => {
    expect(codeOf(() => parseDer(fromHex(hex.replace(' ', '')), 'test'))).toBe('MALFORMED')
  })

  it('refuses a byte after the end by a code of its own', () => {
    expect(codeOf(() => parseDer(fromHex('300302010100'), 'test'))).toBe('TRAILING_DATA')
  })

  it('refuses what is nested deeper than any certificate', () => {
    const nested = Array.from({ length: 20 }).reduce<Uint8Array>((bytes) => derSequence(bytes), derInteger(1))
    const descend = (reader: DerReader): unknown => (reader.atEnd ? null : descend(reader.nested('level')))
    expect(codeOf(() => descend(parseDer(nested, 'test')))).toBe('MALFORMED')
  })
})

describe('DerReader', () => {
  it.each<[string, string, (reader: DerReader) => unknown]>([
    ['an integer without bytes', '0200', (r) => r.smallInteger('n')],
    ['an integer with a needless zero', '02020001', (r) => r.smallInteger('n')],
    ['an integer with a needless sign', '0202ff80', (r) => r.integerBytes('n')],
    ['a negative integer', '0201ff', (r) => r.smallInteger('n')],
    ['an integer of five bytes', '02050100000000', (r) => r.smallInteger('n')],
    ['a boolean that is 1', '010101', (r) => r.boolean('b')],
    ['a boolean of two bytes', '01020000', (r) => r.boolean('b')],
    ['a key with unused bits', '030201fe', (r) => r.bitStringBytes('k')],
    ['a bit string without a count', '0300', (r) => r.bitStringBytes('k')],
    ['named bits with unused ones set', '030207ff', (r) => r.namedBits('k')],
    ['named bits with eight unused ones', '03020800', (r) => r.namedBits('k')],
    ['an identifier without bytes', '0600', (r) => r.objectIdentifier('id')],
    ['an identifier that is cut', '060188', (r) => r.objectIdentifier('id')],
    ['an identifier with a needless zero', '06032a8001', (r) => r.objectIdentifier('id')],
    ['an identifier too large to be one', `06102a${'ff'.repeat(14)}7f`, (r) => r.objectIdentifier('id')],
    [
      'something left over',
      '0500',
      (r) => {
        r.end('end')
      },
    ],
  ])('refuses %s', (_name, hex, read) => {
    expect(codeOf(() => read(inner(hex)))).toBe('MALFORMED')
  })

  it('reads what a writer wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (n) => {
        expect(readDer(derInteger(n), 'test').smallInteger('n')).toBe(n)
      }),
    )
    for (const id of [
      '1.2.840.10045.4.3.3',
      '2.16.840.1.101.3.4.2.1',
      '0.9.2342',
      '2.5.29.15',
      '1.3.6.1.4.1.3704.1.3.8',
    ])
      expect(readDer(derOid(id), 'test').objectIdentifier('id')).toBe(id)
  })

  it('reads named bits from the first', () => {
    expect(inner('03020780').namedBits('k')).toBe(1)
    expect(inner('03020106').namedBits('k')).toBe(0b1100000)
    expect(inner('0303070080').namedBits('k')).toBe(0b100000000)
    expect(inner('030100').namedBits('k')).toBe(0)
  })

  it('ends in a coded error or a value on any bytes', () => {
    const walk = (reader: DerReader): void => {
      while (!reader.atEnd) {
        const element = reader.any('any')
        if ((element.tag & 0x20) !== 0) walk(reader.enter(element))
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        codeOf(() => {
          walk(readDer(bytes, 'test'))
        })
      }),
      { numRuns: slow ? 20_000 : 500 },
    )
  })
})

describe('times of certificates', () => {
  it('are read to the second in either form', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1950, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 }),
        (second) => {
          expect(parseDerTime(readDer(derTime(second * 1000), 'test'), 'time')).toBe(second * 1000)
        },
      ),
    )
  })

  it.each([
    ['no seconds', '17', '2601010000Z'],
    ['no Z', '17', '260101000000'],
    ['another zone', '17', '260101000000+0100'],
    ['a fraction', '18', '20260101000000.5Z'],
    ['month 13', '17', '261301000000Z'],
    ['30 February', '17', '260230000000Z'],
    ['second 60', '17', '260101000060Z'],
    ['two digits of a year in the long form', '18', '260101000000Z'],
  ])('refuse %s', (_name, tag, text) => {
    const bytes = der(Number.parseInt(tag, 16), new TextEncoder().encode(text))
    expect(
      codeOf(() => parseDerTime(readDer(bytes, 'test'), 'time')),
      toHex(bytes),
    ).toBe('MALFORMED')
  })
})
