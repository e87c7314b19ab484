/**
 * The durable memory of an agent: counters, Spends, releases, keys of its data, how far it followed the log. A write returns
 * when it is on disk, whole or not at all. One process at a time; a second one is refused.
 */
import { ClassicLevel } from 'classic-level'
import { AgentError } from '../errors.js'
import type { Space } from './records.js'
import { openValue, sealValue } from './sealed-values.js'

/** One change of a write; `value` undefined deletes. */
export interface Change {
  readonly key: string
  readonly value: Uint8Array | undefined
}

export class AgentStore {
  private constructor(
    private readonly level: ClassicLevel<string, Uint8Array>,
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
    const level = new ClassicLevel<string, Uint8Array>(folder, { valueEncoding: 'view' })
    try {
      await level.open()
    } catch (cause) {
      if (codeOf(cause) === 'LEVEL_LOCKED')
        throw new AgentError(
          'STORE_IN_USE',
          `${folder} is in use by another process: an agent's store has one daemon`,
          { cause },
        )
      throw new AgentError('STORE_DAMAGED', `${folder} cannot be opened: restore a backup`, { cause })
    }
    return new AgentStore(level, key, randomBytes)
  }

  async get<Value>(space: Space<Value>, key: string): Promise<Value | undefined> {
    const name = nameOf(space, key)
    const sealed = await this.level.get(name)
    return sealed === undefined ? undefined : (openValue(this.key, name, sealed) as Value)
  }

  /** All records of a space whose key begins with `prefix`, in the order of their keys. */
  async list<Value>(
    space: Space<Value>,
    prefix = '',
  ): Promise<readonly (readonly [key: string, value: Value])[]> {
    const from = nameOf(space, prefix)
    const found: [string, Value][] = []
    for await (const [name, sealed] of this.level.iterator({ gte: from, lt: `${from}\uffff` }))
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
    await this.level.batch(
      changes.map(({ key, value }) =>
        value === undefined ? { type: 'del', key } : { type: 'put', key, value },
      ),
      { sync: true },
    )
  }

  async close(): Promise<void> {
    await this.level.close()
  }
}

function nameOf(space: Space<unknown>, key: string): string {
  return `${space.name}!${key}`
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : undefined
}
