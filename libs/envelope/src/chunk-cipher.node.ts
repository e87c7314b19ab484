/**
 * Blocks of chunks through node's own AES-256-GCM.
 * Guards: no byte of a block is given out before the tags of all its chunks are checked. The length of the whole is the
 * callers' to check: they open the last chunk as a short one.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { chunkLength, nonceLength, sealedChunkLength, tagLength, writeChunkNonce } from './chunked-format.js'

/** What seals and opens the chunks of one file. Can be posted to a worker thread. */
export interface ChunkKey {
  readonly key: KeyObject
  readonly baseNonce: Uint8Array
}

/** Chunks a block holds: with 128 KiB in and out it stays in a core's own cache, and system calls stay few. */
export const chunksPerBlock = 8
export const blockLength = chunksPerBlock * chunkLength
export const sealedBlockLength = chunksPerBlock * sealedChunkLength

const algorithm = 'aes-256-gcm'
const options = { authTagLength: tagLength }

/**
 * Seals a block whose first chunk is `index`; each chunk is followed by its tag. `last` closes the file: the block then ends
 * in a chunk that is short, perhaps empty.
 */
export function sealBlock(
  key: ChunkKey,
  index: number,
  plaintext: Uint8Array,
  last: boolean,
): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  const nonce = new Uint8Array(nonceLength)
  const end = last ? plaintext.length + 1 : plaintext.length
  for (let start = 0; start < end; start += chunkLength) {
    writeChunkNonce(nonce, key.baseNonce, index++)
    const cipher = createCipheriv(algorithm, key.key, nonce, options)
    const chunk = cipher.update(plaintext.subarray(start, start + chunkLength))
    cipher.final()
    parts.push(chunk, cipher.getAuthTag())
  }
  return parts
}

/**
 * Opens a block whose first chunk is `index`: whole chunks, and a short one at the end if it is the file's last. Undefined
 * where any of them is not authentic at its place.
 */
export function tryOpenBlock(
  key: ChunkKey,
  index: number,
  sealed: Uint8Array,
): readonly Uint8Array[] | undefined {
  const parts: Uint8Array[] = []
  const nonce = new Uint8Array(nonceLength)
  for (let start = 0; start < sealed.length; start += sealedChunkLength) {
    const end = Math.min(start + sealedChunkLength, sealed.length) - tagLength
    if (end < start) return undefined
    writeChunkNonce(nonce, key.baseNonce, index++)
    const decipher = createDecipheriv(algorithm, key.key, nonce, options)
    decipher.setAuthTag(sealed.subarray(end, end + tagLength))
    const chunk = decipher.update(sealed.subarray(start, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    parts.push(chunk)
  }
  return parts
}
