/** What the specs of this library need: tables as sealed Parquet in the memory of a warm engine. */
import { ftruncateSync, readSync } from 'node:fs'
import type { EngineOptions } from './engine-options.node.js'
import { startEngine, type Engine } from './engine.node.js'
import type { ColumnRules, LoadTable, Table, Value } from './tables.js'
import { createMemoryFile, type MemoryFile } from './unlinked-file.node.js'

/** A table of these columns. */
export function tableOf(rules: ColumnRules, values: Readonly<Record<string, readonly Value[]>>): Table {
  const columns = Object.entries(rules).map(([name, { type }]) => ({ name, type }))
  return {
    columns,
    rows: values[columns[0]?.name ?? '']?.length ?? 0,
    values: columns.map(({ name }) => values[name] ?? []),
  }
}

/** One engine that writes tables as Parquet. */
export interface ParquetWriter {
  /** The bytes of a table. */
  readonly write: (table: Table) => Promise<Uint8Array>
  readonly close: () => Promise<void>
}

/** Starts a writer. */
export async function startWriter(): Promise<ParquetWriter> {
  const file = createMemoryFile()
  const engine = await startEngine({ descriptors: [{ fd: file.fd, access: 'write' }] })
  return {
    write: async (table) => {
      await engine.tableToParquet(table, file.fd)
      return bytesOf(file)
    },
    close: async () => {
      await engine.close()
      file.discard()
    },
  }
}

/** Everything that a memory file holds. */
export function bytesOf(file: MemoryFile): Uint8Array {
  const bytes = Buffer.alloc(file.size())
  readSync(file.fd, bytes, 0, bytes.length, 0)
  return bytes
}

/** Replaces what a memory file holds. */
export async function fill(file: MemoryFile, bytes: Uint8Array | string): Promise<void> {
  ftruncateSync(file.fd, 0)
  await file.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, 0)
}

/** A segment, as bytes and the columns it is said to have. */
export interface SegmentForTest {
  readonly bytes: Uint8Array
  readonly columns: readonly string[]
}

/** A table to load, with bytes in place of descriptors. */
export interface LoadForTest extends Omit<LoadTable, 'parts'> {
  readonly parts: readonly { readonly owner: string; readonly segments: readonly SegmentForTest[] }[]
}

/** A warm engine into which these tables were put; `load` is left to the caller. */
export async function warmEngine(
  tables: readonly LoadForTest[],
  options: EngineOptions = {},
): Promise<{ engine: Engine; tables: LoadTable[] }> {
  const count = tables.flatMap(({ parts }) => parts.flatMap(({ segments }) => segments)).length
  const engine = await startEngine({ ...options, inputs: count })
  const free = [...engine.inputs]
  const loads: LoadTable[] = []
  for (const { parts, ...table } of tables) {
    const filled: LoadTable['parts'][number][] = []
    for (const { owner, segments } of parts) {
      const placed: { fd: number; columns: readonly string[] }[] = []
      for (const { bytes, columns } of segments) {
        const file = free.shift()
        if (file === undefined) throw new RangeError('more segments than inputs')
        await fill(file, bytes)
        placed.push({ fd: file.fd, columns })
      }
      filled.push({ owner, segments: placed })
    }
    loads.push({ ...table, parts: filled })
  }
  return { engine, tables: loads }
}
