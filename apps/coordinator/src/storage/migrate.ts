/**
 * Applies prisma/migrations with the table and the checksums of Prisma's own command, so that either accepts what the other
 * did. Takes an advisory lock first: two servers may start at once on one database.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StartError } from '../errors.js'

/** One connection to a database, for the migration alone. */
export interface MigrationConnection {
  readonly query: <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>
  /** Runs several commands. */
  readonly script: (sql: string) => Promise<void>
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** Any number does, as long as nobody else takes it; Prisma's own command locks 72707369. */
const lockNumber = 72_707_369

const migrationTable = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`

/**
 * Brings a database to the newest schema and returns the names of what was applied.
 * @throws StartError `MIGRATION_CHANGED`, `MIGRATION_UNFINISHED`, `MIGRATION_UNKNOWN`, `MIGRATION_FAILED`.
 */
export async function migrate(connection: MigrationConnection, folder: string): Promise<readonly string[]> {
  const migrations = await readMigrations(folder)
  await connection.query('SELECT pg_advisory_lock($1)', [lockNumber])
  try {
    await connection.script(migrationTable)
    const pending = await pendingOf(connection, migrations)
    for (const migration of pending) await apply(connection, migration)
    return pending.map(({ name }) => name)
  } finally {
    await connection.query('SELECT pg_advisory_unlock($1)', [lockNumber])
  }
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(join(folder, name, 'migration.sql'))
      return { name, sql: sql.toString('utf8'), checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

interface Applied {
  readonly migration_name: string
  readonly checksum: string
  readonly finished: boolean
}

async function pendingOf(
  connection: MigrationConnection,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const applied = await connection.query<Applied>(
    'SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM "_prisma_migrations" WHERE rolled_back_at IS NULL',
  )
  for (const { migration_name: name, checksum, finished } of applied) {
    const known = migrations.find((migration) => migration.name === name)
    if (known === undefined)
      throw new StartError(
        'MIGRATION_UNKNOWN',
        `the database has migration ${name}, which this version does not know; run the version that made it, or a newer one`,
      )
    if (!finished)
      throw new StartError(
        'MIGRATION_UNFINISHED',
        `migration ${name} was begun and not finished; restore the database from its backup`,
      )
    if (known.checksum !== checksum)
      throw new StartError(
        'MIGRATION_CHANGED',
        `migration ${name} was applied as ${checksum}; this version has ${known.checksum}`,
      )
  }
  return migrations.filter(({ name }) => !applied.some((row) => row.migration_name === name))
}

// The script and its row are one transaction: a crash in between leaves neither.
async function apply(connection: MigrationConnection, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await connection.script('BEGIN')
    await connection.script(sql)
    await connection.query(
      'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($1, $2, $3, now(), 1)',
      [randomUUID(), checksum, name],
    )
    await connection.script('COMMIT')
  } catch (cause) {
    await connection.script('ROLLBACK')
    throw new StartError('MIGRATION_FAILED', `migration ${name} could not be applied and was taken back`, {
      cause,
    })
  }
}
