/** A data owner's own file, opened once: what is profiled is what is sealed. */
import { open, type FileHandle } from 'node:fs/promises'
import type { FileFormat } from '#libs/engine'
import { reasonOf } from '../durable-file.js'
import { AgentError } from '../errors.js'

export interface SourceFile {
  readonly path: string
  readonly file: FileHandle
  readonly format: FileFormat
  /** tells this content from a later one of the same path */
  readonly mark: string
}

const parquetMagic = 'PAR1'

/**
 * Opens a CSV or Parquet file, told apart by its first bytes.
 * @throws AgentError `FILE_UNREADABLE`.
 */
export async function openSource(path: string): Promise<SourceFile> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (cause) {
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
  try {
    const found = await file.stat({ bigint: true })
    if (!found.isFile()) throw new AgentError('FILE_UNREADABLE', `${path} is not a regular file`)
    const start = Buffer.alloc(parquetMagic.length)
    await file.read(start, 0, start.length, 0)
    const format = start.toString('latin1') === parquetMagic ? 'parquet' : 'csv'
    return { path, file, format, mark: `${found.size}-${found.mtimeNs}-${found.ino}` }
  } catch (error) {
    await file.close()
    throw error
  }
}
