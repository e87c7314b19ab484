/**
 * The log as its hostile keeper shows it to somebody: other leaves than the honest ones, under good signatures, since the keeper has
 * the key. What it cannot make are the owners' cosignatures.
 */
import { readFile } from 'node:fs/promises'
import { fromBase64url, signingKeyFromSeed, toHex, type SigningKey } from '#libs/canonical'
import { leafHash, MerkleTree, signCheckpoint } from '#libs/translog'
import type { Lie } from './hostile-coordinator.js'

export class ForgedLog {
  private readonly tree = new MerkleTree()

  private constructor(
    private readonly origin: string,
    private readonly key: SigningKey,
    private readonly leaves: readonly string[],
  ) {
    for (const leaf of leaves) this.tree.append(leafHash(new TextEncoder().encode(leaf)))
  }

  /** With the key from the operator's own folder. */
  static async of(leaves: readonly string[], origin: string, seedFile: string): Promise<ForgedLog> {
    const seed = fromBase64url((await readFile(seedFile, 'utf8')).trim())
    return new ForgedLog(origin, await signingKeyFromSeed(seed), leaves)
  }

  /** Answers every question about the log from these leaves, and every other one honestly. */
  get lie(): Lie {
    return async ({ path }, truth) => {
      const url = new URL(path, 'http://log')
      const number = (name: string) => Number(url.searchParams.get(name) ?? this.leaves.length)
      switch (url.pathname) {
        case '/v1/log':
          return { ...(truth as object), size: this.leaves.length }
        case '/v1/log/checkpoint':
          return await this.checkpoint(Math.min(number('size'), this.leaves.length))
        case '/v1/log/leaves':
          return { from: number('from'), leaves: this.leaves.slice(number('from'), number('to')) }
        case '/v1/log/consistency':
          return this.consistency(number('from'), number('to'), truth)
        default:
          return truth
      }
    }
  }

  private async checkpoint(size: number): Promise<object> {
    const root = this.tree.root(size)
    const note = await signCheckpoint({ origin: this.origin, size, root }, this.key)
    return { size, root: toHex(root), note }
  }

  private consistency(from: number, to: number, truth: unknown): unknown {
    if (to > this.leaves.length || from > to) return truth
    return { from, to, proof: this.tree.proveConsistency(from, to).map(toHex) }
  }
}
