import { readFileSync } from 'node:fs'
import { createMemoryFile, withEngine, type Table } from '#libs/engine'

/** The Parquet bytes of a table, as an agent writes them. */
export async function parquetOf(table: Table): Promise<Uint8Array> {
  const file = createMemoryFile()
  try {
    const descriptors = [{ fd: file.fd, access: 'write' }] as const
    await withEngine({ descriptors }, (engine) => engine.tableToParquet(table, file.fd))
    return new Uint8Array(readFileSync(`/proc/self/fd/${file.fd}`))
  } finally {
    file.discard()
  }
}
