/**
 * Chunked encryption of streams whose length nobody knows yet, in bounded memory and in the caller's thread, block by block.
 * Opening goes to a file only: chunks are authentic one by one, but whether they are all there shows at the end, and a
 * consumer of a stream would have used them by then.
 */
import { ftruncateSync, writeSync } from 'node:fs'
import {
  blockLength,
  type ChunkKey,
  chunksPerBlock,
  sealBlock,
  sealedBlockLength,
} from './chunk-cipher.node.js'
import { newHeader, openBlock, openHeader } from './chunk-key.node.js'
import { headerLength, sealedChunkLength, tagLength } from './chunked-format.js'
import { sealedSize } from './sealed-size.js'
import { CiphertextDigest } from './ciphertext-digest.node.js'
import { openFailed } from './errors.js'
import type { OpenOptions, SealOptions } from './sealed-bytes.node.js'
import { emptied, type Sealed } from './sealed-file.node.js'

/** Bytes in pieces of any size: a readable stream of node, a web stream, a generator. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** Seals a stream; each piece is at most about a mebibyte. The generator's return value says what a manifest needs. */
export async function* sealStream(
  options: SealOptions,
  source: ByteSource,
): AsyncGenerator<Uint8Array, Sealed> {
  const { header, chunkKey } = newHeader(options.dataKey, options.context, options.randomBytes)
  const digest = new CiphertextDigest()
  try {
    await digest.update(header)
    yield header
    let plaintextSize = 0
    let index = 0
    for await (const { block, last } of blocksOf(source, blockLength, 0)) {
      const sealed = Buffer.concat(sealBlock(chunkKey, index, block, last))
      index += chunksPerBlock
      plaintextSize += block.length
      await digest.update(sealed)
      yield sealed
    }
    return { plaintextSize, size: sealedSize(plaintextSize), digest: await digest.digest() }
  } finally {
    await digest.close()
  }
}

/**
 * Seals a stream into a file, which is emptied on failure.
 * @throws EnvelopeError `FILE_FAILED`, and the source's own coded errors.
 */
export async function sealStreamToFile(
  options: SealOptions,
  source: ByteSource,
  output: number,
): Promise<Sealed> {
  const pieces = sealStream(options, source)
  try {
    let at = 0
    for (;;) {
      const next = await pieces.next()
      if (next.done === true) {
        ftruncateSync(output, at)
        return next.value
      }
      at += writeAll(output, next.value, at)
    }
  } catch (error) {
    throw emptied(output, error)
  } finally {
    await pieces.return(undefined as never)
  }
}

/**
 * Opens a stream into a file, all or nothing: on failure the file is emptied. The digest returned is for comparing with the
 * one that a manifest or receipt names.
 * @throws EnvelopeError `OPEN_FAILED`, `FILE_FAILED`, and the source's own coded errors.
 */
export async function openStreamToFile(
  options: OpenOptions,
  source: ByteSource,
  output: number,
): Promise<Sealed> {
  const digest = new CiphertextDigest()
  try {
    let chunkKey: ChunkKey | undefined
    let index = 0
    let plaintextSize = 0
    for await (const { block, last } of blocksOf(digested(source, digest), sealedBlockLength, headerLength)) {
      if (chunkKey === undefined) {
        chunkKey = openHeader(options.dataKey, options.context, block)
        if (last) throw openFailed()
        continue
      }
      // The last block must end in a short chunk: with a tag at least, and not full.
      const rest = block.length % sealedChunkLength
      if (last ? rest < tagLength : rest !== 0) throw openFailed()
      for (const chunk of openBlock(chunkKey, index, block))
        plaintextSize += writeAll(output, chunk, plaintextSize)
      index += chunksPerBlock
    }
    ftruncateSync(output, plaintextSize)
    return { plaintextSize, size: sealedSize(plaintextSize), digest: await digest.digest() }
  } catch (error) {
    throw emptied(output, error)
  } finally {
    await digest.close()
  }
}

async function* digested(source: ByteSource, digest: CiphertextDigest): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    await digest.update(piece)
    yield piece
  }
}

// Cuts a stream into one block of `firstLength`, if that is not 0, then blocks of `length`, then one shorter than it should be.
async function* blocksOf(source: ByteSource, length: number, firstLength: number): AsyncGenerator<Block> {
  let wanted = firstLength === 0 ? length : firstLength
  const block = Buffer.allocUnsafeSlow(length)
  let filled = 0
  for await (const piece of source) {
    for (let at = 0; at < piece.length;) {
      const taken = Math.min(wanted - filled, piece.length - at)
      block.set(piece.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled < wanted) continue
      yield { block: block.subarray(0, filled), last: false }
      wanted = length
      filled = 0
    }
  }
  yield { block: block.subarray(0, filled), last: true }
}

interface Block {
  /** valid until the next one is asked for */
  readonly block: Uint8Array
  readonly last: boolean
}

function writeAll(file: number, bytes: Uint8Array, position: number): number {
  for (let written = 0; written < bytes.length;)
    written += writeSync(file, bytes, written, bytes.length - written, position + written)
  return bytes.length
}
