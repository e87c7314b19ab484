import { concatBytes } from '#libs/canonical'
import { expectCount, expectHash, hashLength, nodeHash, type MerkleHash } from './merkle-hash.js'
import { proveConsistency, proveInclusion, proveRoot } from './prove.js'
import { TranslogError } from './errors.js'

/**
 * A log's tree in memory: every complete subtree, level by level, so that appending costs two hashes on average and a
 * proof O(log n). Holds hashes only; leaves are kept elsewhere. 64 bytes a leaf.
 */
export class MerkleTree {
  readonly #levels: HashColumn[] = []

  /** Rebuilds a tree from the hashes of its leaves, in order. */
  static fromLeafHashes(hashes: Iterable<Uint8Array>): MerkleTree {
    const tree = new MerkleTree()
    for (const hash of hashes) tree.append(hash)
    return tree
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#levels[0]?.length ?? 0
  }

  /**
   * Appends a leaf by its hash and returns its index.
   * @throws TranslogError `HASH_MALFORMED`.
   */
  append(leafHash: Uint8Array): number {
    const index = this.size
    let hash = expectHash(leafHash, 'leaf hash')
    for (let level = 0, at = index; ; level++, at = (at - 1) / 2) {
      const column = (this.#levels[level] ??= new HashColumn())
      column.push(hash)
      if (at % 2 === 0) return index
      hash = nodeHash(column.at(at - 1), column.at(at))
    }
  }

  /** The hash of leaf `index`. @throws TranslogError `SIZE_INVALID`. */
  leafHash(index: number): MerkleHash {
    this.#expectWithin(expectCount(index, 'leaf index') + 1)
    return this.#node(0, index)
  }

  /** The root over the first `size` leaves; all by default. @throws TranslogError `SIZE_INVALID`. */
  root(size = this.size): MerkleHash {
    return proveRoot(this.#node, this.#expectWithin(size))
  }

  /** See {@link proveInclusion}. @throws TranslogError `SIZE_INVALID`. */
  proveInclusion(index: number, size = this.size): MerkleHash[] {
    return proveInclusion(this.#node, index, this.#expectWithin(size))
  }

  /** See {@link proveConsistency}. @throws TranslogError `SIZE_INVALID`. */
  proveConsistency(from: number, to = this.size): MerkleHash[] {
    return proveConsistency(this.#node, from, this.#expectWithin(to))
  }

  readonly #node = (level: number, index: number): MerkleHash => {
    const column = this.#levels[level]
    if (column === undefined) throw new TranslogError('SIZE_INVALID', `the tree has no level ${level}`)
    return column.at(index)
  }

  #expectWithin(size: number): number {
    if (expectCount(size, 'tree size') > this.size)
      throw new TranslogError('SIZE_INVALID', `asked for ${size} leaves; the tree has ${this.size}`)
    return size
  }
}

/** Hashes end to end in one buffer that doubles: an object for each hash would cost three times the memory. */
class HashColumn {
  #bytes = new Uint8Array(16 * hashLength)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(hash: MerkleHash): void {
    const offset = this.#length * hashLength
    if (offset === this.#bytes.length) this.#bytes = concatBytes(this.#bytes, new Uint8Array(offset))
    this.#bytes.set(hash, offset)
    this.#length++
  }

  at(index: number): MerkleHash {
    return this.#bytes.slice(index * hashLength, (index + 1) * hashLength)
  }
}
