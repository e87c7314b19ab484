/**
 * Chunks of C2SP chunked encryption over node's own AES-256-GCM: key derivation, and blocks of up to 64 chunks.
 * Guards: no byte leaves {@link openBlock} before the tag of its chunk is checked. The length of the whole is the callers'
 * to check: they open the last chunk as a short one.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto'
import {
  chunkLength,
  dataKeyLength,
  derivationInfo,
  derivedLength,
  headerLength,
  nonceLength,
  saltLength,
  sealedChunkLength,
  tagLength,
  writeChunkNonce,
} from './chunked-format.js'
import { openFailed } from './errors.js'

/** What seals and opens the chunks of one file. Can be posted to a worker thread. */
export interface ChunkKey {
  readonly key: KeyObject
  readonly baseNonce: Uint8Array
}

/** Chunks a block holds: a system call per mebibyte, and no longer than that on one thread between two turns of its loop. */
export const chunksPerBlock = 64
export const blockLength = chunksPerBlock * chunkLength
export const sealedBlockLength = chunksPerBlock * sealedChunkLength

const algorithm = 'aes-256-gcm'
const options = { authTagLength: tagLength }

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
 * Seals a block whose first chunk is `index`; each chunk is followed by its tag. `last` closes the file: the block then ends
 * in a chunk that is short, perhaps empty.
 */
export function sealBlock(key: ChunkKey, index: number, plaintext: Uint8Array, last: boolean): Uint8Array[] {
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
 * Opens a block whose first chunk is `index`: whole chunks, and a short one at the end if it is the file's last.
 * @throws EnvelopeError `OPEN_FAILED`.
 */
export function openBlock(key: ChunkKey, index: number, sealed: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  const nonce = new Uint8Array(nonceLength)
  for (let start = 0; start < sealed.length; start += sealedChunkLength) {
    const end = Math.min(start + sealedChunkLength, sealed.length) - tagLength
    if (end < start) throw openFailed()
    writeChunkNonce(nonce, key.baseNonce, index++)
    const decipher = createDecipheriv(algorithm, key.key, nonce, options)
    decipher.setAuthTag(sealed.subarray(end, end + tagLength))
    const chunk = decipher.update(sealed.subarray(start, end))
    try {
      decipher.final()
    } catch {
      throw openFailed()
    }
    parts.push(chunk)
  }
  return parts
}

function derive(dataKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const derived = expand(dataKey, derivationInfo(salt, context))
  const chunkKey: ChunkKey = {
    key: createSecretKey(derived.subarray(0, 32)),
    baseNonce: Uint8Array.from(derived.subarray(32, 32 + nonceLength)),
  }
  return { chunkKey, commitment: derived.subarray(32 + nonceLength) }
}

// RFC 5869 §2.3. node's hkdf always extracts first; this format does not, since its data key is already uniform.
function expand(key: Uint8Array, info: Uint8Array): Uint8Array {
  const first = createHmac('sha512', key).update(info).update(Uint8Array.of(1)).digest()
  const second = createHmac('sha512', key).update(first).update(info).update(Uint8Array.of(2)).digest()
  return Buffer.concat([first, second]).subarray(0, derivedLength)
}
