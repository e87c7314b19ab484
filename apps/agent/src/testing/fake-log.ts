/** A log in memory behind the fake coordinator: appends, signs checkpoints, proves. */
import { signingKeyFromSeed, toHex, type SigningKey, type StatementType } from '#libs/canonical'
import { encodeLeaf, leafHash, MerkleTree, signCheckpoint } from '#libs/translog'
import { leafOf, seededBytes, type LeafNames } from '#libs/testing'
import { fromUtf8 } from '#libs/canonical'

export class FakeLog {
  private readonly tree = new MerkleTree()
  private readonly leaves: string[] = []
  private readonly indexes = new Map<string, number>()

  private constructor(
    readonly origin: string,
    readonly key: SigningKey,
    readonly coordinatorKey: SigningKey,
  ) {}

  static async make(origin: string): Promise<FakeLog> {
    const randomBytes = seededBytes(`fake-log/${origin}`)
    return new FakeLog(
      origin,
      await signingKeyFromSeed(randomBytes(32)),
      await signingKeyFromSeed(randomBytes(32)),
    )
  }

  get size(): number {
    return this.tree.size
  }

  append(type: StatementType, digest: string, names: LeafNames): number {
    const known = this.indexes.get(digest)
    if (known !== undefined) return known
    const bytes = encodeLeaf(leafOf(type, digest, names))
    const index = this.tree.append(leafHash(bytes))
    this.leaves.push(fromUtf8(bytes))
    this.indexes.set(digest, index)
    return index
  }

  async checkpoint(): Promise<{ size: number; root: string; note: string }> {
    const root = this.tree.root()
    const note = await signCheckpoint({ origin: this.origin, size: this.tree.size, root }, this.key)
    return { size: this.tree.size, root: toHex(root), note }
  }

  leavesBetween(from: number, to: number): { from: number; leaves: string[] } {
    return { from, leaves: this.leaves.slice(from, to) }
  }

  consistency(from: number, to: number): { from: number; to: number; proof: string[] } {
    return { from, to, proof: this.tree.proveConsistency(from, to).map(toHex) }
  }
}
