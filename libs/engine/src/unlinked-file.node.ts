/**
 * Files without a name, in memory: what a party's clear data stands in while an engine reads it.
 * Guards: no other process finds the bytes by a path, nothing is written to a disk, the child may read but not write.
 * Does not guard against a host that reads memory, nor against swap (the enclave has none).
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  statfsSync,
  unlinkSync,
} from 'node:fs'
import { write } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from './errors.js'

/** `f_type` of tmpfs and ramfs (statfs(2)). */
const memoryFilesystems = new Set([0x01021994, 0x858458f6])

/** Where memory files are made unless something else is configured. */
export const defaultMemoryDirectory = '/dev/shm'

/** A file in memory that has no name. */
export interface MemoryFile {
  /** Descriptor for writing and reading, for the parent alone. */
  readonly fd: number
  /** Descriptor for reading, to hand to a child; after {@link MemoryFile.seal} it cannot be reopened for writing. */
  readonly readFd: number
  /** Writes all bytes at a position. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Length so far in bytes. */
  size(): number
  /** Takes back the right to open it for writing. `fd` itself stays writable until closed. */
  seal(): void
  /** Gives the memory back at once, whoever still holds a descriptor, and closes both. */
  discard(): void
}

/**
 * Makes a file in memory and takes its name away at once.
 * @param directory - a directory on tmpfs or ramfs.
 * @throws EngineError `MEMORY_FILE_FAILED` where the directory is not in memory or cannot be written.
 */
export function createMemoryFile(directory: string = defaultMemoryDirectory): MemoryFile {
  requireMemory(directory)
  const path = join(directory, `sealroom-${randomBytes(16).toString('hex')}`)
  const { fd, readFd } = openNameless(path)
  let open = true
  return {
    fd,
    readFd,
    write: (bytes, position) => writeAll(fd, bytes, position),
    size: () => fstatSync(fd).size,
    seal: () => {
      // The owner of a file may reopen it through /proc/self/fd; mode 0400 leaves reading only.
      fchmodSync(fd, 0o400)
    },
    discard: () => {
      if (!open) return
      open = false
      ftruncateSync(fd, 0)
      closeSync(fd)
      closeSync(readFd)
    },
  }
}

function openNameless(path: string): { fd: number; readFd: number } {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  try {
    const fd = openSync(path, flags, 0o600)
    try {
      return { fd, readFd: openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW) }
    } finally {
      unlinkSync(path)
    }
  } catch (cause) {
    throw new EngineError('MEMORY_FILE_FAILED', 'a file in memory could not be made', {}, { cause })
  }
}

function requireMemory(directory: string): void {
  let type: number
  try {
    type = statfsSync(directory).type
  } catch (cause) {
    throw new EngineError(
      'MEMORY_FILE_FAILED',
      `${directory} cannot be used for files in memory`,
      {},
      { cause },
    )
  }
  if (!memoryFilesystems.has(type))
    throw new EngineError(
      'MEMORY_FILE_FAILED',
      `${directory} is not a tmpfs, so clear data would reach a disk; mount one there or name another directory`,
    )
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const from = done
    done += await new Promise<number>((resolve, reject) => {
      write(fd, bytes, from, bytes.length - from, position + from, (error, written) => {
        if (error) reject(new EngineError('MEMORY_FILE_FAILED', `memory is full: ${error.code ?? 'unknown'}`))
        else resolve(written)
      })
    })
  }
}
