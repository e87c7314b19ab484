import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CsvScanner, firstRecord, type CsvRecord } from './csv-scanner.js'
import { tableToCsv } from './csv-text.js'

function scan(text: string, size = 3): { records: CsvRecord[]; lineEnds: CsvScanner['lineEnds'] } {
  const records: CsvRecord[] = []
  const scanner = new CsvScanner(',', (record) => records.push(record))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size))
  scanner.finish()
  return { records, lineEnds: scanner.lineEnds }
}

describe('CsvScanner', () => {
  it('counts lines through quoted line ends', () => {
    const { records } = scan('a,b\r\n1,"x\r\ny"\r\n2,3')
    expect(records.map(({ line, fields }) => [line, fields])).toEqual([
      [1, 2],
      [2, 2],
      [4, 2],
    ])
  })

  it('counts each kind of line end', () => {
    expect(scan('a\nb\r\nc\rd').lineEnds).toEqual({ lf: 1, crlf: 1, cr: 1 })
  })

  it.each(['1,"2', '1,"2"x', '1,2"3'])('notices broken quotes in %s', (text) => {
    expect(scan(text).records.some(({ quoteBroken }) => quoteBroken)).toBe(true)
  })

  it('finds every record of what we write ourselves', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (rows, size) => {
          const columns = [
            { name: 'a', type: 'string' },
            { name: 'b', type: 'string' },
          ] as const
          const csv = tableToCsv({
            columns,
            rows: rows.length,
            values: [rows.map(([a]) => a), rows.map(([, b]) => b)],
          })
          const { records } = scan(csv, size)
          expect(records).toHaveLength(rows.length + 1)
          expect(records.every(({ fields, quoteBroken }) => fields === 2 && !quoteBroken)).toBe(true)
        },
      ),
    )
  })
})

describe('firstRecord', () => {
  it.each([
    ['a,b\n1,2', ['a', 'b']],
    ['"a ""x""","b,c"\r\n', ['a "x"', 'b,c']],
    ['only', ['only']],
  ])('reads the header of %j', (text, expected) => {
    expect(firstRecord(text, ',', true)).toEqual(expected)
  })

  it('does not take a header that is cut off', () => {
    expect(firstRecord('a,b', ',', false)).toBeUndefined()
    expect(firstRecord('"a,b\n', ',', true)).toBeUndefined()
  })
})
