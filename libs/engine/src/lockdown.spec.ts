import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from './engine.node.js'
import { openingSettings, shutDatabase } from './lockdown.node.js'

// The database alone, without a sandbox around it, so that what refuses is known to be the lock.
let folder: string
let connection: DuckDBConnection
let engine: Engine

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  writeFileSync(join(folder, 'secret.csv'), 'a\nMARKER\n')
  writeFileSync(join(folder, 'secret.json'), '[{"a":"MARKER"}]')
  const instance = await DuckDBInstance.create(':memory:', openingSettings(2, 500_000_000))
  connection = await instance.connect()
  await connection.run(`CREATE TABLE stays AS SELECT 'MARKER' AS id, 1 AS n`)
  expect(await shutDatabase(connection)).toBe(true)
  engine = await startEngine()
  await engine.lock()
})
afterAll(async () => {
  connection.closeSync()
  rmSync(folder, { recursive: true })
  await engine.close()
})

const file = (name: string): string => `'${join(folder, name)}'`

/** Ways out of the database, by what refuses them when it is shut. */
const waysOut = (): string[] => [
  `FROM read_text(${file('secret.csv')})`,
  `FROM read_blob(${file('secret.csv')})`,
  `FROM read_csv(${file('secret.csv')})`,
  `FROM read_csv_auto(${file('secret.csv')})`,
  `FROM read_json(${file('secret.json')})`,
  `FROM read_json_objects(${file('secret.json')})`,
  `FROM read_parquet(${file('x.parquet')})`,
  `FROM parquet_schema(${file('x.parquet')})`,
  `FROM parquet_metadata(${file('x.parquet')})`,
  `FROM sniff_csv(${file('secret.csv')})`,
  `FROM ${file('secret.csv')}`,
  `SELECT * FROM ${file('secret.json')}`,
  `FROM glob(${file('*')})`,
  `FROM read_text('/proc/self/environ')`,
  `FROM read_text('/proc/self/fd/0')`,
  `FROM read_csv('https://example.org/x.csv')`,
  `FROM read_parquet('s3://bucket/x.parquet')`,
  `COPY stays TO ${file('out.csv')}`,
  `COPY stays TO ${file('out.parquet')} (FORMAT parquet)`,
  `COPY (SELECT 1) TO '/dev/stdout'`,
  `COPY stays FROM ${file('secret.csv')}`,
  `EXPORT DATABASE ${file('out')}`,
  `IMPORT DATABASE ${file('out')}`,
  `ATTACH ${file('out.db')}`,
  `ATTACH 'https://example.org/x.db'`,
  `INSTALL httpfs`,
  `FORCE INSTALL httpfs FROM community`,
  `LOAD httpfs`,
  `LOAD ${file('x.duckdb_extension')}`,
  `UPDATE EXTENSIONS`,
  `CREATE PERSISTENT SECRET s (TYPE http)`,
  `CREATE SECRET s (TYPE s3)`,
  `SELECT getenv('HOME')`,
  `SET threads = 1`,
  `SET GLOBAL memory_limit = '100GB'`,
  `RESET memory_limit`,
  `PRAGMA memory_limit = '100GB'`,
  `PRAGMA threads = 1`,
  `SET disabled_filesystems = ''`,
  `RESET disabled_filesystems`,
  `SET enable_external_access = true`,
  `SET allowed_directories = ['/']`,
  `SET allowed_paths = ['/etc/passwd']`,
  `SET lock_configuration = false`,
  `SET temp_directory = ${file('tmp')}`,
  `SET log_query_path = ${file('log')}`,
  `SET profiling_output = ${file('profile')}`,
  `PRAGMA enable_profiling = 'json'; SET profile_output = ${file('profile')}`,
  `SET extension_directory = ${file('')}`,
  `SET custom_extension_repository = 'https://example.org'`,
  `SET allow_unsigned_extensions = true`,
  `SET enable_logging = true`,
  `SET logging_storage = 'file'`,
  `CALL enable_logging(storage = 'file', storage_path = ${file('log')})`,
  `SET http_proxy = 'http://example.org'`,
  `SELECT * FROM query('FROM read_text(''/etc/passwd'')')`,
  `SELECT json_execute_serialized_sql(json_serialize_sql('FROM read_text(''/etc/passwd'')'))`,
]

describe('shutDatabase', () => {
  it('leaves no way out of the database', async () => {
    for (const sql of waysOut()) {
      const outcome = await connection.run(sql).then(
        () => 'ran',
        () => 'refused',
      )
      expect([sql, outcome]).toEqual([sql, 'refused'])
    }
    expect(readdirSync(folder).sort()).toEqual(['secret.csv', 'secret.json'])
  })

  it('still answers queries over what was loaded', async () => {
    expect((await connection.runAndReadAll('SELECT n FROM stays')).getRows()).toEqual([[1]])
  })
})

/** What the shut database would still do, and what reads its own insides: refused by the engine before the database sees it. */
const insides = [
  `SET VARIABLE x = 1`,
  `SELECT getvariable('x') AS v`,
  `CREATE MACRO f(x) AS x`,
  `CREATE TABLE t AS SELECT 1 AS a`,
  `CREATE TYPE t AS ENUM ('a')`,
  `INSERT INTO t VALUES (1)`,
  `DROP SCHEMA main`,
  `PREPARE p AS SELECT 1`,
  `EXECUTE p`,
  `CALL enable_logging()`,
  `CALL enable_profiling()`,
  `EXPLAIN SELECT 1`,
  `EXPLAIN ANALYZE SELECT 1`,
  `DESCRIBE SELECT 1`,
  `SUMMARIZE SELECT 1`,
  `SHOW TABLES`,
  `PRAGMA database_list`,
  `CHECKPOINT`,
  `VACUUM`,
  `USE memory`,
  `BEGIN`,
  `SELECT 1; SELECT 2`,
  `SELECT sleep_ms(1) AS s`,
  `SELECT main.sleep_ms(1) AS s`,
  `SELECT SLEEP_MS(1) AS s`,
  `SELECT random() AS r`,
  `SELECT write_log('x') AS l`,
  `SELECT current_setting('threads') AS s`,
  `SELECT length(repeat('x', 2000000000)) AS n`,
  `SELECT length('x'.repeat(2000000000)) AS n`,
  `SELECT 1 AS a WHERE EXISTS (FROM range(10))`,
  `SELECT 1 AS a ORDER BY (SELECT random())`,
  `SELECT 1 AS a LIMIT (SELECT count(*) FROM duckdb_settings())`,
  `FROM range(10)`,
  `FROM generate_series(1, 10)`,
  `FROM query('select 1')`,
  `FROM query_table('x')`,
  `FROM duckdb_settings()`,
  `FROM duckdb_secrets()`,
  `FROM duckdb_logs`,
  `FROM duckdb_tables`,
  `FROM information_schema.tables`,
  `FROM pg_catalog.pg_class`,
  `FROM memory.main.x`,
  `FROM sealed.t0_p0_s0`,
  `FROM arrow_scan(1, 2, 3)`,
  `WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a FROM r) SELECT count(*) AS n FROM r`,
  `SELECT list_transform([1], lambda x: x) AS l`,
  `SELECT list_aggregate([1], 'sum') AS l`,
]

describe('Engine.query on a locked engine', () => {
  it('refuses everything but one plain SELECT over loaded tables, in codes', async () => {
    for (const sql of [...waysOut(), ...insides]) {
      const failure: unknown = await engine
        .query(sql, {}, { maxRows: 10, timeoutMilliseconds: 5000 })
        .catch((cause: unknown) => cause)
      expect([sql, failure]).toEqual([sql, expect.objectContaining({ name: 'EngineError' })])
      expect(['QUERY_REFUSED', 'QUERY_FAILED', 'NOT_A_SELECT']).toContain((failure as { code: string }).code)
      expect(JSON.stringify([failure, (failure as Error).message])).not.toMatch(/MARKER|Permission|secret/)
    }
  })

  it('runs a plain SELECT', async () => {
    const sql = 'with a as (select 1 as x union all values (2)) select sum(x) as s from a'
    expect((await engine.query(sql, {}, { maxRows: 10, timeoutMilliseconds: 5000 })).values).toEqual([[3]])
  })
})
