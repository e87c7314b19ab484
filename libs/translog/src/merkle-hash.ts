/**
 * The hashes of RFC 6962 §2.1 (unchanged in RFC 9162 §2.1.1). Leaves and nodes are told apart by their first byte, so no
 * leaf can be passed off as a node.
 */
import { concatBytes, sha256 } from '#libs/canonical'
import { TranslogError } from './errors.js'

/** SHA-256: 32 bytes. */
export type MerkleHash = Uint8Array<ArrayBuffer>

/** Bytes in a hash of the tree. */
export const hashLength = 32

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

/** MTH of no leaves: the hash of nothing. */
export function emptyRoot(): MerkleHash {
  return bytesOf(sha256(new Uint8Array()))
}

/** MTH of one leaf: SHA-256(0x00 ‖ leaf). */
export function leafHash(leaf: Uint8Array): MerkleHash {
  return bytesOf(sha256(concatBytes(leafPrefix, leaf)))
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): MerkleHash {
  return bytesOf(sha256(concatBytes(nodePrefix, left, right)))
}

/** The root over complete subtrees of falling size, left to right; of none, the empty root. */
export function foldPeaks(peaks: readonly MerkleHash[]): MerkleHash {
  return peaks.length === 0 ? emptyRoot() : peaks.reduceRight((right, left) => nodeHash(left, right))
}

/**
 * Sizes and positions come from peers: a count that JavaScript cannot hold exactly is refused.
 * @throws TranslogError `SIZE_INVALID`.
 */
export function expectCount(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new TranslogError('SIZE_INVALID', `${name} is ${value}; expected an integer from 0 to 2^53 - 1`)
  return value
}

/** @throws TranslogError `HASH_MALFORMED` where the bytes are not 32. */
export function expectHash(bytes: Uint8Array, name: string): MerkleHash {
  if (bytes.length !== hashLength)
    throw new TranslogError('HASH_MALFORMED', `${name} has ${bytes.length} bytes; expected ${hashLength}`)
  return bytesOf(bytes)
}

function bytesOf(bytes: Uint8Array): MerkleHash {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as MerkleHash) : new Uint8Array(bytes)
}
