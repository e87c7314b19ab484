/** Values of a command that keeps nothing: gone when it ends. No daemon and no person's agent runs on it. */
import type { Change, RawStore } from './raw-store.js'

export class MemoryStore implements RawStore {
  private readonly values = new Map<string, Uint8Array>()
  private turn: Promise<unknown> = Promise.resolve()

  get(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.values.get(name))
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the seam is asynchronous, memory is not
  async *entries(from: string, to: string): AsyncIterable<readonly [name: string, value: Uint8Array]> {
    const names = [...this.values.keys()].filter((name) => from <= name && name < to).sort()
    for (const name of names) {
      const value = this.values.get(name)
      if (value !== undefined) yield [name, value]
    }
  }

  batch(changes: readonly Change[]): Promise<void> {
    for (const { key, value } of changes)
      if (value === undefined) this.values.delete(key)
      else this.values.set(key, value)
    return Promise.resolve()
  }

  async exclusively<T>(_name: string, action: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(action)
    this.turn = turn.catch(() => undefined)
    return await turn
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
