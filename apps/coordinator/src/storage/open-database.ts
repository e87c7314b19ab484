/** One schema on two databases: PGlite in the data folder, or PostgreSQL where a URL is given. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { StartError } from '../errors.js'
import { PrismaClient } from './generated/client.js'
import { migrate, type MigrationConnection } from './migrate.js'

export interface Database {
  readonly prisma: PrismaClient
  readonly kind: 'embedded' | 'postgresql'
  readonly migrated: readonly string[]
  /** Resolves when the database is no longer ours alone: the process should end. Never for the embedded one. */
  readonly lost: Promise<Error>
  readonly close: () => Promise<void>
}

/**
 * Opens and migrates the database.
 * @param folder - where the embedded database lives; null keeps it in memory, for tests.
 * @throws StartError `DATABASE_UNREACHABLE`, `DATABASE_IN_USE` and the codes of {@link migrate}.
 */
export async function openDatabase(options: {
  readonly url?: string | undefined
  readonly folder: string | null
}): Promise<Database> {
  return options.url === undefined ? await openEmbedded(options.folder) : await openPostgres(options.url)
}

async function openEmbedded(folder: string | null): Promise<Database> {
  const [{ PGlite }, { PrismaPGlite }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('pglite-prisma-adapter'),
  ])
  const pglite = await PGlite.create(folder === null ? {} : { dataDir: join(folder, 'database') })
  const connection: MigrationConnection = {
    query: async <Row>(sql: string, parameters?: readonly unknown[]) =>
      (await pglite.query<Row>(sql, [...(parameters ?? [])])).rows,
    script: async (sql) => {
      await pglite.exec(sql)
    },
  }
  const migrated = await migrate(connection, migrationsFolder())
  const prisma = new PrismaClient({ adapter: new PrismaPGlite(pglite) })
  await prisma.$connect()
  const close = async () => {
    await prisma.$disconnect()
    if (!pglite.closed) await pglite.close()
  }
  return { prisma, kind: 'embedded', migrated, close, lost: new Promise(() => undefined) }
}

/** Any number that is not the migrations': a server holds it for as long as it runs. */
const serverLockNumber = 83_101_977

async function openPostgres(url: string): Promise<Database> {
  const [{ default: pg }, { PrismaPg }] = await Promise.all([import('pg'), import('@prisma/adapter-pg')])
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
  } catch (cause) {
    throw new StartError(
      'DATABASE_UNREACHABLE',
      'PostgreSQL at DATABASE_URL does not answer, or refuses this user',
      { cause },
    )
  }
  const connection: MigrationConnection = {
    query: async <Row>(sql: string, parameters?: readonly unknown[]) =>
      (await client.query(sql, [...(parameters ?? [])])).rows as Row[],
    script: async (sql) => {
      await client.query(sql)
    },
  }
  try {
    const migrated = await migrate(connection, migrationsFolder())
    // The log has one writer, which holds the tree in memory. The lock goes with the connection, so with the process.
    const [row] = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      serverLockNumber,
    ])
    if (row?.held !== true)
      throw new StartError(
        'DATABASE_IN_USE',
        'another coordinator is running on this database; one at a time writes the log',
      )
    const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
    const close = async () => {
      await prisma.$disconnect()
      await client.end()
    }
    // The lock is lost with its connection: whoever writes on would be a second writer.
    const lost = new Promise<Error>((resolve) => {
      client.on('error', resolve)
    })
    return { prisma, kind: 'postgresql', migrated, close, lost }
  } catch (error) {
    await client.end()
    throw error
  }
}

// The sources and the built files lie at different depths below the package.
function migrationsFolder(): string {
  for (
    let folder = dirname(fileURLToPath(import.meta.url));
    folder !== dirname(folder);
    folder = dirname(folder)
  ) {
    const candidate = join(folder, 'prisma', 'migrations')
    if (existsSync(join(folder, 'package.json')) && existsSync(candidate)) return candidate
  }
  throw new StartError('MIGRATION_FAILED', 'prisma/migrations is missing from the package')
}
