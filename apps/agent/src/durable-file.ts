/** Files that are there whole, or not at all, after a crash. */
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AgentError } from './errors.js'

/**
 * Writes a file that only its owner can read, on disk when this returns. With `replace: false` an existing file is an error.
 * @throws AgentError `FILE_UNREADABLE`.
 */
export async function writeDurably(
  path: string,
  content: string | Uint8Array,
  options: { readonly replace: boolean },
): Promise<void> {
  try {
    if (!options.replace && (await exists(path)))
      throw new AgentError('FILE_UNREADABLE', `${path} exists already and is not overwritten`)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const partial = `${path}.partial`
    const file = await open(partial, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be written: ${reasonOf(cause)}`, { cause })
  }
}

/**
 * Reads a file of at most `maximumBytes`.
 * @throws AgentError `FILE_UNREADABLE`.
 */
export async function readBounded(path: string, maximumBytes: number): Promise<Uint8Array> {
  try {
    // Counted as it comes: a file can grow while it is read, and a device says that it has no bytes and never ends.
    const parts: Buffer[] = []
    for await (const part of createReadStream(path, { end: maximumBytes })) parts.push(part as Buffer)
    const bytes = new Uint8Array(Buffer.concat(parts))
    if (bytes.length <= maximumBytes) return bytes
    throw new AgentError(
      'FILE_UNREADABLE',
      `${path} has more than ${maximumBytes} bytes; expected at most that`,
    )
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('FILE_UNREADABLE', `${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

/** What the operating system said, in words for a person. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? (code === '' ? 'unknown reason' : code)
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'this user has no permission',
  EPERM: 'this user has no permission',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  EMFILE: 'too many open files',
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
