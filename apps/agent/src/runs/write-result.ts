/** Opened outputs as files: Parquet for programs, CSV for people. */
import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { startEngine, tableToCsv, type Engine } from '#libs/engine'
import type { ReleasedTable } from '#libs/protocol'
import { writeDurably } from '../durable-file.js'

/**
 * Writes tables into a folder. Its engine is started with the writer, which takes as long as checking a receipt does; it sees nothing
 * before {@link TableWriter.write}. Close it, whatever happens.
 */
export class TableWriter {
  private constructor(
    private readonly folder: string,
    /** without a name: what a stopped command leaves in it is gone with the command */
    private readonly scratch: FileHandle,
    private readonly engine: Promise<Engine>,
  ) {}

  static async begin(folder: string): Promise<TableWriter> {
    const path = join(folder, '.table.partial')
    const scratch = await open(path, 'w+', 0o600)
    await rm(path, { force: true })
    const engine = startEngine({ descriptors: [{ fd: scratch.fd, access: 'write' }] })
    // A failure shows to whoever writes.
    engine.catch(() => undefined)
    return new TableWriter(folder, scratch, engine)
  }

  /** Writes `<name>.parquet` and `<name>.csv`, readable by their owner alone; replaces what is there. */
  async write(table: ReleasedTable, name: string): Promise<readonly string[]> {
    const parquet = join(this.folder, `${name}.parquet`)
    const csv = join(this.folder, `${name}.csv`)
    const { fd } = this.scratch
    await (await this.engine).tableToParquet(table, fd)
    await writeDurably(parquet, await this.written(), { replace: true })
    await writeDurably(csv, tableToCsv(table), { replace: true })
    return [parquet, csv]
  }

  async close(): Promise<void> {
    await this.engine.then(
      (engine) => engine.close(),
      () => undefined,
    )
    await this.scratch.close()
  }

  private async written(): Promise<Uint8Array> {
    const { size } = await this.scratch.stat()
    const bytes = Buffer.alloc(size)
    let read = 0
    while (read < size) {
      const { bytesRead } = await this.scratch.read(bytes, read, size - read, read)
      if (bytesRead === 0) break
      read += bytesRead
    }
    return bytes.subarray(0, read)
  }
}
