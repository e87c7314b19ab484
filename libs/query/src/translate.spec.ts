import { beforeAll, describe, expect, it } from 'vitest'
import { EngineFixture } from './engine-fixture.node.js'
import { QueryError } from './errors.js'
import type { QueryErrorCode } from './errors.js'
import { exampleTables } from './example-tables.js'
import { generateSql } from './generate.js'
import { checkQueryText, translateQuery } from './translate.js'
import type { DeclaredParameter } from './table.js'

let engine: EngineFixture
beforeAll(async () => {
  engine = await EngineFixture.start()
  await engine.load(exampleTables, {})
})

const parameters: Readonly<Record<string, DeclaredParameter>> = {
  region: { type: 'string' },
  least: { type: 'int', min: 0, max: 100 },
  since: { type: 'date' },
}

async function translate(text: string) {
  checkQueryText(text)
  return translateQuery(await engine.parse(text), { tables: exampleTables, parameters })
}

async function refusal(text: string): Promise<QueryError> {
  try {
    await translate(text)
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

const nested = (inner: string, depth: number): string =>
  depth === 0 ? inner : `not (${nested(inner, depth - 1)})`

describe('translateQuery', () => {
  const refused: readonly [QueryErrorCode, string][] = [
    ['SYNTAX', 'select count(*) form visits'],
    ['MULTIPLE_STATEMENTS', 'select count(*) from visits; select count(*) from claims'],
    ['NOT_A_SELECT', 'drop table visits'],
    ['NOT_A_SELECT', 'select * from (describe visits)'],
    ['NOT_A_SELECT', 'pivot visits on region using count(*)'],
    ['NO_TABLE', 'select count(*)'],
    ['NO_TABLE', 'values (1)'],
    ['TABLE_UNKNOWN', 'select count(*) from visitors'],
    ['TABLE_UNKNOWN', 'select count(*) from main.visits'],
    ['TABLE_UNKNOWN', "select count(*) from 'claims.parquet'"],
    ['TABLE_UNKNOWN', 'select count(*) from information_schema.tables'],
    ['TABLE_UNKNOWN', 'select count(*) from sqlite_master'],
    ['COLUMN_UNKNOWN', 'select avg(weight) from visits'],
    ['COLUMN_UNKNOWN', 'select count(*) from visits where rowid = 7'],
    ['COLUMN_UNKNOWN', 'select count(visits) from visits'],
    ['COLUMN_UNKNOWN', 'select count(*) from visits where current_user = region'],
    ['COLUMN_UNKNOWN', 'select count(*), __owner from stays group by all'],
    ['COLUMN_UNKNOWN', 'select count(*) from stays where __owner = $region'],
    [
      'COLUMN_UNKNOWN',
      'select person_id, count(*) from stays s join (select person_id from stays group by 1) t on s.person_id = t.person_id group by 1',
    ],
    ['TABLE_REPEATED', 'select count(*) from visits a join visits b on a.patient_id = b.patient_id'],
    ['TABLE_REPEATED', 'select count(*) from (select age from visits union all select age from visits) t'],
    [
      'TABLE_REPEATED',
      'with v as (select patient_id from visits) select count(*) from v a join v b using (patient_id)',
    ],
    ['NAME_SHADOWING', 'with claims as (select patient_id from visits) select count(*) from claims'],
    [
      'NAME_SHADOWING',
      'with e as (select age from visits) select count(*) from (with E as (select age from visits) select age from E) t',
    ],
    ['NAME_SHADOWING', 'select count(*) from visits claims'],
    ['NAME_SHADOWING', 'select count(*) from visits region'],
    ['NAME_SHADOWING', 'select age as region, count(*) from visits group by 1'],
    ['NAME_SHADOWING', 'select count(*) as name from visits'],
    ['NAME_SHADOWING', 'select count(*) from visits a join claims A on a.patient_id = A.insured_id'],
    ['NAME_NOT_ALLOWED', 'select count(*) as "re\u202egion" from visits'],
    ['NAME_NOT_ALLOWED', 'select count(*) as "__units_0" from visits'],
    ['NAME_NOT_ALLOWED', 'select count(*) from visits "vіsits"'],
    ['COLUMN_NOT_ALLOWED', 'select count(name) from visits'],
    ['COLUMN_NOT_ALLOWED', 'select count(*) from visits where name is not null or true'],
    ['COLUMN_NOT_ALLOWED', 'with x as (select iban from claims) select count(*) from visits'],
    ['COLUMN_NOT_ALLOWED', 'select count(*) from visits v join claims c on v.name = c.iban'],
    ['COLUMN_NOT_ALLOWED', 'select count(*) from visits order by count(name)'],
    ['STAR_NOT_ALLOWED', 'select * from visits'],
    ['STAR_NOT_ALLOWED', 'select count(*) from (select * from visits) t'],
    ['STAR_NOT_ALLOWED', "select avg(columns('^(cost|na.e)$')) from visits"],
    ['RAW_VALUE_OUTPUT', 'select region, cost from visits'],
    ['RAW_VALUE_OUTPUT', 'select region, cost, count(*) from visits group by region'],
    ['RAW_VALUE_OUTPUT', 'select region, count(*) from visits group by lower(region)'],
    ['RAW_VALUE_OUTPUT', 'select region, count(*) from visits group by region having age > 3'],
    ['RAW_VALUE_OUTPUT', 'select avg(cost) + age from visits'],
    ['JOIN_KEY_NOT_ALLOWED', 'select count(*) from visits v join claims c on v.region = c.plan'],
    ['JOIN_KEY_NOT_ALLOWED', 'select count(*) from visits v join claims c on v.patient_id < c.insured_id'],
    [
      'JOIN_KEY_NOT_ALLOWED',
      'select count(*) from visits v join claims c on lower(v.patient_id) = c.insured_id',
    ],
    [
      'JOIN_KEY_NOT_ALLOWED',
      'select count(*) from visits v join claims c on v.patient_id = c.insured_id or true',
    ],
    [
      'JOIN_KEY_NOT_ALLOWED',
      "select count(*) from visits v join claims c on v.patient_id = c.insured_id and v.region = 'north'",
    ],
    ['JOIN_KEY_NOT_ALLOWED', 'select count(*) from visits v join claims c on v.patient_id = c.member_no'],
    [
      'JOIN_KEY_NOT_ALLOWED',
      'select count(*) from (select upper(patient_id) as k from visits) v join claims c on v.k = c.insured_id',
    ],
    ['JOIN_KIND_NOT_ALLOWED', 'select count(*) from visits cross join claims'],
    ['JOIN_KIND_NOT_ALLOWED', 'select count(*) from visits, claims'],
    [
      'JOIN_KIND_NOT_ALLOWED',
      'select count(*) from visits v full join claims c on v.patient_id = c.insured_id',
    ],
    [
      'JOIN_KIND_NOT_ALLOWED',
      'select count(*) from visits v anti join claims c on v.patient_id = c.insured_id',
    ],
    [
      'JOIN_KIND_NOT_ALLOWED',
      'select count(*) from visits v asof join claims c on v.patient_id >= c.insured_id',
    ],
    ['JOIN_KIND_NOT_ALLOWED', 'select count(*) from visits natural join claims'],
    ['JOIN_KIND_NOT_ALLOWED', 'select count(*) from visits positional join claims'],
    ['AGGREGATE_NOT_ALLOWED', 'select min(cost) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select median(cost) from visits'],
    ['AGGREGATE_NOT_ALLOWED', "select string_agg(region, ',') from visits"],
    ['AGGREGATE_NOT_ALLOWED', 'select list(region) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select any_value(region) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select arg_max(patient_id, cost) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select sum(distinct cost) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select count(distinct region) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select avg(cost order by age) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select bool_or(age > 100) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select approx_count_distinct(patient_id) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select corr(age, cost) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select avg(avg(cost)) from visits'],
    ['AGGREGATE_NOT_ALLOWED', 'select count(*) from visits where avg(cost) > 3'],
    ['AGGREGATE_NOT_ALLOWED', 'select count(*) from visits having max(cost) > 3'],
    ['CONDITION_NOT_ALLOWED', 'select sum(case when urgent then 1 else 0 end) from visits'],
    ['CONDITION_NOT_ALLOWED', 'select avg((cost > 10)::int) from visits'],
    [
      'CONDITION_NOT_ALLOWED',
      'select count(*) filter (where urgent) as a, count(*) filter (where age > 3) as b from visits',
    ],
    ['POWER_SUM', 'select sum(cost * cost * cost) from visits'],
    ['POWER_SUM', 'with p as (select cost * cost as c2 from visits) select sum(c2 * c2) from p'],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where hash(patient_id) % 2 = 0'],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where length(repeat(region, 1000)) > 5'],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from visits where lpad(region, 1000000, 'x') = 'x'"],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from visits where regexp_matches(region, '^a')"],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from visits where getvariable('d') = region"],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from query('select name from visits')"],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from read_csv('/etc/passwd')"],
    [
      'FUNCTION_NOT_ALLOWED',
      'select count(*) from visits v join generate_series(1, 100000000) g(i) on v.age = g.i',
    ],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where region collate nocase = $region'],
    ['FUNCTION_NOT_ALLOWED', 'select avg(sqrt(cost)) from visits'],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where left(region, age) = $region'],
    ['FUNCTION_NOT_ALLOWED', "select count(*) from visits where date_trunc(region, day) = '2025-01-01'"],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where region like region'],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where region.lower() = $region and x.f(region)'],
    ['FUNCTION_NOT_ALLOWED', 'select count(*) from visits where list_transform([age], x -> x) is null'],
    ['ERROR_ORACLE', "select count(*) from visits where error('x')"],
    ['ERROR_ORACLE', 'select region::int, count(*) from visits group by 1'],
    ['ERROR_ORACLE', 'select avg(score::tinyint) from visits'],
    ['ERROR_ORACLE', "select avg(cast('x' as integer)) from visits"],
    ['SIDE_CHANNEL', 'select count(*) from visits where random() < 0.5'],
    ['SIDE_CHANNEL', 'select count(*) from visits where sleep_ms(500) is null'],
    ['SIDE_CHANNEL', 'select setseed(0.4), count(*) from visits'],
    ['SIDE_CHANNEL', "select count(*) from visits where region like '%a%a%a%a%a%a%a%a%a%a%'"],
    ['PARAMETER_TYPE', 'select count(*) from visits where region = $unknown'],
    ['PARAMETER_TYPE', 'select count(*) from visits where age > $region'],
    ['PARAMETER_TYPE', 'select count(*) from visits where region = 21'],
    ['PARAMETER_TYPE', 'select count(*) from visits where age = ?'],
    ['PARAMETER_TYPE', "select count(*) from visits where day > 'yesterday'"],
    ['PARAMETER_TYPE', 'select avg(cost::decimal(5, 2)) from visits'],
    ['PARAMETER_TYPE', 'select sum(urgent) from visits'],
    ['PARAMETER_TYPE', 'select count(*) from visits where score = 9223372036854775807'],
    ['PARAMETER_TYPE', 'select count(*) from visits where age'],
    ['NESTED_NOT_UNDERSTOOD', 'select count(*) from visits where exists (select 1 from claims)'],
    ['NESTED_NOT_UNDERSTOOD', 'select count(*), (select name from visits limit 1) from visits'],
    [
      'NESTED_NOT_UNDERSTOOD',
      'select count(*) from visits where patient_id in (select insured_id from claims)',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'select avg(n) from (select region, count(*) as n from visits group by region) t',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with a as (select region, count(*) as n from visits group by region) select sum(n) from a',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with t as (select v.region, avg(c.amount) as m from visits v join claims c on v.patient_id = c.insured_id group by v.region) select avg(m) from t',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with t as (select c.member_no, avg(v.cost) as m from visits v join claims c on v.patient_id = c.insured_id group by c.member_no) select avg(m) from t',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with t as (select lower(patient_id) as p, avg(cost) as m from visits group by 1) select avg(m) from t',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with t as (select c.insured_id, avg(v.cost) as m from visits v left join claims c on v.patient_id = c.insured_id group by c.insured_id) select avg(m) from t',
    ],
    [
      'NESTED_NOT_UNDERSTOOD',
      'with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t',
    ],
    ['NESTED_NOT_UNDERSTOOD', 'select distinct on (region) region from visits'],
    ['NESTED_NOT_UNDERSTOOD', 'select distinct region, count(*) from visits group by region'],
    ['SETOP_NOT_ALLOWED', 'select count(*) from visits union all select count(*) from claims'],
    [
      'SETOP_NOT_ALLOWED',
      'select count(*) from (select patient_id as p from visits union select insured_id from claims) t',
    ],
    [
      'SETOP_NOT_ALLOWED',
      'select count(*) from (select patient_id as p from visits except select insured_id from claims) t',
    ],
    [
      'SETOP_NOT_ALLOWED',
      'select count(*) from (select age from visits union all select amount from claims) t',
    ],
    ['WINDOW_NOT_ALLOWED', 'select sum(cost) over () from visits'],
    ['WINDOW_NOT_ALLOWED', 'select region, sum(count(*)) over () from visits group by region'],
    [
      'WINDOW_NOT_ALLOWED',
      'select region, count(*) from visits group by region qualify row_number() over () = 1',
    ],
    ['TOTALS_NOT_NESTED', 'select region, count(*) from visits group by rollup (region)'],
    ['TOTALS_NOT_NESTED', 'select region, age, count(*) from visits group by cube (region, age)'],
    ['TOTALS_NOT_NESTED', 'select region, count(*) from visits group by grouping sets ((region), ())'],
    ['TOTALS_NOT_NESTED', 'select region, grouping(region), count(*) from visits group by region'],
    ['SAMPLE_NOT_ALLOWED', 'select count(*) from visits using sample 10 rows'],
    ['SAMPLE_NOT_ALLOWED', 'select count(*) from visits tablesample 10%'],
    ['ORDER_LEAK', 'select region from visits group by region order by avg(cost)'],
    ['ORDER_LEAK', 'select region, count(*) from visits group by region, age order by age'],
    ['LIMIT_NOT_ALLOWED', 'select region, count(*) from visits group by region limit 1'],
    ['LIMIT_NOT_ALLOWED', 'select region, count(*) from visits group by region order by 1 limit 10%'],
    ['LIMIT_NOT_ALLOWED', 'select avg(cost) from (select cost from visits order by day limit 6) t'],
    [
      'NESTED_NOT_UNDERSTOOD',
      'select region, count(*) from visits group by region order by 1 limit (select 1)',
    ],
    [
      'QUERY_TOO_LARGE',
      `select count(*) from visits where age in (${Array.from({ length: 1001 }, (_, i) => i).join(',')})`,
    ],
    ['QUERY_TOO_LARGE', `select count(*) from visits where ${nested('urgent', 40)}`],
    ['QUERY_TOO_LARGE', `select count(*) from visits -- ${'x'.repeat(20_000)}`],
    [
      'QUERY_TOO_LARGE',
      `select ${Array.from({ length: 9 }, (_, i) => `avg(cost + ${i}) filter (where age > 3), avg(stay * ${i} + cost) filter (where age > 3)`).join(', ')} from visits v join (select person_id, avg(days) as d from stays group by 1) s on v.patient_id = s.person_id`,
    ],
    [
      'QUERY_TOO_LARGE',
      `with ${Array.from(
        { length: 9 },
        (_, i) =>
          `a${i + 1} as (select patient_id, max(age) as age from (select l.patient_id, l.age from a${i} l join (select patient_id, max(age) as m from a${i} group by 1) r on l.patient_id = r.patient_id) t group by 1)`,
      )
        .join(', ')
        .replace(
          'a1 as',
          'a0 as (select patient_id, max(age) as age from visits group by 1), a1 as',
        )} select count(*) from a9`,
    ],
  ]
  it.each(refused)('refuses with %s: %s', async (code, text) => {
    const error =
      text.length > 20_000
        ? catching(() => {
            checkQueryText(text)
          })
        : await refusal(text)
    expect(error.code, error.message).toBe(code)
  })

  const accepted: readonly string[] = [
    'select count(*) from visits',
    'from visits select region, count(*) as n group by region;',
    'SELECT Region, COUNT(*) AS N FROM VISITS GROUP BY REGION ORDER BY n DESC LIMIT 3',
    "select region, avg(cost) as mean from visits where day >= '2025-01-01' and seen < timestamp '2025-06-01 12:00:00' group by all order by all",
    'select region, count(*) as n from visits where region = $region and age >= $least and day > $since group by region having n > 3 and avg(cost) > 2.5',
    "select case when age < 18 then 'minor' when age < 65 then 'adult' else 'senior' end as band, avg(stay) as s from visits group by band",
    'select v.region, avg(c.amount) from visits v left join claims c on v.patient_id = c.insured_id group by v.region',
    'select c.plan, avg(v.stay) from visits v right join claims c on v.patient_id = c.insured_id group by 1',
    'with e as (select patient_id, bool_or(urgent) as u, max(age) as a, count(*) as n from visits group by patient_id having count(*) > 1) select u, avg(a), avg(n) from e group by u',
    'with l as (select insured_id, avg(amount) filter (where amount > 3) as m from claims group by insured_id), v as (select distinct patient_id, region from visits) select region, avg(m) from v join l on v.patient_id = l.insured_id group by region',
    'with j as (select v.patient_id, avg(c.amount) as m from visits v left join claims c on v.patient_id = c.insured_id group by v.patient_id) select avg(m) from j',
    'with t as (select person_id, avg(days) as d from stays group by person_id) select avg(d) from t',
    'select t.r, sum(t.n) / nullif(count(*), 0) from (select region as r, stay as n from visits) t group by t.r',
    'select region, total / n as mean from (select region, sum(cost) as total, count(*) as n from visits group by region) t where n >= 10 order by mean desc',
    'with once as (select patient_id, max(age) as a from visits group by 1) select v.region, avg(o.a) from visits v join once o using (patient_id) group by 1',
    'select p, count(*) from (select patient_id as p, age from visits union all select insured_id, member_no from claims) t group by p',
    "select count(*) from visits where lower(region) like 'n%' and starts_with(region, 'n') and length(trim(region)) > 2",
    "select year(day) as y, date_trunc('month', seen) as m, count(*) from visits group by 1, 2",
    'select avg(cost / stay), sum(score * score), stddev(cost), var_pop(stay), count(distinct patient_id) from visits',
    'select round(avg(cost), 1) as a, coalesce(sum(stay), 0) * 100 // 3 as b, try_cast(region as int) as c from visits group by region',
    'with unused as (select age from visits) select count(*) from claims',
    'select count(*) from visits order by count(*)',
    'select avg(greatest(stay, 3)), avg(abs(score)) from visits',
    "select date_diff('year', day, date '2025-01-01') as years, count(*) from visits group by 1",
  ]
  it.each(accepted)('accepts and runs: %s', async (text) => {
    const query = await translate(text)
    const values = {
      region: { type: 'string', value: "o'hare" },
      least: { type: 'int', value: 3 },
      since: { type: 'date', value: '2025-01-01' },
    } as const
    for (const minimumGroupSize of [null, 1, 5, 41, 1000]) {
      const { sql, outputs, unitCounts } = generateSql(query, { minimumGroupSize, parameters: values })
      const types = {
        string: 'VARCHAR',
        int: 'BIGINT',
        double: 'DOUBLE',
        bool: 'BOOLEAN',
        date: 'DATE',
        timestamp: 'TIMESTAMP',
      }
      const hidden = new Set(unitCounts.map(({ column }) => column)).size
      expect(await engine.types(sql)).toEqual([
        ...outputs.map(({ type }) => types[type]),
        ...Array<string>(hidden).fill('BIGINT'),
      ])
    }
  })

  it('says where and how to mend', async () => {
    const error = await refusal('select region::int, count(*) from visits group by 1')
    expect(error.location).toBe(13)
    expect(error.message).toContain('at byte 13')
    expect(error.message).toContain('TRY_CAST')
  })

  it('refuses a syntax tree that lost its empty grouping sets', async () => {
    const tree = (await engine.parse('select region, count(*) from visits group by rollup (region)')) as {
      statements: { node: Record<string, unknown> }[]
    }
    const node = tree.statements[0]!.node
    node['group_sets'] = [[0]]
    delete node['cte_map']
    expect(catching(() => translateQuery(tree, { tables: exampleTables })).code).toBe('AST_MALFORMED')
  })

  it('gives the same form for the same text', async () => {
    const text = accepted[8]!
    expect(await translate(text)).toEqual(await translate(text))
  })

  it('keeps names of the contract and labels apart from its own', async () => {
    const names = ['rows', 'groups', 'exact', 'undecided', 'r', 'l', 'd', 'one']
    const tables = names.map((name) => ({
      ...{ name, owners: ['o'], unit: 'u0' },
      columns: {
        u0: { type: 'string', nullable: false, use: ['join'] },
        c0: { type: 'string', nullable: false, use: ['dimension'] },
        everything: { type: 'int', nullable: true, use: ['sum'] },
      } as const,
    }))
    const people = Array.from({ length: 12 }, (_, at) => ({
      u0: `p${at}`,
      c0: at < 3 ? 'few' : 'many',
      everything: 1,
    }))
    await engine.load(tables, Object.fromEntries(names.map((name) => [name, people])))
    for (const name of names) {
      const text = `select c0 as t_all_0, sum(everything) as c2, count(*) as s_all_0 from ${name} as x group by c0 having count(*) > 1`
      const query = translateQuery(await engine.parse(text), { tables })
      const { sql } = generateSql(query, { minimumGroupSize: 5 })
      expect((await engine.rows(sql)).map((row) => row.slice(0, 3))).toEqual([['many', 9, 9]])
    }
  })

  it('counts every owner of every read, each in its own column unless joined to the same unit', async () => {
    const query = await translate(
      'select s.ward, avg(c.amount) from stays s join claims c on s.person_id = c.insured_id group by 1',
    )
    expect(query.units.map(({ table, owner }) => `${table}/${owner}`)).toEqual([
      'stays/north',
      'stays/south',
      'claims/insurer',
    ])
    expect(query.sameUnits).toHaveLength(3)
    const linked = await translate(
      'select v.region, count(*) from visits v join claims c on v.patient_id = c.insured_id group by 1',
    )
    expect(linked.sameUnits).toHaveLength(1)
    const outer = await translate(
      'select v.region, count(*) from visits v left join claims c on v.patient_id = c.insured_id group by 1',
    )
    expect(outer.sameUnits).toHaveLength(2)
  })
})

function catching(act: () => unknown): QueryError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error('nothing was refused')
}
