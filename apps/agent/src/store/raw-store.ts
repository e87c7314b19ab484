/** Where sealed values lie: in this process's own database, or in the one that the daemon holds. */

/** One change of a write; `value` undefined deletes. Values are sealed: whoever keeps them cannot read them. */
export interface Change {
  readonly key: string
  readonly value: Uint8Array | undefined
}

export interface RawStore {
  get(name: string): Promise<Uint8Array | undefined>
  /** All entries with `from <= name < to`, in the order of their names. */
  entries(from: string, to: string): AsyncIterable<readonly [name: string, value: Uint8Array]>
  /** Writes all changes or none; returns when they are on disk. */
  batch(changes: readonly Change[]): Promise<void>
  /** Runs one action at a time of all that carry this name, over all processes that share the store. */
  exclusively<T>(name: string, action: () => Promise<T>): Promise<T>
  close(): Promise<void>
}
