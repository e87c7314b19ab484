import type { Change, RawStore } from '../../../apps/agent/src/store/raw-store.js'

/** An agent's disk in memory. A copy of it is a backup. */
export class MemoryStore implements RawStore {
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(private readonly values = new Map<string, Uint8Array>()) {}

  backup(): MemoryStore {
    return new MemoryStore(new Map(this.values))
  }

  get(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.values.get(name))
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the seam is asynchronous, memory is not
  async *entries(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    for (const entry of [...this.values].filter(([name]) => from <= name && name < to).toSorted(byName))
      yield entry
  }

  batch(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes)
      if (value === undefined) this.values.delete(key)
      else this.values.set(key, value)
    return Promise.resolve()
  }

  async exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(name) ?? Promise.resolve()).then(action)
    this.turns.set(
      name,
      turn.catch(() => undefined),
    )
    return await turn
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function byName([a]: readonly [string, Uint8Array], [b]: readonly [string, Uint8Array]): number {
  return a < b ? -1 : 1
}
