/**
 * Proofs of RFC 9162 §2.1.3.1 and §2.1.4.1, over any store of complete subtrees. A log keeps those in memory
 * ({@link MerkleTree}) or as tiles; the walk is the same and reads O(log n) nodes.
 */
import { TranslogError } from './errors.js'
import { expectCount, foldPeaks, type MerkleHash } from './merkle-hash.js'

/** The hash of the complete subtree over the leaves from `index * 2^level` up to `(index + 1) * 2^level`. */
export type ReadNode = (level: number, index: number) => MerkleHash

/**
 * The root of the tree of the first `size` leaves.
 * @throws TranslogError `SIZE_INVALID`.
 */
export function proveRoot(read: ReadNode, size: number): MerkleHash {
  return rangeRoot(read, 0, expectCount(size, 'tree size'))
}

/**
 * The audit path of leaf `index` in the tree of the first `size` leaves, from the leaf upwards.
 * @throws TranslogError `SIZE_INVALID` where the leaf is not in that tree.
 */
export function proveInclusion(read: ReadNode, index: number, size: number): MerkleHash[] {
  expectCount(size, 'tree size')
  if (expectCount(index, 'leaf index') >= size)
    throw new TranslogError('SIZE_INVALID', `leaf ${index} is not in a tree of ${size} leaves`)
  const proof: MerkleHash[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const split = start + splitOf(end - start)
    const left = index < split
    proof.push(left ? rangeRoot(read, split, end) : rangeRoot(read, start, split))
    if (left) end = split
    else start = split
  }
  return proof.reverse()
}

/**
 * The proof that the tree of the first `to` leaves extends the tree of the first `from` leaves. From an empty tree, and
 * from a tree to itself, there is nothing to prove and the proof is empty.
 * @throws TranslogError `SIZE_INVALID` where `from` is larger than `to`.
 */
export function proveConsistency(read: ReadNode, from: number, to: number): MerkleHash[] {
  expectCount(to, 'newer tree size')
  if (expectCount(from, 'older tree size') > to)
    throw new TranslogError('SIZE_INVALID', `a tree of ${to} leaves cannot extend one of ${from}`)
  if (from === 0 || from === to) return []
  const proof: MerkleHash[] = []
  let [start, end] = [0, to]
  // RFC 9162 §2.1.4.1: `start` stays 0 for as long as the older tree is a subtree that the verifier already knows.
  while (end !== from) {
    const split = start + splitOf(end - start)
    const left = from <= split
    proof.push(left ? rangeRoot(read, split, end) : rangeRoot(read, start, split))
    if (left) end = split
    else start = split
  }
  if (start !== 0) proof.push(rangeRoot(read, start, end))
  return proof.reverse()
}

// Every range of the walk starts at a multiple of the largest power of two that fits into it, so its peaks are stored nodes.
function rangeRoot(read: ReadNode, start: number, end: number): MerkleHash {
  const peaks: MerkleHash[] = []
  for (let at = start; at < end;) {
    const { level, span } = largestPowerIn(end - at)
    peaks.push(read(level, at / span))
    at += span
  }
  return foldPeaks(peaks)
}

/** Powers of two are found by doubling: a rounded logarithm would be wrong for sizes near 2^48. */
function largestPowerIn(count: number): { level: number; span: number } {
  let level = 0
  let span = 1
  while (span * 2 <= count) {
    level++
    span *= 2
  }
  return { level, span }
}

/** The largest power of two smaller than `count`, where RFC 9162 §2.1.1 splits a tree; `count` is at least 2. */
function splitOf(count: number): number {
  return largestPowerIn(count - 1).span
}
