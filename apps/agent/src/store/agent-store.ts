/**
 * The durable memory of an agent: counters, Spends, releases, keys of its data, how far it followed the log. A write returns
 * when it is on disk, whole or not at all. One process at a time holds it; others go through that one (control/), or are refused.
 */
import { LevelStore } from './level-store.js'
import type { Change, RawStore } from './raw-store.js'
import type { Space } from './records.js'
import { openValue, sealValue } from './sealed-values.js'

export type { Change } from './raw-store.js'

export class AgentStore {
  private constructor(
    private readonly raw: RawStore,
    private readonly key: Uint8Array,
    private readonly randomBytes: (length: number) => Uint8Array,
  ) {}

  /**
   * Opens the store in a folder.
   * @throws AgentError `STORE_IN_USE` where another process has it, `STORE_DAMAGED`.
   */
  static async open(
    folder: string,
    key: Uint8Array,
    randomBytes: (length: number) => Uint8Array,
  ): Promise<AgentStore> {
    return AgentStore.over(await LevelStore.open(folder), key, randomBytes)
  }

  /** The store over sealed values that lie elsewhere, as with the daemon. */
  static over(raw: RawStore, key: Uint8Array, randomBytes: (length: number) => Uint8Array): AgentStore {
    return new AgentStore(raw, key, randomBytes)
  }

  async get<Value>(space: Space<Value>, key: string): Promise<Value | undefined> {
    const name = nameOf(space, key)
    const sealed = await this.raw.get(name)
    return sealed === undefined ? undefined : (openValue(this.key, name, sealed) as Value)
  }

  /** All records of a space whose key begins with `prefix`, in the order of their keys, from the key `prefix` + `begin` on. */
  async list<Value>(
    space: Space<Value>,
    prefix = '',
    begin = '',
  ): Promise<readonly (readonly [key: string, value: Value])[]> {
    const from = nameOf(space, prefix)
    const found: [string, Value][] = []
    for await (const [name, sealed] of this.raw.entries(`${from}${begin}`, `${from}\uffff`))
      found.push([name.slice(space.name.length + 1), openValue(this.key, name, sealed) as Value])
    return found
  }

  /** A change for {@link write}. */
  put<Value>(space: Space<Value>, key: string, value: Value): Change {
    const name = nameOf(space, key)
    return { key: name, value: sealValue(this.key, name, value, this.randomBytes) }
  }

  /** A deletion for {@link write}. */
  remove(space: Space<unknown>, key: string): Change {
    return { key: nameOf(space, key), value: undefined }
  }

  /** Writes all changes or none; returns when they are on disk. */
  async write(...changes: readonly Change[]): Promise<void> {
    await this.raw.batch(changes)
  }

  /** For reading, deciding and writing in one piece: one action of a name at a time, over all processes that share the store. */
  async exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    return await this.raw.exclusively(name, action)
  }

  async close(): Promise<void> {
    await this.raw.close()
  }
}

function nameOf(space: Space<unknown>, key: string): string {
  return `${space.name}!${key}`
}
