/** The log: the tree in memory, its checkpoints, its proofs. Rows are the truth; this is rebuilt from them at a start. */
import { Injectable } from '@nestjs/common'
import { fromUtf8, toHex, utf8, type SigningKey } from '#libs/canonical'
import { encodeLeaf, leafHash, MerkleTree, signCheckpoint, type LogLeaf } from '#libs/translog'
import { CoordinatorError } from '../errors.js'

/** A checkpoint with the log's own signature. */
export interface OwnCheckpoint {
  readonly size: number
  /** In hexadecimal. */
  readonly root: string
  readonly note: string
}

export abstract class LogSettings {
  abstract readonly origin: string
  abstract readonly logKey: SigningKey
  abstract readonly coordinatorKey: SigningKey
}

/** So many checkpoints stay signed in memory. */
const heldCheckpoints = 256

@Injectable()
export class PublicLog {
  private readonly tree = new MerkleTree()
  private readonly leaves: string[] = []
  private readonly indexes = new Map<string, number>()
  private readonly checkpoints = new Map<number, Promise<OwnCheckpoint>>()

  constructor(private readonly settings: LogSettings) {}

  get size(): number {
    return this.tree.size
  }

  get origin(): string {
    return this.settings.origin
  }

  /** The text of a leaf, before it is recorded. */
  encode(leaf: LogLeaf): string {
    return fromUtf8(encodeLeaf(leaf))
  }

  /** Appends a leaf whose row is recorded; `digest` is the one that it commits to. */
  append(leaf: string, digest: string): void {
    this.indexes.set(digest, this.tree.append(leafHash(utf8(leaf))))
    this.leaves.push(leaf)
  }

  indexOf(digest: string): number | undefined {
    return this.indexes.get(digest)
  }

  /** The checkpoint of a size, signed; the same bytes each time, since Ed25519 signs without randomness. */
  async checkpoint(size = this.tree.size): Promise<OwnCheckpoint> {
    if (size > this.tree.size || size < 0)
      throw new CoordinatorError('CHECKPOINT_UNKNOWN', `the log has ${this.tree.size} leaves, not ${size}`)
    const held = this.checkpoints.get(size)
    if (held !== undefined) return await held
    const signing = this.sign(size)
    this.checkpoints.set(size, signing)
    const [oldest] = this.checkpoints.keys()
    if (this.checkpoints.size > heldCheckpoints && oldest !== undefined) this.checkpoints.delete(oldest)
    return await signing
  }

  leavesBetween(from: number, to: number): readonly string[] {
    return this.leaves.slice(from, to)
  }

  /** @throws CoordinatorError `LEAF_UNKNOWN`; TranslogError `SIZE_INVALID`. */
  inclusion(digest: string, size: number): { index: number; proof: string[] } {
    const index = this.indexes.get(digest)
    if (index === undefined) throw new CoordinatorError('LEAF_UNKNOWN', `no leaf commits to ${digest}`)
    if (index >= size)
      throw new CoordinatorError(
        'LEAF_UNKNOWN',
        `the leaf of ${digest} is number ${index}; the tree asked for has ${size}`,
      )
    return { index, proof: this.tree.proveInclusion(index, size).map(toHex) }
  }

  /** @throws TranslogError `SIZE_INVALID`. */
  consistency(from: number, to: number): string[] {
    return this.tree.proveConsistency(from, to).map(toHex)
  }

  private async sign(size: number): Promise<OwnCheckpoint> {
    const root = this.tree.root(size)
    return {
      size,
      root: toHex(root),
      note: await signCheckpoint({ origin: this.origin, size, root }, this.settings.logKey),
    }
  }
}
