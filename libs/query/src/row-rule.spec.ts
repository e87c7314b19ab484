/**
 * The row rule against an oracle written by hand: random small tables, shapes of queries given twice, as SQL and as rows in
 * TypeScript; the oracle counts units by brute force, straight from the policy's sentence.
 */
import fc from 'fast-check'
import { slow } from '#libs/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Data, Value } from './engine-fixture.node.js'
import { EngineFixture } from './engine-fixture.node.js'
import { generateSql, unitCountPrefix } from './generate.js'
import type { QueryTable } from './table.js'
import { translateQuery } from './translate.js'

const runs = slow ? 400 : 24

const tables: readonly QueryTable[] = [
  {
    name: 'a',
    owners: ['one'],
    unit: 'p',
    columns: {
      p: { type: 'string', nullable: true, use: ['join'] },
      g: { type: 'string', nullable: true, use: ['dimension'] },
      x: { type: 'int', nullable: true, min: 0, max: 9, use: ['sum'] },
      y: { type: 'double', nullable: true, use: ['sum'] },
      z: { type: 'int', nullable: false, min: 0, max: 9, use: ['sum'] },
      c: { type: 'bool', nullable: true, use: ['filter'] },
    },
  },
  {
    name: 'b',
    owners: ['two'],
    unit: 'q',
    columns: {
      q: { type: 'string', nullable: true, use: ['join'] },
      h: { type: 'string', nullable: false, use: ['dimension'] },
      w: { type: 'int', nullable: true, min: 0, max: 9, use: ['sum'] },
    },
  },
  {
    name: 'm',
    owners: ['north', "o'south"],
    unit: 'u',
    columns: {
      u: { type: 'string', nullable: true, use: ['join'] },
      k: { type: 'string', nullable: false, use: ['dimension'] },
      v: { type: 'int', nullable: true, min: 0, max: 9, use: ['sum'] },
    },
  },
]

const person = fc.option(
  fc.integer({ min: 1, max: 9 }).map((n) => `p${n}`),
  { freq: 12 },
)
const digit = fc.option(fc.integer({ min: 0, max: 9 }), { freq: 4 })
const arbitraryData = fc.record({
  a: fc.array(
    fc.record({
      p: person,
      g: fc.option(fc.constantFrom('r', 's'), { freq: 6 }),
      x: digit,
      y: fc.option(fc.constantFrom(0.5, 1.25, 4), { freq: 5 }),
      z: fc.integer({ min: 0, max: 9 }),
      c: fc.option(fc.boolean(), { freq: 5 }),
    }),
    { maxLength: 40, size: 'max' },
  ),
  b: fc.array(fc.record({ q: person, h: fc.constantFrom('t', 'w'), w: digit }), {
    maxLength: 25,
    size: 'max',
  }),
  m: fc.array(
    fc.record({
      u: person,
      k: fc.constantFrom('i', 'j'),
      v: digit,
      __owner: fc.constantFrom('north', "o'south"),
    }),
    { maxLength: 40, size: 'max' },
  ),
})
type Tables = Readonly<Record<'a' | 'b' | 'm', Data>>

/** A row of the last block: the units of each read, and what expressions over it see. */
interface Row {
  readonly units: Readonly<Record<string, Value>>
  readonly cells: Readonly<Record<string, Value>>
}

interface Aggregate {
  readonly present: (cells: Row['cells']) => boolean
  readonly value: (rows: readonly Row['cells'][]) => Value
}

interface Shape {
  readonly sql: string
  readonly rows: (data: Tables) => readonly Row[]
  readonly keys: readonly string[]
  readonly aggregates: readonly Aggregate[]
  readonly having?: (outputs: readonly Value[]) => boolean
}

const isTrue = (value: Value | undefined): boolean => value === true
const countRows: Aggregate = { present: () => true, value: (rows) => rows.length }
const sumOf = (column: string, where?: (cells: Row['cells']) => boolean): Aggregate => ({
  present: (cells) => (cells[column] ?? null) !== null && (where?.(cells) ?? true),
  value: (rows) => (rows.length === 0 ? null : rows.reduce((sum, cells) => sum + Number(cells[column]), 0)),
})
const countOf = (column: string): Aggregate => ({ ...sumOf(column), value: (rows) => rows.length })
const countWhere = (where: (cells: Row['cells']) => boolean): Aggregate => ({
  present: where,
  value: (rows) => rows.length,
})
const distinctOf = (column: string): Aggregate => ({
  ...sumOf(column),
  value: (rows) => new Set(rows.map((cells) => cells[column])).size,
})

const rowsOfA = (data: Tables): Row[] => data.a.map((cells) => ({ units: { a: cells['p'] ?? null }, cells }))
const rowsOfM = (data: Tables): Row[] =>
  data.m.map((cells) => ({
    units: {
      north: cells['__owner'] === 'north' ? (cells['u'] ?? null) : null,
      south: cells['__owner'] === 'north' ? null : (cells['u'] ?? null),
    },
    cells,
  }))

function joined(data: Tables, kind: 'inner' | 'left' | 'right'): Row[] {
  const matches = data.a.flatMap((a) =>
    data.b
      .filter((b) => a['p'] !== null && a['p'] === b['q'])
      .map((b): Row => ({ units: { a: a['p'] ?? null, b: b['q'] ?? null }, cells: { ...a, ...b } })),
  )
  const lonelyLeft = data.a.filter((a) => a['p'] === null || !data.b.some((b) => a['p'] === b['q']))
  const lonelyRight = data.b.filter((b) => b['q'] === null || !data.a.some((a) => a['p'] === b['q']))
  if (kind === 'left')
    return [
      ...matches,
      ...lonelyLeft.map((a) => ({
        units: { a: a['p'] ?? null, b: null },
        cells: { ...a, q: null, h: null, w: null },
      })),
    ]
  if (kind === 'right')
    return [
      ...matches,
      ...lonelyRight.map((b) => ({
        units: { a: null, b: b['q'] ?? null },
        cells: { p: null, g: null, x: null, y: null, z: null, c: null, ...b },
      })),
    ]
  return matches
}

/** One row per unit: how many rows it has, its largest x, whether c is ever true. */
function reducedA(data: Tables): Row['cells'][] {
  return [...new Set(data.a.map((row) => row['p'] ?? null))].map((p) => {
    const rows = data.a.filter((row) => (row['p'] ?? null) === p)
    const xs = rows.flatMap((row) => (row['x'] === null ? [] : [Number(row['x'])]))
    const cs = rows.flatMap((row) => (row['c'] === null ? [] : [row['c'] === true]))
    return {
      p,
      n: rows.length,
      top: xs.length === 0 ? null : Math.max(...xs),
      ever: cs.length === 0 ? null : cs.includes(true),
    }
  })
}

const shapes: readonly Shape[] = [
  { sql: 'select g, count(*) as n from a group by g', rows: rowsOfA, keys: ['g'], aggregates: [countRows] },
  {
    sql: 'select count(*) as n, sum(x) as s from a',
    rows: rowsOfA,
    keys: [],
    aggregates: [countRows, sumOf('x')],
  },
  {
    sql: 'select g, sum(z) as s, count(*) as n from a group by g',
    rows: rowsOfA,
    keys: ['g'],
    aggregates: [sumOf('z'), countRows],
  },
  { sql: 'select g, sum(x) as s from a group by g', rows: rowsOfA, keys: ['g'], aggregates: [sumOf('x')] },
  {
    sql: 'select g, sum(x) as s, sum(y) as t from a group by g',
    rows: rowsOfA,
    keys: ['g'],
    aggregates: [sumOf('x'), sumOf('y')],
  },
  {
    sql: 'select g, sum(x) as s, sum(y) as t, count(*) as n, count(x) as k from a group by g',
    rows: rowsOfA,
    keys: ['g'],
    aggregates: [sumOf('x'), sumOf('y'), countRows, countOf('x')],
  },
  {
    sql: 'select g, count(*) as n, count(*) filter (where c) as k, sum(case when c then x end) as s from a group by g',
    rows: rowsOfA,
    keys: ['g'],
    aggregates: [
      countRows,
      countWhere((cells) => isTrue(cells['c'])),
      sumOf('x', (cells) => isTrue(cells['c'])),
    ],
  },
  {
    sql: 'select g, count(distinct p) as people, sum(x) as s from a where z > 2 group by g',
    rows: (data) => rowsOfA(data).filter(({ cells }) => Number(cells['z']) > 2),
    keys: ['g'],
    aggregates: [distinctOf('p'), sumOf('x')],
  },
  { sql: 'select distinct g, c from a', rows: rowsOfA, keys: ['g', 'c'], aggregates: [] },
  {
    sql: 'select g, count(*) as n, sum(x) as s from a where x is not null group by g having count(*) > 3',
    rows: (data) => rowsOfA(data).filter(({ cells }) => cells['x'] !== null),
    keys: ['g'],
    aggregates: [countRows, sumOf('x')],
    having: ([, n]) => Number(n) > 3,
  },
  {
    sql: 'select h, count(*) as n, sum(w) as s, sum(z) as t from a join b on p = q group by h',
    rows: (data) => joined(data, 'inner'),
    keys: ['h'],
    aggregates: [countRows, sumOf('w'), sumOf('z')],
  },
  {
    sql: 'select g, count(*) as n, sum(w) as s from a left join b on p = q group by g',
    rows: (data) => joined(data, 'left'),
    keys: ['g'],
    aggregates: [countRows, sumOf('w')],
  },
  {
    sql: 'select h, sum(z) as t, sum(w) as s from a right join b on a.p = b.q group by h',
    rows: (data) => joined(data, 'right'),
    keys: ['h'],
    aggregates: [sumOf('z'), sumOf('w')],
  },
  {
    sql: 'select k, count(*) as n, sum(v) as s from m group by k',
    rows: rowsOfM,
    keys: ['k'],
    aggregates: [countRows, sumOf('v')],
  },
  {
    sql: 'with t as (select p, count(*) as n, max(x) as top, bool_or(c) as ever from a group by p) select ever, count(*) as k, sum(top) as s, sum(n) as r from t group by ever',
    rows: (data) => reducedA(data).map((cells) => ({ units: { a: cells['p'] ?? null }, cells })),
    keys: ['ever'],
    aggregates: [countRows, sumOf('top'), sumOf('n')],
  },
  {
    sql: 'with t as (select p, max(x) as top, bool_or(c) as ever from a group by p) select h, sum(top) as s, count(*) as n from t join b on t.p = b.q group by h',
    rows: (data) =>
      reducedA(data).flatMap((t) =>
        data.b
          .filter((b) => t['p'] !== null && t['p'] === b['q'])
          .map((b) => ({ units: { a: t['p'] ?? null, b: b['q'] ?? null }, cells: { ...t, ...b } })),
      ),
    keys: ['h'],
    aggregates: [sumOf('top'), countRows],
  },
  {
    sql: 'with j as (select p, sum(w) as w, max(z) as z from a left join b on p = q group by p) select count(*) as n, sum(w) as s, sum(z) as t from j',
    rows: (data) => {
      const rows = joined(data, 'left')
      return [...new Set(rows.map(({ cells }) => cells['p'] ?? null))].map((p) => {
        const own = rows.filter(({ cells }) => (cells['p'] ?? null) === p)
        const ws = own.flatMap(({ cells }) => (cells['w'] === null ? [] : [Number(cells['w'])]))
        const b = own.map(({ units }) => units['b'] ?? null).find((unit) => unit !== null) ?? null
        return {
          units: { a: p, b },
          cells: {
            w: ws.length === 0 ? null : ws.reduce((x, y) => x + y, 0),
            z: Math.max(...own.map(({ cells }) => Number(cells['z']))),
          },
        }
      })
    },
    keys: [],
    aggregates: [countRows, sumOf('w'), sumOf('z')],
  },
  {
    sql: 'with t as (select u, sum(v) as v from m group by u) select count(*) as n, sum(v) as s from t',
    rows: (data) => {
      const rows = rowsOfM(data)
      return [...new Set(rows.map(({ cells }) => cells['u'] ?? null))].map((u) => {
        const own = rows.filter(({ cells }) => (cells['u'] ?? null) === u)
        const vs = own.flatMap(({ cells }) => (cells['v'] === null ? [] : [Number(cells['v'])]))
        const unit = (name: string): Value =>
          own.map(({ units }) => units[name] ?? null).find((one) => one !== null) ?? null
        return {
          units: { north: unit('north'), south: unit('south') },
          cells: { v: vs.length === 0 ? null : vs.reduce((x, y) => x + y, 0) },
        }
      })
    },
    keys: [],
    aggregates: [countRows, sumOf('v')],
  },
  {
    sql: 'select count(*) as n, sum(v) as s from (select g as k, x as v from a union all select k, v from m) t',
    rows: (data) => [
      ...data.a.map((row) => ({
        units: { a: row['p'] ?? null, north: null, south: null },
        cells: { k: row['g'] ?? null, v: row['x'] ?? null },
      })),
      ...rowsOfM(data).map(({ units, cells }) => ({ units: { a: null, ...units }, cells })),
    ],
    keys: [],
    aggregates: [countRows, sumOf('v')],
  },
]

/** The policy's sentence, word for word. */
function mayLeave(
  rows: readonly Row[],
  sources: readonly string[],
  aggregates: readonly Aggregate[],
  k: number,
): boolean {
  const unitsIn = (set: readonly Row[]): number[] =>
    sources.map(
      (source) => new Set(set.flatMap(({ units }) => (units[source] === null ? [] : [units[source]]))).size,
    )
  const enough = (set: readonly Row[]): boolean => {
    const counts = unitsIn(set)
    return counts.some((count) => count >= k) && counts.every((count) => count === 0 || count >= k)
  }
  if (!unitsIn(rows).every((count) => count >= k)) return false
  const behind = aggregates.map(({ present }) => rows.filter(({ cells }) => present(cells)))
  return behind.every(
    (set) =>
      enough(set) &&
      behind.every((other) => {
        const difference = set.filter((row) => !other.includes(row))
        return difference.length === 0 || enough(difference)
      }),
  )
}

const sourcesOf: Readonly<Record<string, readonly string[]>> = { a: ['a'], b: ['b'], m: ['north', 'south'] }

function oracle(shape: Shape, data: Tables, read: readonly string[], k: number | null): Value[][] {
  const groups = new Map<string, Row[]>()
  for (const row of shape.rows(data)) {
    const key = JSON.stringify(shape.keys.map((name) => row.cells[name] ?? null))
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  if (shape.keys.length === 0 && groups.size === 0) groups.set('[]', [])
  const sources = read.flatMap((table) => sourcesOf[table] ?? [])
  const released: Value[][] = []
  for (const [key, rows] of groups) {
    if (k !== null && !mayLeave(rows, sources, shape.aggregates, k)) continue
    const values = shape.aggregates.map(({ present, value }) =>
      value(rows.map(({ cells }) => cells).filter(present)),
    )
    const outputs = [...(JSON.parse(key) as Value[]), ...values]
    if (shape.having?.(outputs) !== false) released.push(outputs)
  }
  return released
}

const sorted = (rows: readonly (readonly Value[])[]): string[] =>
  rows.map((row) => JSON.stringify(row)).sort()

let engine: EngineFixture
beforeAll(async () => {
  engine = await EngineFixture.start()
})

describe('the row rule of minimumGroupSize', () => {
  it.each(shapes)('lets out exactly what an oracle lets out: $sql', async (shape) => {
    const query = translateQuery(await engine.parse(shape.sql), { tables })
    const read = [...new Set(query.units.map(({ table }) => table))]
    let [released, withheld] = [0, 0]
    await fc.assert(
      fc.asyncProperty(arbitraryData, fc.integer({ min: 1, max: 6 }), async (data, k) => {
        await engine.load(tables, data)
        const { sql, outputs } = generateSql(query, { minimumGroupSize: k })
        const rows = await engine.rows(sql)
        expect(sorted(rows.map((row) => row.slice(0, outputs.length)))).toEqual(
          sorted(oracle(shape, data, read, k)),
        )
        for (const row of rows)
          for (const count of row.slice(outputs.length)) expect(count).toBeGreaterThanOrEqual(k)
        const all = await engine.rows(generateSql(query, { minimumGroupSize: null }).sql)
        expect(sorted(all)).toEqual(sorted(oracle(shape, data, read, null)))
        released += rows.length
        withheld += all.length - rows.length
      }),
      { numRuns: runs, ...(slow ? {} : { seed: 20261101 }) },
    )
    // A test in which everything or nothing leaves would prove nothing.
    expect(released).toBeGreaterThan(0)
    expect(withheld).toBeGreaterThan(0)
  })

  it('does not depend on the order of rows, and gives rows sorted', async () => {
    const shape = shapes[10]!
    const query = translateQuery(await engine.parse(shape.sql), { tables })
    const { sql } = generateSql(query, { minimumGroupSize: 2 })
    await fc.assert(
      fc.asyncProperty(arbitraryData, fc.infiniteStream(fc.nat()), async (data, random) => {
        await engine.load(tables, data)
        const before = await engine.rows(sql)
        const shuffled = data.a
          .map((row) => ({ row, at: Number(random.next().value) }))
          .sort((x, y) => x.at - y.at)
        await engine.load(tables, { ...data, a: shuffled.map(({ row }) => row), b: [...data.b].reverse() })
        expect(await engine.rows(sql)).toEqual(before)
      }),
      { numRuns: runs / 4 },
    )
  })

  it('decides as exactly with several words, and with none, as with one', async () => {
    const query = translateQuery(
      await engine.parse('select g, count(*) as n, sum(x) as s from a group by g'),
      { tables },
    )
    const data = Array.from({ length: 4000 }, (_, at) => ({
      p: `p${at % 1800}`,
      g: `g${at % 7}`,
      x: at % 3 === 0 ? null : 1,
      y: null,
      z: 1,
      c: null,
    }))
    await engine.load(tables, { a: data, b: [], m: [] })
    for (const k of [1, 40, 41, 170, 171, 172, 250, 257, 258, 320, 321]) {
      const { sql } = generateSql(query, { minimumGroupSize: k })
      const rows = await engine.rows(sql)
      const expected = oracle({ ...shapes[1]!, keys: ['g'] }, { a: data, b: [], m: [] }, ['a'], k)
      expect(sorted(rows.map((row) => row.slice(0, 3))), `k = ${k}`).toEqual(sorted(expected))
    }
  })

  it('names a hidden count for every owner of every read', async () => {
    const query = translateQuery(
      await engine.parse('select k, count(*) as n from m join b on u = q group by k'),
      { tables },
    )
    const { unitCounts } = generateSql(query, { minimumGroupSize: 3 })
    expect(unitCounts).toEqual([
      { column: `${unitCountPrefix}0`, table: 'm', owner: 'north', read: 0 },
      { column: `${unitCountPrefix}1`, table: 'm', owner: "o'south", read: 0 },
      { column: `${unitCountPrefix}2`, table: 'b', owner: 'two', read: 1 },
    ])
  })
})
