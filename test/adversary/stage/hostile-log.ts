/** A log whose keeper lies with its own keys: it can show any prefix, sign any tree, and keep two trees side by side. */
import { fromUtf8, toHex, type SigningKey, type StatementType, type Verified } from '#libs/canonical'
import type { CheckpointMessage } from '#libs/protocol'
import { aLog, leafOf, witnessName, type LeafNames, type Party, type TestLog } from '#libs/testing'
import {
  addSignatures,
  cosign,
  encodeLeaf,
  leafHash,
  MerkleTree,
  signCheckpoint,
  verifySignedCheckpoint,
} from '#libs/translog'

export class HostileLog implements TestLog {
  private readonly tree = new MerkleTree()
  private readonly texts: string[] = []
  private readonly indexes = new Map<string, number>()

  private constructor(
    readonly origin: string,
    readonly key: SigningKey,
    readonly coordinatorKey: SigningKey,
  ) {}

  static async make(): Promise<HostileLog> {
    const { origin, key, coordinatorKey } = await aLog()
    return new HostileLog(origin, key, coordinatorKey)
  }

  /** Another tree of the same name and keys, equal to this one in its first `size` leaves. */
  fork(size: number): HostileLog {
    const fork = new HostileLog(this.origin, this.key, this.coordinatorKey)
    for (const [digest, index] of this.indexes) if (index < size) fork.indexes.set(digest, index)
    for (const text of this.texts.slice(0, size)) fork.push(text)
    return fork
  }

  /** Another tree in which an entry stands earlier than what was there first. */
  backdated(at: number, type: StatementType, statement: Pick<Verified<unknown>, 'digest'>, names: LeafNames) {
    const other = this.fork(at)
    other.append(type, statement, names)
    other.copy(this, at)
    return other
  }

  /** Another tree that never had the entry `index`. */
  without(index: number): HostileLog {
    const other = this.fork(index)
    other.copy(this, index + 1)
    return other
  }

  /** Writes an entry once more. */
  double(index: number): void {
    this.push(this.texts[index] ?? '')
  }

  private copy(from: HostileLog, begin: number): void {
    const digests = new Map([...from.indexes].map(([digest, index]) => [index, digest]))
    for (let index = begin; index < from.texts.length; index++) {
      const digest = digests.get(index)
      const place = this.push(from.texts[index] ?? '')
      if (digest !== undefined && !this.indexes.has(digest)) this.indexes.set(digest, place)
    }
  }

  size = () => this.tree.size
  /** In hex. */
  rootAt = (size: number) => toHex(this.tree.root(size))
  indexOf = (digest: string) => this.indexes.get(digest) ?? null

  append(type: StatementType, { digest }: Pick<Verified<unknown>, 'digest'>, names: LeafNames): number {
    const known = this.indexes.get(digest)
    if (known !== undefined) return known
    const index = this.push(fromUtf8(encodeLeaf(leafOf(type, digest, names))))
    this.indexes.set(digest, index)
    return index
  }

  async checkpoint(cosigners: readonly Party[], size = this.tree.size): Promise<CheckpointMessage> {
    const { origin, key } = this
    const root = this.tree.root(size)
    const note = await signCheckpoint({ origin, size, root }, key)
    const signed = await verifySignedCheckpoint(note, { origin, key: key.publicKey })
    const lines = await Promise.all(
      cosigners.map((party) =>
        cosign(signed, {
          name: witnessName(origin, party.thumbprint),
          key: party.daemon,
          timeSeconds: Math.floor(party.clock.now() / 1000),
        }),
      ),
    )
    return { size, root: toHex(root), note: addSignatures(note, lines) }
  }

  inclusion(digest: string, size: number): { index: number; size: number; proof: string[] } {
    const index = this.indexes.get(digest)
    if (index === undefined || index >= size) throw new RangeError(`${digest} is not in a tree of ${size}`)
    return { index, size, proof: this.tree.proveInclusion(index, size).map(toHex) }
  }

  consistency(from: number, to: number): { from: number; to: number; proof: string[] } {
    return { from, to, proof: this.tree.proveConsistency(from, to).map(toHex) }
  }

  leaves(from: number, to: number): { from: number; leaves: string[] } {
    return { from, leaves: this.texts.slice(from, to) }
  }

  private push(text: string): number {
    this.texts.push(text)
    return this.tree.append(leafHash(new TextEncoder().encode(text)))
  }
}
