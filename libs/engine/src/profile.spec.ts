import { existsSync, openSync, closeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import { bytesOf, fill, startWriter, tableOf } from './engine-for-test.node.js'
import { startEngine, withEngine, type Engine } from './engine.node.js'
import { EngineError } from './errors.js'
import { tableToCsv } from './csv-text.js'
import type { Finding, ProfileOptions, ProfileReport } from './profile-report.js'
import { syntheticTable } from './synthetic.js'
import type { ColumnRules } from './tables.js'
import { createMemoryFile, type MemoryFile } from './unlinked-file.node.js'

const rules: ColumnRules = {
  id: { type: 'string' },
  age: { type: 'int', min: 0, max: 120 },
  cost: { type: 'double', nullable: true },
}

let engine: Engine
let input: MemoryFile
let outputs: [MemoryFile, MemoryFile]
beforeAll(async () => {
  outputs = [createMemoryFile(), createMemoryFile()]
  engine = await startEngine({ inputs: 1, descriptors: outputs.map(({ fd }) => ({ fd, access: 'write' })) })
  input = engine.inputs[0]!
})
afterAll(async () => {
  await engine.close()
  for (const file of outputs) file.discard()
})

async function profile(
  text: string | Uint8Array,
  options: ProfileOptions = {},
  columns = rules,
): Promise<ProfileReport> {
  await fill(input, text)
  return engine.profileCsv(input.fd, columns, { unit: 'id', ...options })
}

const good = 'id,age,cost\na,1,2.5\na,120,\nb,0,-1e3\n'

describe('Engine.profileCsv', () => {
  it('reports what a clean file holds', async () => {
    const report = await profile(good)
    expect(report).toMatchObject({ rows: 3, findings: [], findingCount: 0, ignored: [] })
    expect(report.unit).toEqual({ column: 'id', distinct: 2, maximumRowsPerUnit: 2 })
    expect(report.columns[1]).toMatchObject({
      distinct: 3,
      minimum: '0',
      maximum: '120',
      missing: 0,
      distinctIsExact: true,
    })
    expect(report.columns[2]).toMatchObject({ missing: 1, misfits: 0 })
  })

  const same: [name: string, text: string][] = [
    ['a byte order mark', `\ufeff${good}`],
    ['CRLF', good.replaceAll('\n', '\r\n')],
    ['CR alone', good.replaceAll('\n', '\r')],
    ['no line end at the end', good.trimEnd()],
    ['quotes around everything', good.replaceAll(/[^,\n]+/g, '"$&"')],
    ['empty quoted fields', good.replace('120,\n', '120,""\n')],
    ['blank lines', good.replaceAll('\n', '\n\n')],
  ]
  it.each(same)('reads a file with %s alike', async (_name, text) => {
    expect(await profile(text)).toEqual(await profile(good))
  })

  it('reads other delimiters, columns in another order, and leaves columns alone that the contract does not name', async () => {
    const report = await profile('cost;secret;age;id\n1;x;2;a\n', { delimiter: ';' })
    expect(report).toMatchObject({ rows: 1, ignored: ['secret'], findingCount: 0 })
  })

  const whole = (finding: Partial<Finding>): Partial<Finding> => ({ row: null, ...finding })
  const faults: [name: string, text: string | Uint8Array, finding: Partial<Finding>][] = [
    ['an empty file', '', whole({ rule: 'FILE_EMPTY' })],
    ['a header alone', 'id,age,cost\n', whole({ rule: 'NO_ROWS' })],
    [
      'a column missing',
      'id,cost\na,1\n',
      whole({ rule: 'HEADER_COLUMN_MISSING', column: 'age', seen: 'id, cost' }),
    ],
    [
      'a column spelled otherwise',
      'id,Age,cost\na,1,1\n',
      whole({ rule: 'HEADER_COLUMN_MISSING', column: 'age' }),
    ],
    [
      'a column twice',
      'id,age,age,cost\na,1,1,1\n',
      whole({ rule: 'HEADER_COLUMN_REPEATED', column: 'age' }),
    ],
    ['no header', 'a,1,2.5\n', whole({ rule: 'HEADER_COLUMN_MISSING', column: 'id' })],
    ['another delimiter', 'id;age;cost\na;1;1\n', whole({ rule: 'HEADER_COLUMN_MISSING', column: 'id' })],
    [
      'UTF-16',
      Buffer.from('\ufeffid,age,cost\n', 'utf16le'),
      whole({ rule: 'ENCODING_INVALID', seen: 'UTF-16' }),
    ],
    [
      'Latin-1 in a row',
      Buffer.from('id,age,cost\na,1,1\nM\xfcller,2,2\n', 'latin1'),
      whole({ rule: 'ENCODING_INVALID', line: 3 }),
    ],
    [
      'Latin-1 in the header',
      Buffer.from('id,age,cost,\xfc\n', 'latin1'),
      whole({ rule: 'ENCODING_INVALID' }),
    ],
    ['a field too few', 'id,age,cost\na,1,1\nb,2\n', whole({ rule: 'ROW_RAGGED', line: 3, seen: 'b,2' })],
    ['a field too many', 'id,age,cost\na,1,1\nb,2,2,2\n', whole({ rule: 'ROW_RAGGED', line: 3 })],
    ['a quote that is not closed', 'id,age,cost\na,1,1\n"b,2,2\n', whole({ rule: 'QUOTE_INVALID', line: 3 })],
    ['text after a quote', 'id,age,cost\n"a"x,1,1\n', whole({ rule: 'QUOTE_INVALID', line: 2 })],
    [
      'mixed line ends',
      'id,age,cost\r\na,1,1\nb,2,2\r\n',
      whole({ rule: 'LINE_ENDS_MIXED', seen: '1 LF, 2 CRLF, 0 CR' }),
    ],
    [
      'a line without end',
      `id,age,cost\na,1,${'1'.repeat(1_100_000)}\n`,
      whole({ rule: 'LINE_TOO_LONG', line: 2 }),
    ],
    ['bytes of anything', Uint8Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256), {}],
    [
      'a decimal comma',
      'id,age,cost\na,1,"2,5"\n',
      { rule: 'TYPE', column: 'cost', row: 1, line: 2, seen: '2,5' },
    ],
    [
      'a fraction as whole number',
      'id,age,cost\na,1.5,1\n',
      { rule: 'TYPE', column: 'age', row: 1, seen: '1.5' },
    ],
    [
      'a number of too many digits',
      'id,age,cost\na,9999999999999999999,1\n',
      { rule: 'TYPE', column: 'age' },
    ],
    [
      'a number out of a double’s range',
      'id,age,cost\na,1,1e999\n',
      { rule: 'TYPE', column: 'cost', seen: '1e999' },
    ],
    ['NaN', 'id,age,cost\na,1,nan\n', { rule: 'TYPE', column: 'cost', seen: 'nan' }],
    ['spaces around a number', 'id,age,cost\na, 1,1\n', { rule: 'TYPE', column: 'age', seen: ' 1' }],
    [
      'a missing value',
      'id,age,cost\na,1,1\nb,,1\n',
      { rule: 'VALUE_MISSING', column: 'age', row: 2, line: 3, seen: null },
    ],
    ['a missing unit', 'id,age,cost\n,1,1\n', { rule: 'UNIT_MISSING', column: 'id', row: 1, line: 2 }],
    [
      'a value under its bound',
      'id,age,cost\na,-1,1\n',
      { rule: 'BELOW_MINIMUM', column: 'age', seen: '-1', expected: 'at least 0' },
    ],
    [
      'a value over its bound',
      'id,age,cost\na,121,1\n',
      { rule: 'ABOVE_MAXIMUM', column: 'age', seen: '121', expected: 'at most 120' },
    ],
  ]
  it.each(faults)('finds %s', async (_name, text, finding) => {
    const report = await profile(text)
    expect(report.findingCount).toBeGreaterThan(0)
    expect(report.findings).toContainEqual(expect.objectContaining(finding))
  })

  const forms: [type: ColumnRules[string]['type'], good: string[], bad: string[]][] = [
    [
      'int',
      ['0', '-1', '+7', '9223372036854775807'],
      ['1.0', '1e3', '0x1', '1_000', '９', '9223372036854775808'],
    ],
    ['double', ['0', '.5', '5.', '-1e-3'], ['1,5', 'inf', 'NaN', '1e', '0x1']],
    ['bool', ['true', 'FALSE', '0', '1'], ['yes', 't', '2', 'wahr']],
    [
      'date',
      ['2024-02-29', '0001-01-01'],
      ['2023-02-29', '29.02.2024', '2024/02/29', '2024-2-9', 'infinity', '2024-02-29 00:00:00'],
    ],
    [
      'timestamp',
      ['2024-02-29 10:00', '2024-02-29T10:00:00.5Z'],
      ['2024-02-29', '10:00', '2024-02-29 25:00:00', '2024-02-29 10:00:00+02'],
    ],
  ]
  it.each(forms)('takes no %s that has to be guessed', async (type, fine, wrong) => {
    const columns: ColumnRules = { id: { type: 'string' }, v: { type } }
    const text = `id,v\n${[...fine, ...wrong].map((value, index) => `${index},"${value}"\n`).join('')}`
    const report = await profile(text, { maximumFindings: 100 }, columns)
    expect(report.findings.map(({ rule, seen }) => [rule, seen])).toEqual(
      wrong.map((value) => ['TYPE', value]),
    )
    expect(report.findings.map(({ line }) => line)).toEqual(wrong.map((_, index) => fine.length + index + 2))
  })

  it('lists the first findings, counts all, and names lines through blank, broken and many-lined rows', async () => {
    const text = 'id,age,cost\n\na,1,1\n"b\nb",200,1\nshort,1\nc,300,1\nd,400,x\n'
    const report = await profile(text, { maximumFindings: 2 })
    expect(report.findingCount).toBe(5)
    const where = report.findings.map(({ rule, row, line }) => [rule, row, line])
    expect(where).toContainEqual(['ABOVE_MAXIMUM', 2, 4])
    expect(where).toContainEqual(['ABOVE_MAXIMUM', 3, 7])
    expect(where).toContainEqual(['TYPE', 4, 8])
    expect(where.filter(([rule]) => rule === 'ABOVE_MAXIMUM')).toHaveLength(2)
  })

  it('refuses more rows than allowed', async () => {
    expect((await profile(good, { maximumRows: 2 })).findings[0]).toMatchObject({ rule: 'FILE_TOO_LARGE' })
  })

  it('gives a report or a code for any bytes', { timeout: 120_000 }, async () => {
    const pieces = [
      'id,age,cost',
      '\n',
      '\r\n',
      '\r',
      ',',
      '"',
      '""',
      'a',
      '1',
      '-',
      '.',
      ' ',
      '\0',
      '\ufeff',
      'é',
      '\u2028',
      '#',
      "'",
    ]
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .array(fc.constantFrom(...pieces), { maxLength: 60 })
        .map((all) => Buffer.from(`id,age,cost\n${all.join('')}`)),
    )
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        const outcome: unknown = await profile(bytes).catch((cause: unknown) => cause)
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(EngineError)
        else expect((outcome as ProfileReport).rows).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: slow ? 3000 : 100 },
    )
  })
})

describe('Engine.convertToParquet', () => {
  const groups = (): { name: string; columns: string[]; outputFd: number }[] => [
    { name: 'keys', columns: ['id'], outputFd: outputs[0].fd },
    { name: 'facts', columns: ['age', 'cost'], outputFd: outputs[1].fd },
  ]

  it('writes what profile found good, in the order of the file, and loads', async () => {
    await fill(input, good)
    expect(await engine.convertToParquet(input.fd, 'csv', rules, groups(), { unit: 'id' })).toBe(3)
    const parts = outputs.map((file) => bytesOf(file))
    await withEngine({ inputs: 2 }, async (reader) => {
      for (const [index, bytes] of parts.entries()) await fill(reader.inputs[index]!, bytes)
      const [keys, facts] = reader.inputs.map(({ fd }) => fd) as [number, number]
      const segments = [
        { fd: keys, columns: ['id'] },
        { fd: facts, columns: ['age', 'cost'] },
      ]
      await reader.load([{ name: 't', columns: rules, unit: 'id', parts: [{ owner: 'north', segments }] }])
      await reader.lock()
      const result = await reader.query(
        'select id, age, cost from t',
        {},
        { maxRows: 10, timeoutMilliseconds: 5000 },
      )
      expect(result.values).toEqual([
        ['a', 'a', 'b'],
        [1, 120, 0],
        [2.5, null, -1000],
      ])
    })
  })

  it('tells of its progress', async () => {
    await fill(input, good)
    const heard: number[] = []
    await engine.convertToParquet(input.fd, 'csv', rules, groups(), {
      unit: 'id',
      onProgress: (percent) => heard.push(percent),
    })
    expect(heard.at(-1)).toBe(100)
  })

  const bad: [name: string, text: string, code: string][] = [
    ['a misfit', good.replace('120', '1.5'), 'INPUT_INVALID'],
    ['a value out of bounds', good.replace('120', '121'), 'INPUT_INVALID'],
    ['a missing value', good.replace('120', ''), 'INPUT_INVALID'],
    ['a missing unit', good.replace('b,', ','), 'INPUT_INVALID'],
    ['a ragged row', `${good}c,1\n`, 'INPUT_INVALID'],
    ['a wrong header', good.replace('age', 'Age'), 'SCHEMA_MISMATCH'],
    ['nothing', '', 'SCHEMA_MISMATCH'],
  ]
  it.each(bad)('writes nothing that breaks a rule: %s', async (_name, text, code) => {
    await fill(input, text)
    const options = { unit: 'id' }
    await expect(engine.convertToParquet(input.fd, 'csv', rules, groups(), options)).rejects.toMatchObject({
      code,
    })
  })

  it(
    'agrees with profile about any synthetic table, through CSV and Parquet',
    { timeout: 60_000 },
    async () => {
      const columns: ColumnRules = {
        ...rules,
        day: { type: 'date' },
        at: { type: 'timestamp', nullable: true },
        ok: { type: 'bool' },
      }
      const table = syntheticTable(columns, { rows: 3000, unit: 'id', units: 70, seed: 11 })
      await fill(input, tableToCsv(table))
      const fromCsv = await engine.profileCsv(input.fd, columns, { unit: 'id' })
      expect(fromCsv).toMatchObject({ rows: 3000, findingCount: 0, unit: { distinct: 70 } })
      const all = [{ name: 'all', columns: Object.keys(columns), outputFd: outputs[0].fd }]
      expect(await engine.convertToParquet(input.fd, 'csv', columns, all, { unit: 'id' })).toBe(3000)
      await fill(input, bytesOf(outputs[0]))
      expect(await engine.profileParquet(input.fd, columns, { unit: 'id' })).toEqual(fromCsv)
    },
  )
})

describe('Engine.profileParquet', () => {
  it('finds columns of another type, values out of bounds with their row, and what is not Parquet', async () => {
    const writer = await startWriter()
    const wrong: ColumnRules = { id: { type: 'string' }, age: { type: 'double' }, cost: { type: 'double' } }
    await fill(input, await writer.write(tableOf(wrong, { id: ['a'], age: [1.5], cost: [1] })))
    const typed = await engine.profileParquet(input.fd, rules, { unit: 'id' })
    expect(typed.findings).toEqual([
      expect.objectContaining({ rule: 'TYPE', column: 'age', seen: 'a column of type DOUBLE' }),
    ])
    await fill(input, await writer.write(tableOf(rules, { id: ['a', 'b'], age: [1, 500], cost: [1, null] })))
    const bounded = await engine.profileParquet(input.fd, rules, { unit: 'id' })
    expect(bounded.findings).toEqual([
      expect.objectContaining({ rule: 'ABOVE_MAXIMUM', row: 2, line: null, seen: '500' }),
    ])
    await fill(input, 'PAR1 and nothing else PAR1')
    expect((await engine.profileParquet(input.fd, rules)).findings[0]).toMatchObject({
      rule: 'FILE_UNREADABLE',
    })
    await writer.close()
  })

  const labs = fileURLToPath(new URL('../../../../shared/data/nafld/labs.parquet', import.meta.url))
  it('reads real laboratory values', async ({ skip }) => {
    if (!existsSync(labs)) skip('1 case not run: the study is not there')
    const fd = openSync(labs, 'r')
    const columns: ColumnRules = {
      id: { type: 'int' },
      days: { type: 'int' },
      test: { type: 'string' },
      value: { type: 'double' },
    }
    const report = await withEngine({ descriptors: [{ fd, access: 'read' }] }, (own) =>
      own.profileParquet(fd, columns, { unit: 'id' }),
    )
    closeSync(fd)
    expect(report).toMatchObject({ rows: 400_123, unit: { distinct: 15_666 }, findingCount: 0 })
  })
})
