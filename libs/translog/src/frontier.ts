import { concatBytes, equalBytes } from '#libs/canonical'
import { TranslogError } from './errors.js'
import { emptyRoot, expectHash, foldPeaks, hashLength, nodeHash, type MerkleHash } from './merkle-hash.js'

/**
 * The right edge of a tree: the roots of its complete subtrees, at most 53 hashes, enough to go on appending. An agent
 * keeps it durably, appends every new leaf, and compares the root with the checkpoint: that proves consistency, and the
 * agent has seen every leaf. Immutable, so a step that fails leaves the old state whole.
 */
export class Frontier {
  /** The tree without leaves. */
  static readonly empty = new Frontier(0, [])

  /** How many leaves the tree has. */
  readonly size: number
  readonly #peaks: readonly MerkleHash[]

  private constructor(size: number, peaks: readonly MerkleHash[]) {
    this.size = size
    this.#peaks = peaks
  }

  /**
   * The frontier after further leaves, given by their hashes in order.
   * @throws TranslogError `HASH_MALFORMED`.
   */
  extend(leafHashes: Iterable<Uint8Array>): Frontier {
    const peaks = [...this.#peaks]
    let size = this.size
    for (const leaf of leafHashes) {
      let hash = expectHash(leaf, 'leaf hash').slice()
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2)
        hash = nodeHash(peaks.pop() ?? emptyRoot(), hash)
      peaks.push(hash)
      size++
    }
    return new Frontier(size, peaks)
  }

  /** The root of the tree. */
  root(): MerkleHash {
    return foldPeaks(this.#peaks).slice()
  }

  /** Whether the tree is the one of `size` leaves under `root`. */
  is(size: number, root: Uint8Array): boolean {
    return this.size === size && equalBytes(this.root(), root)
  }

  /** Size as 8 bytes big-endian, then the peaks, largest first. */
  serialize(): Uint8Array<ArrayBuffer> {
    const size = new DataView(new ArrayBuffer(8))
    size.setBigUint64(0, BigInt(this.size))
    return concatBytes(new Uint8Array(size.buffer), ...this.#peaks)
  }

  /**
   * Reads what {@link Frontier.serialize} wrote; nothing may be missing or left over.
   * Says nothing about whether the hashes are the log's: compare with a checkpoint.
   * @throws TranslogError `FRONTIER_MALFORMED`.
   */
  static parse(bytes: Uint8Array): Frontier {
    if (bytes.length < 8)
      throw new TranslogError('FRONTIER_MALFORMED', `${bytes.length} bytes; expected at least 8`)
    const size = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0)
    if (size > BigInt(Number.MAX_SAFE_INTEGER))
      throw new TranslogError('FRONTIER_MALFORMED', `size ${size.toString()} is above 2^53 - 1`)
    // A tree has one complete subtree for each binary one of its size.
    const count = size.toString(2).replaceAll('0', '').length
    const expected = 8 + count * hashLength
    if (bytes.length !== expected)
      throw new TranslogError(
        'FRONTIER_MALFORMED',
        `${bytes.length} bytes; expected ${expected} for size ${size.toString()}`,
      )
    const peaks = Array.from({ length: count }, (_, i) =>
      expectHash(bytes.slice(8 + i * hashLength, 8 + (i + 1) * hashLength), `peak ${i}`),
    )
    return new Frontier(Number(size), peaks)
  }
}

/** The root of the tree over leaves that are given by their hashes. */
export function rootOf(leafHashes: Iterable<Uint8Array>): MerkleHash {
  return Frontier.empty.extend(leafHashes).root()
}
