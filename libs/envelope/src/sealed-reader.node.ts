/**
 * Random access to a sealed file: opens only the chunks that a range touches.
 * Guards: every byte given out is authentic and at its place, and the length is (the last chunk is opened first). Says
 * nothing about chunks that were not read: a file can be damaged elsewhere.
 */
import { fstatSync, read as readCallback } from 'node:fs'
import { promisify } from 'node:util'
import { type ChunkKey, chunksPerBlock } from './chunk-cipher.node.js'
import { openBlock, openHeader } from './chunk-key.node.js'
import { chunkCount, chunkLength, headerLength, sealedChunkLength } from './chunked-format.js'
import { plaintextSize } from './sealed-size.js'
import { EnvelopeError, openFailed } from './errors.js'
import type { OpenOptions } from './sealed-bytes.node.js'

const readFile = promisify(readCallback)

/** A sealed file whose key, context and length are checked. The descriptor stays the caller's to close. */
export interface SealedReader {
  readonly plaintextSize: number
  /**
   * Opens `length` bytes from `offset` on.
   * @throws EnvelopeError `OPEN_FAILED`; RangeError where the range is not within the plaintext.
   */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

/**
 * Checks header and last chunk of a sealed file.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`.
 */
export async function openReader(options: OpenOptions, file: number): Promise<SealedReader> {
  const size = fstatSync(file).size
  const plaintext = plaintextSize(size)
  const chunkKey = openHeader(options.dataKey, options.context, await readExactly(file, 0, headerLength))
  const sealed = { file, size, chunkKey }
  const lastChunk = chunkCount(plaintext) - 1
  await openChunks(sealed, lastChunk, lastChunk + 1)
  return {
    plaintextSize: plaintext,
    read: async (offset, length) => {
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
        throw new RangeError('offset and length must be whole numbers from 0')
      if (offset + length > plaintext)
        throw new RangeError(`the range ends after the ${plaintext} bytes there are`)
      const first = Math.floor(offset / chunkLength)
      const opened = await openChunks(sealed, first, Math.ceil((offset + length) / chunkLength))
      const start = offset - first * chunkLength
      return opened.subarray(start, start + length)
    },
  }
}

interface SealedFile {
  readonly file: number
  readonly size: number
  readonly chunkKey: ChunkKey
}

async function openChunks(sealed: SealedFile, first: number, end: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for (let chunk = first; chunk < end; chunk += chunksPerBlock) {
    const count = Math.min(chunksPerBlock, end - chunk)
    const position = headerLength + chunk * sealedChunkLength
    const length = Math.min(count * sealedChunkLength, sealed.size - position)
    const bytes = await readExactly(sealed.file, position, length)
    for (const part of openBlock(sealed.chunkKey, chunk, bytes)) parts.push(part)
  }
  return Buffer.concat(parts)
}

async function readExactly(file: number, position: number, length: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await readFile(file, bytes, filled, length - filled, position + filled).catch(
      (cause: unknown) => {
        throw new EnvelopeError('FILE_FAILED', 'a sealed file could not be read', { cause })
      },
    )
    if (bytesRead === 0) throw openFailed()
    filled += bytesRead
  }
  return bytes
}
