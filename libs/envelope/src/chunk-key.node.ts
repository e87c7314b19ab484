/**
 * From a data key and a context to the key of the chunks, and the header that commits to both.
 * Guards: a header opens under the one data key and context it was made with, and no chunk is touched before that is checked.
 */
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { tryOpenBlock, type ChunkKey } from './chunk-cipher.node.js'
import { dataKeyLength, derivedLength, headerLength, nonceLength, saltLength } from './chunked-format.js'
import { openFailed } from './errors.js'

/**
 * A new header and the chunk key it commits to.
 * @throws RangeError where the data key is not 32 bytes or the generator does not give 24.
 */
export function newHeader(
  dataKey: Uint8Array,
  context: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): { readonly header: Uint8Array; readonly chunkKey: ChunkKey } {
  const salt = randomBytes(saltLength)
  if (dataKey.length !== dataKeyLength || salt.length !== saltLength)
    throw new RangeError(`expected ${dataKeyLength} bytes of data key and ${saltLength} of salt`)
  const { commitment, chunkKey } = derive(dataKey, salt, context)
  return { header: Buffer.concat([salt, commitment]), chunkKey }
}

/**
 * The chunk key of a header, if the header commits to this data key and context.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export function openHeader(dataKey: Uint8Array, context: Uint8Array, header: Uint8Array): ChunkKey {
  if (dataKey.length !== dataKeyLength || header.length !== headerLength) throw openFailed()
  const { commitment, chunkKey } = derive(dataKey, header.subarray(0, saltLength), context)
  if (!timingSafeEqual(commitment, header.subarray(saltLength))) throw openFailed()
  return chunkKey
}

/**
 * Opens a block of chunks of which `index` is the first.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export function openBlock(key: ChunkKey, index: number, sealed: Uint8Array): readonly Uint8Array[] {
  const parts = tryOpenBlock(key, index, sealed)
  if (parts === undefined) throw openFailed()
  return parts
}

function derive(dataKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const suite = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0')
  const derived = nodeExpand(dataKey, Buffer.concat([suite, salt, context]))
  const chunkKey: ChunkKey = {
    key: createSecretKey(derived.subarray(0, 32)),
    baseNonce: Uint8Array.from(derived.subarray(32, 32 + nonceLength)),
  }
  return { chunkKey, commitment: derived.subarray(32 + nonceLength) }
}

/**
 * HKDF-Expand with SHA-512 (RFC 5869 §2.3), 76 bytes of it. node's hkdf always extracts first; this format does not, since its
 * data key is already uniform.
 */
export function nodeExpand(key: Uint8Array, info: Uint8Array): Buffer {
  const first = createHmac('sha512', key).update(info).update(Uint8Array.of(1)).digest()
  const second = createHmac('sha512', key).update(first).update(info).update(Uint8Array.of(2)).digest()
  return Buffer.concat([first, second]).subarray(0, derivedLength)
}
