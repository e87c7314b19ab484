/** Chunked encryption of what fits in memory: sealed parts of requests, outputs, small segments. */
import { blockLength, chunksPerBlock, sealBlock, sealedBlockLength } from './chunk-cipher.node.js'
import { newHeader, openBlock, openHeader } from './chunk-key.node.js'
import { headerLength } from './chunked-format.js'
import { plaintextSize } from './sealed-size.js'

/** Which data key and context some bytes are sealed under. */
export interface OpenOptions {
  /** 32 bytes; one key is for one thing sealed */
  readonly dataKey: Uint8Array
  /** from `segmentContext`, `requestPartContext` or `outputContext` */
  readonly context: Uint8Array
}

/** What sealing needs besides. */
export interface SealOptions extends OpenOptions {
  /** gives the salt; a generator that repeats itself breaks the cipher */
  readonly randomBytes: (length: number) => Uint8Array
}

/**
 * Seals bytes; the length shows, so {@link pad} first what should not tell it.
 * @throws RangeError where the data key is not 32 bytes.
 */
export function sealBytes(options: SealOptions, plaintext: Uint8Array): Uint8Array {
  const { header, chunkKey } = newHeader(options.dataKey, options.context, options.randomBytes)
  const parts = [header]
  for (let start = 0, index = 0; start <= plaintext.length; start += blockLength, index += chunksPerBlock) {
    const block = plaintext.subarray(start, start + blockLength)
    for (const part of sealBlock(chunkKey, index, block, block.length < blockLength)) parts.push(part)
  }
  return Buffer.concat(parts)
}

/**
 * Opens bytes, all or nothing.
 * @throws EnvelopeError `OPEN_FAILED`, whatever the reason.
 */
export function openBytes(options: OpenOptions, sealed: Uint8Array): Uint8Array {
  const plaintext = Buffer.allocUnsafeSlow(plaintextSize(sealed.length))
  const chunkKey = openHeader(options.dataKey, options.context, sealed.subarray(0, headerLength))
  let at = 0
  for (
    let start = headerLength, index = 0;
    start < sealed.length;
    start += sealedBlockLength, index += chunksPerBlock
  )
    for (const chunk of openBlock(chunkKey, index, sealed.subarray(start, start + sealedBlockLength))) {
      plaintext.set(chunk, at)
      at += chunk.length
    }
  return plaintext
}
