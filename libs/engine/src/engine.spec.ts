import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slow } from '#libs/testing'
import {
  bytesOf,
  fill,
  startWriter,
  tableOf,
  warmEngine,
  type LoadForTest,
  type ParquetWriter,
} from './engine-for-test.node.js'
import { startEngine, withEngine, type Engine } from './engine.node.js'
import { EngineError } from './errors.js'
import { syntheticTable } from './synthetic.js'
import type { ColumnRules, Parameter, Table } from './tables.js'
import { createMemoryFile } from './unlinked-file.node.js'

const caps = { maxRows: 1000, timeoutMilliseconds: 10_000 }
const rules: ColumnRules = {
  id: { type: 'string' },
  age: { type: 'int', min: 0, max: 120 },
  cost: { type: 'double', nullable: true, min: 0 },
  died: { type: 'bool' },
  day: { type: 'date', min: '2020-01-01' },
  at: { type: 'timestamp' },
}
const rows = {
  id: ['MARKER-a', 'MARKER-b', 'MARKER-c'],
  age: [1, 50, 120],
  cost: [0, null, 12.25],
  died: [true, false, false],
  day: ['2020-01-01', '2024-02-29', '2025-01-31'],
  at: ['2025-01-31 00:00:00', '1969-12-31 23:59:59.999999', '2025-01-31 00:00:00.500000'],
}
const all = tableOf(rules, rows)
const pick = (
  names: readonly string[],
  changed: Partial<Record<string, Table['values'][number]>> = {},
): Table =>
  tableOf(Object.fromEntries(names.map((name) => [name, rules[name]!])), {
    ...rows,
    ...changed,
  })

let whole: Uint8Array, keys: Uint8Array, facts: Uint8Array
const names = Object.keys(rules)
const [keyNames, factNames] = [
  ['id', 'died'],
  ['age', 'cost', 'day', 'at'],
]

let writer: ParquetWriter

beforeAll(async () => {
  writer = await startWriter()
  whole = await writer.write(all)
  keys = await writer.write(pick(keyNames))
  facts = await writer.write(pick(factNames))
})
afterAll(async () => {
  await writer.close()
})

const north = (bytes: Uint8Array, columns: readonly string[] = names) => ({
  owner: 'north',
  segments: [{ bytes, columns }],
})
const base = (): LoadForTest => ({ name: 'stays', columns: rules, unit: 'id', parts: [north(whole)] })

async function loaded<T>(tables: readonly LoadForTest[], use: (engine: Engine) => Promise<T>): Promise<T> {
  const { engine, tables: loads } = await warmEngine(tables)
  try {
    await engine.load(loads)
    await engine.lock()
    return await use(engine)
  } finally {
    await engine.close()
  }
}

describe('Engine', () => {
  it('gives back every type of value as it was written', async () => {
    const result = await loaded([base()], (engine) =>
      engine.query('select * exclude (__owner) from stays', {}, caps),
    )
    expect(result).toEqual(all)
  })

  it('joins column groups by position and puts the rows of several owners under each other', async () => {
    const split = {
      owner: "o'south",
      segments: [
        { bytes: keys, columns: keyNames },
        { bytes: facts, columns: factNames },
      ],
    }
    const table = { ...base(), parts: [north(whole), split] }
    const result = await loaded([table], (engine) =>
      engine.query('select __owner, id, age, died from stays order by __owner desc, age', {}, caps),
    )
    expect(result.values).toEqual([
      ["o'south", "o'south", "o'south", 'north', 'north', 'north'],
      [...rows.id, ...rows.id],
      [...rows.age, ...rows.age],
      [...rows.died, ...rows.died],
    ])
  })

  it('joins long column groups by position too, where several threads read them', async () => {
    const wide: ColumnRules = {
      id: { type: 'string' },
      n: { type: 'int' },
      x: { type: 'double', nullable: true },
    }
    const made = syntheticTable(wide, { rows: 450_001, unit: 'id', units: 1000, seed: 3 })
    const column = (name: string): Table => {
      const index = made.columns.findIndex((candidate) => candidate.name === name)
      return { columns: [made.columns[index]!], rows: made.rows, values: [made.values[index]!] }
    }
    const one = await writer.write(made)
    const [id, n, x] = [
      await writer.write(column('id')),
      await writer.write(column('n')),
      await writer.write(column('x')),
    ]
    const tables = [
      { name: 'one', columns: wide, unit: 'id', parts: [north(one, ['id', 'n', 'x'])] },
      {
        ...{ name: 'three', columns: wide, unit: 'id' },
        parts: [
          {
            owner: 'north',
            segments: [
              { bytes: x, columns: ['x'] },
              { bytes: id, columns: ['id'] },
              { bytes: n, columns: ['n'] },
            ],
          },
        ],
      },
    ]
    const queries = (table: string): string[] => [
      `select count(*) as c, sum(n) as n, count(x) as x, count(distinct id) as u from ${table}`,
      `select id, count(*) as c, sum(n * (x > 50)::int) as s, max(x) as m from ${table} where n > 40 group by id order by id limit 500`,
      `select count(*) as c from ${table} where x < 1 and id = 'u000007'`,
      `select bit_xor(hash(id, n, x)) % 1000000007 as h, sum(hash(id, n) % 1000003) as i from ${table}`,
      `select a.c, count(*) as n from ${table} join (select id as c from ${table} where n = 99 group by id) a on a.c = id group by all order by 1 limit 50`,
    ]
    await loaded(tables, async (engine) => {
      for (const [index, sql] of queries('three').entries())
        expect(await engine.query(sql, {}, caps)).toEqual(
          await engine.query(queries('one')[index]!, {}, caps),
        )
    })
  })

  it('binds parameters of every type and never puts them into text', async () => {
    await loaded([base()], async (engine) => {
      const parameters = {
        ...{
          id: { type: 'string' as const, value: "x' or '1'='1" },
          age: { type: 'int' as const, value: '9223372036854775807' },
        },
        ...{ cost: { type: 'double' as const, value: 12.25 }, died: { type: 'bool' as const, value: false } },
        ...{
          day: { type: 'date' as const, value: '2024-02-29' },
          at: { type: 'timestamp' as const, value: '1969-12-31 23:59:59.999999' },
        },
      } satisfies Readonly<Record<string, Parameter>>
      const counts = Object.keys(parameters).map(
        (name) => `count(*) filter ("${name}" = $${name}) as "${name}"`,
      )
      const result = await engine.query(`select ${counts.join(', ')} from stays`, parameters, caps)
      expect(result.values).toEqual([[0], [0], [1], [2], [1], [1]])
      const bad = { age: { type: 'int' as const, value: '9223372036854775808' } } as const
      await expect(engine.query('select $age as a', bad, caps)).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
      await expect(engine.query('select $age as a', {}, caps)).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
    })
  })

  it('reads only the columns that the table names', async () => {
    const columns = { id: rules['id']!, age: rules['age']! }
    const result = await loaded([{ ...base(), columns }], (engine) =>
      engine.query('select * from stays', {}, caps),
    )
    expect(result.columns.map(({ name }) => name)).toEqual(['id', 'age', '__owner'])
  })

  it('goes one way: load once, lock, query', async () => {
    const { engine, tables } = await warmEngine([base()])
    await expect(engine.query('select 1', {}, caps)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await engine.load(tables)
    await expect(engine.load(tables)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(engine.query('select 1', {}, caps)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await engine.lock()
    await expect(engine.lock()).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(engine.load(tables)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(engine.profileParquet(engine.inputs[0]!.fd, rules)).rejects.toMatchObject({
      code: 'STATE_INVALID',
    })
    expect((await engine.query('select count(*) as n from stays', {}, caps)).values).toEqual([[3]])
    await engine.close()
    await expect(engine.parse('select 1')).rejects.toMatchObject({ code: 'CHILD_DIED' })
  })
})

describe('Engine.load', () => {
  const missingUnit = (): Table => pick(names, { id: [null, 'b', 'c'] })
  const refusals: [name: string, code: string, place: object, table: () => Promise<LoadForTest>][] = [
    ['a missing unit', 'UNIT_MISSING', { column: 'id' }, () => changed(missingUnit())],
    [
      'a value missing where none may be',
      'VALUE_MISSING',
      { column: 'age' },
      () => changed(pick(names, { age: [1, null, 3] })),
    ],
    [
      'a value under its bound',
      'BOUNDS_VIOLATED',
      { column: 'age' },
      () => changed(pick(names, { age: [-1, 2, 3] })),
    ],
    [
      'a value over its bound',
      'BOUNDS_VIOLATED',
      { column: 'age' },
      () => changed(pick(names, { age: [1, 2, 121] })),
    ],
    [
      'a date before its bound',
      'BOUNDS_VIOLATED',
      { column: 'day' },
      () => changed(pick(names, { day: ['2019-12-31', '2024-01-01', '2024-01-01'] })),
    ],
    ['a column of another type', 'SCHEMA_MISMATCH', { column: 'age' }, () => retyped('age', 'double')],
    [
      'a text column that holds numbers',
      'SCHEMA_MISMATCH',
      { column: 'id' },
      () => retyped('died', 'string', 'id'),
    ],
    [
      'a column of another name',
      'SCHEMA_MISMATCH',
      {},
      () => Promise.resolve({ ...base(), parts: [north(whole, ['id', 'Age', ...names.slice(2)])] }),
    ],
    [
      'columns in another order',
      'SCHEMA_MISMATCH',
      {},
      () => Promise.resolve({ ...base(), parts: [north(whole, [...names].reverse())] }),
    ],
    [
      'a column too many',
      'SCHEMA_MISMATCH',
      {},
      () => Promise.resolve({ ...base(), parts: [north(whole, names.slice(0, -1))] }),
    ],
    [
      'a column that no segment has',
      'SCHEMA_MISMATCH',
      { column: 'ward' },
      () => Promise.resolve({ ...base(), columns: { ...rules, ward: { type: 'string' } } }),
    ],
    [
      'a column that two segments have',
      'SCHEMA_MISMATCH',
      { column: 'id' },
      () =>
        Promise.resolve({
          ...base(),
          parts: [
            {
              owner: 'north',
              segments: [
                { bytes: whole, columns: names },
                { bytes: keys, columns: keyNames },
              ],
            },
          ],
        }),
    ],
    ['segments of different length', 'SCHEMA_MISMATCH', {}, unequal],
    [
      'what is not Parquet',
      'INPUT_INVALID',
      {},
      () => Promise.resolve({ ...base(), parts: [north(Buffer.from('id,age\n1,2\n'))] }),
    ],
    ['nothing', 'INPUT_INVALID', {}, () => Promise.resolve({ ...base(), parts: [north(new Uint8Array())] })],
    [
      'a file cut short',
      'INPUT_INVALID',
      {},
      () => Promise.resolve({ ...base(), parts: [north(whole.subarray(0, -9))] }),
    ],
  ]

  async function changed(table: Table): Promise<LoadForTest> {
    return { ...base(), parts: [north(await writer.write(table))] }
  }

  async function retyped(from: string, type: 'double' | 'string', as = from): Promise<LoadForTest> {
    const index = names.indexOf(as)
    const source = names.indexOf(from)
    const table = structuredClone(all) as unknown as {
      columns: { name: string; type: string }[]
      values: unknown[][]
    }
    table.columns[index] = { name: as, type: type === 'double' ? 'double' : 'bool' }
    table.values[index] = [...all.values[source]!]
    return changed(table as unknown as Table)
  }

  async function unequal(): Promise<LoadForTest> {
    const short = pick(factNames)
    const bytes = await writer.write({
      ...short,
      rows: 2,
      values: short.values.map((column) => column.slice(0, 2)),
    })
    return {
      ...base(),
      parts: [
        {
          owner: 'north',
          segments: [
            { bytes: keys, columns: keyNames },
            { bytes, columns: factNames },
          ],
        },
      ],
    }
  }

  it.each(refusals)('refuses %s, naming where and never the value', async (_name, code, place, table) => {
    const { engine, tables } = await warmEngine([await table()])
    const error: unknown = await engine.load(tables).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code, place: { table: 'stays', owner: 'north', ...place } })
    expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/MARKER|121|2019/)
    await expect(engine.load(tables)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await engine.close()
  })

  it('refuses descriptors that were not handed in, and tables without unit', async () => {
    await withEngine({}, async (engine) => {
      const table = { ...base(), parts: [{ owner: 'north', segments: [{ fd: 0, columns: names }] }] }
      await expect(engine.load([table])).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
      await expect(engine.load([{ ...table, parts: [] }])).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
      await expect(engine.load([{ ...table, unit: 'ward' }])).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
    })
  })

  it('ends in a code for damaged files, whichever byte is damaged', { timeout: 120_000 }, async () => {
    const flip = fc.record({ at: fc.nat(whole.length - 1), bit: fc.integer({ min: 1, max: 255 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(flip, { minLength: 1, maxLength: 3 }), async (flips) => {
        const bytes = Uint8Array.from(whole)
        for (const { at, bit } of flips) bytes[at]! ^= bit
        const { engine, tables } = await warmEngine([{ ...base(), parts: [north(bytes)] }])
        try {
          await engine.load(tables)
        } catch (cause) {
          expect(cause).toBeInstanceOf(EngineError)
          expect((cause as Error).message).not.toContain('MARKER')
        } finally {
          await engine.close()
        }
      }),
      { numRuns: slow ? 200 : 8 },
    )
  })
})

describe('Engine.query', () => {
  const failing: [name: string, sql: string, code: string][] = [
    ['a cast that fails', 'select id::bigint as n from stays', 'QUERY_FAILED'],
    ['a date that does not parse', `select strptime(id, '%Y') as d from stays`, 'QUERY_FAILED'],
    ['an overflow', 'select sum(age * 9223372036854775807) as s from stays', 'QUERY_FAILED'],
    ['an unknown column', 'select "MARKER" from stays', 'QUERY_FAILED'],
    ['text that is no SQL', `select 'MARKER from stays`, 'QUERY_FAILED'],
    ['error()', 'select error(id) as e from stays', 'QUERY_REFUSED'],
    ['a struct', 'select {a: id} as s from stays', 'RESULT_TYPE_UNSUPPORTED'],
    ['more rows than allowed', 'select a.id from stays a, stays b, stays c', 'RESULT_TOO_LARGE'],
  ]

  it('turns every failure into a code that holds nothing of the data', async () => {
    await loaded([base()], async (engine) => {
      for (const [name, sql, code] of failing) {
        const error: unknown = await engine
          .query(sql, {}, { ...caps, maxRows: 5 })
          .catch((cause: unknown) => cause)
        expect([name, error]).toEqual([name, expect.objectContaining({ code })])
        expect(
          JSON.stringify([error, (error as Error).message, String((error as Error).cause)]),
        ).not.toContain('MARKER')
      }
      const wide = { ...caps, maxBytes: 10 }
      await expect(engine.query('select id from stays', {}, wide)).rejects.toMatchObject({
        code: 'RESULT_TOO_LARGE',
      })
      expect((await engine.query('select count(*) as n from stays', {}, caps)).values).toEqual([[3]])
    })
  })

  it('gives missing values for a division by zero and for what is not finite', async () => {
    await loaded([base()], async (engine) => {
      const sql = `select age / 0 as a, 'nan'::double as b, 'inf'::double as c, 0.1::decimal(9,1) as d, sum(age) over () as e from stays limit 1`
      expect((await engine.query(sql, {}, caps)).values).toEqual([[null], [null], [null], [0.1], [171]])
    })
  })

  it('stops a query at its time, and a child that does not stop', async () => {
    await loaded([base()], async (engine) => {
      const crossed = Array.from({ length: 24 }, (_, index) => `stays s${index}`).join(', ')
      const slowQuery = `select count(*) as n from ${crossed} where ${Array.from({ length: 24 }, (_, index) => `s${index}.age`).join(' + ')} = -1`
      const started = performance.now()
      await expect(engine.query(slowQuery, {}, { ...caps, timeoutMilliseconds: 200 })).rejects.toMatchObject({
        code: 'TIMED_OUT',
      })
      expect(performance.now() - started).toBeLessThan(5000)
    })
  })

  it(
    'ends in a code where memory runs out, counted by the database or not',
    { timeout: 60_000 },
    async () => {
      const limits = { memoryBytes: 100_000_000 }
      const doubled = Array.from(
        { length: 30 },
        (_, n) => `t${n + 1} as (select s || s as s from t${n})`,
      ).join(', ')
      const crossed =
        'select count(distinct a.id || b.id || c.id || d.cost || e.age || f.age || g.age || h.id || i.id || j.id || k.at || l.at || m.at || n.at) as n from ' +
        'a b c d e f g h i j k l m n'
          .split(' ')
          .map((letter) => `stays ${letter}`)
          .join(', ')
      for (const sql of [
        `with t0 as (select id as s from stays), ${doubled} select length(s) as n from t30`,
        crossed,
      ]) {
        const { engine, tables } = await warmEngine([base()], { limits })
        await engine.load(tables)
        await engine.lock()
        const error: unknown = await engine
          .query(sql, {}, { ...caps, timeoutMilliseconds: 30_000 })
          .catch((cause: unknown) => cause)
        expect(['OUT_OF_MEMORY', 'CHILD_DIED']).toContain((error as EngineError).code)
        await engine.close()
      }
    },
  )

  it('fails what waits where the child is killed, and says so', async () => {
    const { engine, tables } = await warmEngine([base()])
    await engine.load(tables)
    const waiting = engine.lock()
    engine.kill()
    await expect(waiting).rejects.toMatchObject({ code: 'CHILD_DIED' })
    await engine.close()
  })

  it('answers many at once, each with its own', async () => {
    await loaded([base()], async (engine) => {
      const asked = Array.from({ length: 20 }, (_, index) => index)
      const answers = await Promise.all(
        asked.map((n) =>
          engine.query('select $n::bigint as n', { n: { type: 'int' as const, value: n } }, caps),
        ),
      )
      expect(answers.map(({ values }) => values[0]![0])).toEqual(asked)
    })
  })
})

describe('Engine.parse', () => {
  it('tells what is wrong with a text, and where', async () => {
    await withEngine({}, async (engine) => {
      await expect(engine.parse('select from from')).rejects.toMatchObject({
        code: 'SYNTAX',
        place: { position: 12 },
      })
      await expect(engine.parse('drop table x')).rejects.toMatchObject({ code: 'NOT_A_SELECT' })
      await expect(engine.parse('x'.repeat(1_000_001))).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
      expect(await engine.parse('select 1; select 2')).toMatchObject({
        error: false,
        statements: { length: 2 },
      })
    })
  })

  it('gives a tree or a code for any text, and lives on', { timeout: 60_000 }, async () => {
    const words = [
      'select',
      'from',
      '(',
      ')',
      ',',
      "'",
      '"',
      '$',
      '1',
      'a',
      '*',
      'with',
      'case',
      'end',
      ';',
      '--',
      '/*',
      '\0',
      '\ud800',
      'é',
      '[',
      '{',
      '::',
    ]
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((all) => all.join(' ')),
    )
    await withEngine({}, async (engine) => {
      await fc.assert(
        fc.asyncProperty(text, async (sql) => {
          const outcome: unknown = await engine.parse(sql).catch((cause: unknown) => cause)
          if (outcome instanceof Error) {
            expect(outcome).toBeInstanceOf(EngineError)
            expect(['SYNTAX', 'NOT_A_SELECT', 'QUERY_TOO_LARGE']).toContain(
              (outcome as unknown as { code: string }).code,
            )
          } else expect(outcome).toMatchObject({ error: false })
        }),
        { numRuns: slow ? 5000 : 200 },
      )
    })
  })

  it.each([
    ['brackets', `select ${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
    ['subqueries', `${'select * from ('.repeat(5000)}select 1${')'.repeat(5000)}`],
    ['operators', `select ${'1+'.repeat(100_000)}1`],
    ['NOT', `select ${'not '.repeat(100_000)}true`],
  ])('ends in a code for a text nested too deep by %s', async (_name, sql) => {
    const engine = await startEngine()
    const error: unknown = await engine.parse(sql).catch((cause: unknown) => cause)
    expect(['SYNTAX', 'QUERY_TOO_LARGE', 'OUT_OF_MEMORY', 'CHILD_DIED']).toContain(
      (error as EngineError).code,
    )
    await engine.close()
  })
})

describe('Engine.tableToParquet', () => {
  it('replaces what the file held, and refuses values of another type', async () => {
    const file = createMemoryFile()
    await fill(file, 'x'.repeat(100_000))
    await withEngine({ descriptors: [{ fd: file.fd, access: 'write' }] }, async (engine) => {
      await engine.tableToParquet(all, file.fd)
      expect(Buffer.from(bytesOf(file)).subarray(-4).toString()).toBe('PAR1')
      expect(file.size()).toBeLessThan(10_000)
      const bad = {
        ...all,
        values: all.values.map((column, index) => (index === 1 ? ['x', 'y', 'z'] : column)),
      }
      await expect(engine.tableToParquet(bad, file.fd)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    })
    file.discard()
  })
})
