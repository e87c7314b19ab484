/** An opened output as files: Parquet for programs, CSV for people. */
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tableToCsv, withEngine } from '#libs/engine'
import type { ReleasedTable } from '#libs/protocol'
import { writeDurably } from '../durable-file.js'

/** Writes `<name>.parquet` and `<name>.csv`, readable by their owner alone; replaces what is there. */
export async function writeTable(
  table: ReleasedTable,
  folder: string,
  name: string,
): Promise<readonly string[]> {
  const parquet = join(folder, `${name}.parquet`)
  const csv = join(folder, `${name}.csv`)
  await writeParquet(table, parquet)
  await writeDurably(csv, tableToCsv(table), { replace: true })
  return [parquet, csv]
}

async function writeParquet(table: ReleasedTable, path: string): Promise<void> {
  const partial = `${path}.partial`
  const file = await open(partial, 'w+', 0o600)
  try {
    const { fd } = file
    await withEngine({ descriptors: [{ fd, access: 'write' }] }, (engine) => engine.tableToParquet(table, fd))
    await file.sync()
    await file.close()
    await rename(partial, path)
  } catch (error) {
    await file.close().catch(() => undefined)
    await rm(partial, { force: true })
    throw error
  }
}
