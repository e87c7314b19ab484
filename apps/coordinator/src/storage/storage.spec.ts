import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../config.js'
import { startCoordinator } from '../start-coordinator.js'
import { aStage, testOrigin, type Stage } from '../testing/stage.js'
import { Play } from '../testing/play.js'
import { testDatabaseUrl } from '../testing/config.js'
import { migrate, type MigrationConnection } from './migrate.js'

const migrations = 'prisma/migrations'

describe('the migration step', () => {
  let pglite: PGlite
  let folder: string
  const connection: MigrationConnection = {
    query: async <Row>(sql: string, parameters?: readonly unknown[]) =>
      (await pglite.query<Row>(sql, [...(parameters ?? [])])).rows,
    script: async (sql) => {
      await pglite.exec(sql)
    },
  }

  beforeAll(async () => {
    pglite = await PGlite.create()
    folder = await mkdtemp(join(tmpdir(), 'sealroom-migrations-'))
    await cp(migrations, folder, { recursive: true })
  })
  afterAll(async () => {
    await pglite.close()
    await rm(folder, { recursive: true })
  })

  it('applies what is missing once, though it is asked twice', async () => {
    expect(await migrate(connection, folder)).toEqual(['20261101000000_first'])
    expect(await migrate(connection, folder)).toEqual([])
  })

  it('takes back a migration that fails, and applies it when it is mended', async () => {
    const next = join(folder, '20261102000000_next')
    await cp(join(folder, '20261101000000_first'), next, { recursive: true })
    await writeFile(join(next, 'migration.sql'), 'CREATE TABLE extra (id int); CREATE TABLE extra (id int);')
    await expect(migrate(connection, folder)).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    await writeFile(join(next, 'migration.sql'), 'CREATE TABLE extra (id int);')
    expect(await migrate(connection, folder)).toEqual(['20261102000000_next'])
  })

  it('refuses a database whose migrations were others, or newer', async () => {
    const next = join(folder, '20261102000000_next')
    await writeFile(join(next, 'migration.sql'), 'CREATE TABLE other (id int);')
    await expect(migrate(connection, folder)).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' })
    await rm(next, { recursive: true })
    await expect(migrate(connection, folder)).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN' })
  })
})

describe('a data folder', () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await aStage()
  })
  afterAll(async () => {
    await stage.close()
  })

  const config = (change: object) =>
    loadConfig({ dataFolder: stage.folder, port: 0, origin: testOrigin, logLevel: 'silent', ...change }, {})

  it('keeps its secrets to its owner', async () => {
    for (const file of ['keys/log.seed', 'keys/coordinator.seed', 'operator-token', 'enrolment'])
      expect((await stat(join(stage.folder, file))).mode & 0o777).toBe(0o600)
  })

  it('serves one coordinator at a time', async () => {
    await expect(startCoordinator(config({}))).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' })
  })

  it('does not start on a port that is in use, and leaves nothing behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-second-'))
    const port = Number(new URL(stage.url).port)
    for (let attempt = 0; attempt < 2; attempt++)
      await expect(
        startCoordinator(config({ dataFolder: folder, port }), { memory: true }),
      ).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await rm(folder, { recursive: true })
  })

  it('leaves it to its caller to say that a port is in use: nothing is logged beside that', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-second-'))
    const port = Number(new URL(stage.url).port)
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      const options = { dataFolder: folder, port, logLevel: 'error' }
      await expect(startCoordinator(config(options), { memory: true })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
      })
      expect(written.mock.calls).toEqual([])
    } finally {
      written.mockRestore()
      await rm(folder, { recursive: true })
    }
  })

  it('that lost its keys does not serve the log that it had', async () => {
    const disk = await aStage({}, { onDisk: true })
    await disk.coordinator.close()
    const start = (change: object) =>
      startCoordinator(
        loadConfig(
          { dataFolder: disk.folder, port: 0, origin: testOrigin, logLevel: 'silent', ...change },
          {},
        ),
      )
    await expect(start({ origin: 'log.other/1' })).rejects.toMatchObject({ code: 'DATABASE_OF_ANOTHER_LOG' })
    await rm(join(disk.folder, 'keys', 'log.seed'))
    await expect(start({})).rejects.toMatchObject({ code: 'DATABASE_OF_ANOTHER_LOG' })
    await writeFile(join(disk.folder, 'keys', 'log.seed'), 'junk')
    await expect(start({})).rejects.toMatchObject({ code: 'DATA_FOLDER_INVALID' })
    await disk.close()
  })
})

describe.skipIf(testDatabaseUrl === undefined)('on PostgreSQL (SEALROOM_TEST_DATABASE_URL)', () => {
  /** A fresh database beside the one that the variable names. */
  async function freshDatabase(): Promise<string> {
    const client = new pg.Client({ connectionString: testDatabaseUrl })
    await client.connect()
    const name = `sealroom_${randomUUID().replaceAll('-', '')}`
    await client.query(`CREATE DATABASE ${name}`)
    await client.end()
    const url = new URL(testDatabaseUrl ?? '')
    url.pathname = `/${name}`
    return url.href
  }

  it('two servers that start at once migrate once, and one of them serves', async () => {
    const databaseUrl = await freshDatabase()
    const start = async () => {
      const dataFolder = await mkdtemp(join(tmpdir(), 'sealroom-postgres-'))
      const config = loadConfig(
        { dataFolder, port: 0, origin: testOrigin, databaseUrl, logLevel: 'silent' },
        {},
      )
      return await startCoordinator(config)
    }
    const results = await Promise.allSettled([start(), start()])
    const running = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as Error] : [],
    )
    expect(running).toHaveLength(1)
    expect(refused).toMatchObject([{ code: 'DATABASE_IN_USE' }])
    await running[0]?.close()
  })

  it('a whole run completes', async () => {
    const stage = await aStage({ databaseUrl: await freshDatabase() })
    const play = await Play.begin(stage)
    const run = await play.request()
    expect((await play.until('completed', run, await stage.worker())).state).toBe('completed')
    await stage.close()
  })
})
