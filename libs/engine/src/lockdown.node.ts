/**
 * Shuts the database: after it no file, no extension, no setting. Data is loaded first, since loading needs files.
 * Guards: generated SQL that is wrong, or a flaw in its generator, against reaching outside the loaded tables.
 * What stays possible inside (macros, variables, sleep) is for {@link refuseUnsafe} and for the generator.
 */
import type { DuckDBConnection } from '@duckdb/node-api'

/** Settings from the first moment on; none of them stands in the way of loading. */
export function openingSettings(threads: number, memoryBytes: number): Record<string, string> {
  return {
    threads: String(threads),
    memory_limit: `${Math.floor(memoryBytes / 1_000_000)}MB`,
    temp_directory: '',
    max_temp_directory_size: '0GB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_unsigned_extensions: 'false',
    allow_persistent_secrets: 'false',
    preserve_insertion_order: 'true',
    // Would keep a second copy of every input in memory, and answer from it after the input changed.
    enable_external_file_cache: 'false',
  }
}

const shutting = [
  `SET autoinstall_known_extensions = false`,
  `SET autoload_known_extensions = false`,
  `SET allow_community_extensions = false`,
  `SET allow_persistent_secrets = false`,
  `SET temp_directory = ''`,
  `SET max_temp_directory_size = '0GB'`,
  `SET enable_logging = false`,
  `SET disabled_filesystems = 'LocalFileSystem'`,
  `SET enable_external_access = false`,
  `SET lock_configuration = true`,
]

/** Each must fail once the database is shut. */
const mustFail = [
  `SET threads = 1`,
  `RESET memory_limit`,
  `SET disabled_filesystems = ''`,
  `FROM read_text('/proc/self/status')`,
  `FROM glob('/*')`,
  `COPY (SELECT 1) TO '/tmp/out.csv'`,
  `ATTACH '/tmp/out.db'`,
  `LOAD httpfs`,
]

/** Applies the settings and tries that they hold. False where one does not: the caller must then not go on. */
export async function shutDatabase(connection: DuckDBConnection): Promise<boolean> {
  for (const statement of shutting) await connection.run(statement)
  for (const statement of mustFail) if (await succeeds(connection, statement)) return false
  return true
}

async function succeeds(connection: DuckDBConnection, statement: string): Promise<boolean> {
  try {
    await connection.run(statement)
    return true
  } catch {
    return false
  }
}
