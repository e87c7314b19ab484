/** Whatever a taken-over child sends as a syntax tree: a form or a QueryError comes out, and generated SQL always runs. */
import fc from 'fast-check'
import { slow } from '#libs/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { EngineFixture } from './engine-fixture.node.js'
import { QueryError } from './errors.js'
import { exampleTables } from './example-tables.js'
import { generateSql } from './generate.js'
import { translateQuery } from './translate.js'

const runs = slow ? 20_000 : 1_500

const seeds = [
  "with e as (select patient_id, bool_or(urgent) as u from visits group by patient_id) select case when v.age < 18 then 'a' else 'b' end as band, u, count(*) as n, avg(stay) filter (where cost > 3) as s from visits v join e using (patient_id) where v.age between 3 and 90 and region in ('x', 'y') group by all having n > 3 order by 1, n desc nulls first limit 5 offset 1",
  "select ward, round(avg(days), 1) as d from (select ward, days from stays union all select plan, member_no from claims) t where ward like 'a%' group by 1",
  "select date_trunc('month', seen) as m, sum(cost / stay) from visits left join claims on patient_id = insured_id where try_cast(region as int) is not null or day > '2025-01-01' group by 1",
]

const garbage: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  'visits',
  'name',
  'iban',
  'count_star',
  'error',
  'read_csv',
  "'; drop table visits; --",
  '"',
  'SUBQUERY',
  'WINDOW',
  'COLUMN_REF',
  'FUNCTION',
  'STAR',
  'SELECT_NODE',
  'BASE_TABLE',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\ud800',
  [],
  {},
  [[]],
  [{}],
  { class: 'STAR', type: 'STAR' },
  ['name'],
  ['visits', 'name'],
]

/** All places of a tree, as paths. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries = Array.isArray(value)
    ? value.map((item, at): [number, unknown] => [at, item])
    : Object.entries(value)
  return [path, ...entries.flatMap(([key, item]) => places(item, [...path, key]))]
}

type Branch = Record<string | number, unknown>

function at(tree: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value: unknown, key) => (value as Branch)[key], tree)
}

let engine: EngineFixture
const trees: unknown[] = []
beforeAll(async () => {
  engine = await EngineFixture.start()
  await engine.load(exampleTables, {})
  for (const seed of seeds) trees.push(await engine.parse(seed))
})

describe('translateQuery, fuzzed', () => {
  it('answers a mutated tree with a form whose SQL runs, or with a QueryError', async () => {
    let [accepted, refused] = [0, 0]
    const mutation = fc.record({
      seed: fc.nat(seeds.length - 1),
      steps: fc.array(
        fc.record({ place: fc.nat(), other: fc.nat(), what: fc.nat(garbage.length - 1), kind: fc.nat(4) }),
        { minLength: 1, maxLength: 3 },
      ),
    })
    await fc.assert(
      fc.asyncProperty(mutation, async ({ seed, steps }) => {
        const tree = structuredClone(trees[seed])
        for (const { place, other, what, kind } of steps) {
          const all = places(tree).filter((path) => path.length > 0)
          // Earlier steps may have taken everything away.
          if (all.length === 0) break
          const path = all[place % all.length]!
          const parent = at(tree, path.slice(0, -1)) as Branch
          const key = path[path.length - 1]!
          if (kind === 0) parent[key] = structuredClone(garbage[what])
          else if (kind === 1 && Array.isArray(parent)) parent.splice(Number(key), 1)
          else if (kind === 1) Reflect.deleteProperty(parent, key)
          else if (kind === 2) parent[key] = structuredClone(at(tree, all[other % all.length]!))
          else if (kind === 3) parent[`extra_${what}`] = structuredClone(garbage[what])
          else if (typeof parent[key] === 'number') parent[key] = what
        }
        try {
          const query = translateQuery(tree, { tables: exampleTables })
          const { sql } = generateSql(query, { minimumGroupSize: 3 })
          accepted++
          // Text of a party stands in it only as a literal or a label: no statement ends, no comment begins outside of quotes.
          expect(unquoted(sql)).not.toMatch(/;|--|\/\*/)
          await engine.rows(sql)
        } catch (error) {
          if (!(error instanceof QueryError)) throw error
          refused++
        }
      }),
      { numRuns: runs },
    )
    expect(accepted).toBeGreaterThan(0)
    expect(refused).toBeGreaterThan(0)
  })

  it('answers anything at all with a QueryError', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 6 }), (value) => {
        expect(() => translateQuery(value, { tables: exampleTables })).toThrow(QueryError)
      }),
      { numRuns: runs },
    )
  })

  it('answers a tree of great depth and one of great width within its bounds', async () => {
    const deep = (await engine.parse('select count(*) from visits where urgent')) as {
      statements: { node: Record<string, unknown> }[]
    }
    let condition: unknown = deep.statements[0]!.node['where_clause']
    for (let level = 0; level < 100_000; level++)
      condition = { class: 'OPERATOR', type: 'OPERATOR_NOT', children: [condition] }
    deep.statements[0]!.node['where_clause'] = condition
    expect(() => translateQuery(deep, { tables: exampleTables })).toThrow(
      expect.objectContaining({ code: 'QUERY_TOO_LARGE' }),
    )
    deep.statements[0]!.node['where_clause'] = undefined
    deep.statements[0]!.node['select_list'] = [condition]
    expect(() => translateQuery(deep, { tables: exampleTables })).toThrow(QueryError)
  })

  it('writes literals and labels so that the engine reads back what was meant', async () => {
    await engine.load(exampleTables, {
      visits: [
        {
          patient_id: 'a',
          age: 3,
          day: '2025-01-01',
          seen: '2025-01-01 00:00:00',
          score: 1,
          urgent: true,
          name: 'n',
        },
      ],
    })
    const text = fc
      .string({ unit: 'grapheme', minLength: 0, maxLength: 30 })
      .filter((value) => !value.includes('\0'))
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.maxSafeInteger(),
        async (value, double, int) => {
          const parameters = {
            s: { type: 'string', value },
            d: { type: 'double', value: double },
            i: { type: 'int', value: int },
          } as const
          const tree = await engine.parse(
            'select $s as s, $d as d, $i as i, count(*) as "Fälle; --"" x" from visits',
          )
          const query = translateQuery(tree, {
            tables: exampleTables,
            parameters: { s: { type: 'string' }, d: { type: 'double' }, i: { type: 'int' } },
          })
          const [row] = await engine.rows(generateSql(query, { minimumGroupSize: 1, parameters }).sql)
          expect(row?.slice(0, 4)).toEqual([value, double === 0 ? 0 : double, int, 1])
        },
      ),
      { numRuns: runs / 10 },
    )
  })
})

function unquoted(sql: string): string {
  return sql.replace(/'(?:[^']|'')*'/g, '').replace(/"(?:[^"]|"")*"/g, '')
}
