import { ClassicLevel } from 'classic-level'
import { AgentError } from '../errors.js'
import type { Change, RawStore } from './raw-store.js'

/** A store of this process's own, in a folder. LevelDB's lock keeps a second process out. */
export class LevelStore implements RawStore {
  private readonly queues = new Map<string, Promise<unknown>>()

  private constructor(private readonly level: ClassicLevel<string, Uint8Array>) {}

  /**
   * Opens the store in a folder.
   * @throws AgentError `STORE_IN_USE` where another process has it, `STORE_DAMAGED`.
   */
  static async open(folder: string): Promise<LevelStore> {
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
    return new LevelStore(level)
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return await this.level.get(name)
  }

  async *entries(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    yield* this.level.iterator({ gte: from, lt: to })
  }

  async batch(changes: readonly Change[]): Promise<void> {
    await this.level.batch(
      changes.map(({ key, value }) =>
        value === undefined ? { type: 'del', key } : { type: 'put', key, value },
      ),
      { sync: true },
    )
  }

  async exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    const before = this.queues.get(name) ?? Promise.resolve()
    const turn = before.then(action)
    // Whoever comes next waits for the end, good or bad; the error is the caller's.
    const ended = turn.then(
      () => undefined,
      () => undefined,
    )
    this.queues.set(name, ended)
    try {
      return await turn
    } finally {
      if (this.queues.get(name) === ended) this.queues.delete(name)
    }
  }

  async close(): Promise<void> {
    await this.level.close()
  }
}

function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : undefined
}
