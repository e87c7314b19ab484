/** Node's file handles over files in memory without a name, for code that wants a handle and not a number. */
import { open, type FileHandle } from 'node:fs/promises'
import type { MemoryFile } from '#libs/engine'

/** A second descriptor of the same file. Closing it leaves the file as it is; discarding the file empties both. */
export async function handleOf(file: MemoryFile): Promise<FileHandle> {
  return await open(`/proc/self/fd/${file.fd}`, 'r+')
}

/** Gives a handle to whoever needs one, and closes it. */
export async function withHandle<T>(file: MemoryFile, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await handleOf(file)
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}
