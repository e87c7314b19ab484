import type { Hash } from 'node:crypto'
import { readSync } from 'node:fs'

/** Something to hash next: bytes, or a range of an open file. */
export type DigestRequest =
  Uint8Array<ArrayBuffer> | { readonly file: number; readonly position: number; readonly length: number }

const readLength = 2 ** 20

/** How many bytes a request stands for. */
export function requestLength(request: DigestRequest): number {
  return request.length
}

/**
 * Hashes a request.
 * @throws Error of the system where a file cannot be read or is shorter than the range.
 */
export function absorb(hash: Hash, request: DigestRequest): void {
  if (request instanceof Uint8Array) {
    hash.update(request)
    return
  }
  const buffer = Buffer.allocUnsafeSlow(Math.min(readLength, request.length))
  const end = request.position + request.length
  for (let position = request.position; position < end;) {
    const read = readSync(request.file, buffer, 0, Math.min(buffer.length, end - position), position)
    if (read === 0) throw new Error('the file is shorter than it was')
    hash.update(buffer.subarray(0, read))
    position += read
  }
}
