/** What one act is about to change: collected, kept as a whole, only then seen by anybody. */
import type { Digest, StatementType, Thumbprint } from '#libs/canonical'
import type { LogLeaf } from '#libs/translog'
import type { Recorded } from '#libs/protocol'
import {
  emptyChange,
  type Change,
  type StoredEvent,
  type StoredRun,
  type StoredStatement,
} from '../storage/rows.js'

/** A verified statement, and where it belongs. */
export interface StatementToRecord {
  readonly statement: {
    readonly id: Digest
    readonly digest: Digest
    readonly kid: Thumbprint
    readonly jws: string
  }
  readonly type: StatementType
  readonly by: Thumbprint
  readonly attachment?: string | null
  readonly contract: Digest | null
  readonly run: Digest | null
  /** The leaf's pseudonyms; null where the statement is not logged. */
  readonly leaf: Pick<LogLeaf, 'signer' | 'run'> | null
}

type Lists = { -readonly [Name in keyof Change]: Change[Name][number][] }

export class Draft {
  private readonly lists: Lists
  private position: number
  private index: number
  private cursor: number
  readonly effects: (() => void)[] = []

  constructor(
    readonly now: number,
    start: { readonly position: number; readonly size: number; readonly cursor: number },
    private readonly encode: (leaf: LogLeaf) => string,
  ) {
    this.position = start.position
    this.index = start.size
    this.cursor = start.cursor
    this.lists = Object.fromEntries(Object.keys(emptyChange).map((name) => [name, []])) as unknown as Lists
  }

  /** How many leaves the log will have. */
  get size(): number {
    return this.index
  }

  get change(): Change {
    return this.lists
  }

  get isEmpty(): boolean {
    return Object.values(this.lists).every((list) => list.length === 0)
  }

  record({ statement, type, by, attachment = null, contract, run, leaf }: StatementToRecord): Recorded {
    const { id, digest, kid, jws } = statement
    const leafIndex = leaf === null ? null : this.index++
    const stored: StoredStatement = {
      position: ++this.position,
      digest,
      id,
      type,
      signer: by,
      kid,
      jws,
      attachment,
      contract,
      run,
      leafIndex,
      leaf: leaf === null ? null : this.encode({ version: 1, type, digest, ...leaf }),
      recordedAt: this.time(),
    }
    this.lists.statements.push(stored)
    return { id, digest, index: leafIndex }
  }

  run(run: StoredRun): void {
    // One row per run and change: of several steps only the last is kept.
    this.lists.runs = [...this.lists.runs.filter(({ id }) => id !== run.id), run]
    this.event({ kind: 'run', contract: run.contract, run: run.id })
  }

  event(
    event: Pick<StoredEvent, 'kind'> & Partial<Pick<StoredEvent, 'contract' | 'run' | 'party' | 'size'>>,
  ): void {
    this.lists.events.push({
      cursor: ++this.cursor,
      contract: null,
      run: null,
      party: null,
      size: null,
      recordedAt: this.time(),
      ...event,
    })
  }

  add<Name extends 'workers' | 'cosignatures' | 'invitations' | 'uploads'>(
    list: Name,
    row: Change[Name][number],
  ): void {
    ;(this.lists[list] as Change[Name][number][]).push(row)
  }

  /** Does something once the change is kept; it must not fail. */
  afterwards(effect: () => void): void {
    this.effects.push(effect)
  }

  time(): string {
    return new Date(this.now).toISOString()
  }
}
