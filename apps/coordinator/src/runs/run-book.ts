/** Live runs in memory with everything recorded about them; ended ones are read from the database when asked for. */
import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'
import { CoordinatorError } from '../errors.js'
import { LedgerStore } from '../storage/ledger-store.js'
import type { StoredRun, StoredStatement } from '../storage/rows.js'
import { hasEnded } from './run-beginning.js'

export interface RunEntry {
  run: StoredRun
  readonly statements: StoredStatement[]
}

/** How often a computation was used: runs with a Spend, and those without a Receipt of success. */
export interface Usage {
  readonly runs: number
  readonly failures: number
}

/** So many ended runs stay in memory: their parties still read them for a while. */
const heldEnded = 200

@Injectable()
export class RunBook {
  private readonly live = new Map<Digest, RunEntry>()
  private readonly ended = new Map<Digest, RunEntry>()
  private readonly spent = new Map<string, Map<Digest, boolean>>()

  constructor(private readonly store: LedgerStore) {}

  restore(entry: RunEntry): void {
    this.live.set(entry.run.id, entry)
    this.count(entry.run)
  }

  restoreUsage(run: {
    readonly id: Digest
    readonly contract: Digest
    readonly computation: string
    readonly completed: boolean
  }): void {
    this.usageOf(run.contract, run.computation).set(run.id, run.completed)
  }

  apply(run: StoredRun): void {
    const entry = this.live.get(run.id) ?? this.ended.get(run.id) ?? { run, statements: [] }
    entry.run = run
    this.count(run)
    if (!run.ended) {
      this.live.set(run.id, entry)
      return
    }
    this.live.delete(run.id)
    this.hold(entry)
  }

  applyStatement(stored: StoredStatement): void {
    const id = stored.run ?? ''
    const entry = this.live.get(id) ?? this.ended.get(id)
    entry?.statements.push(stored)
  }

  liveRuns(): IterableIterator<RunEntry> {
    return this.live.values()
  }

  findLive(id: Digest): RunEntry | undefined {
    return this.live.get(id)
  }

  async find(id: Digest): Promise<RunEntry | undefined> {
    const held = this.live.get(id) ?? this.ended.get(id)
    if (held !== undefined) return held
    const stored = await this.store.run(id)
    // While it was read the run may have been taken up otherwise; what is in memory is newer.
    const meanwhile = this.live.get(id) ?? this.ended.get(id)
    if (meanwhile !== undefined || stored === null) return meanwhile
    const entry = { run: stored.run, statements: [...stored.statements] }
    this.hold(entry)
    return entry
  }

  /** @throws CoordinatorError `RUN_UNKNOWN`. */
  async get(id: Digest): Promise<RunEntry> {
    const entry = await this.find(id)
    if (entry === undefined) throw new CoordinatorError('RUN_UNKNOWN', `run ${id} is not recorded here`)
    return entry
  }

  usage(contract: Digest, computation: string): Usage {
    const runs = [...this.usageOf(contract, computation).values()]
    return { runs: runs.length, failures: runs.filter((completed) => !completed).length }
  }

  /** Live runs that a party's data goes into. */
  ownedBy(owner: Thumbprint): readonly RunEntry[] {
    return [...this.live.values()].filter(({ run }) => run.record.terms.owners.includes(owner))
  }

  private count(run: StoredRun): void {
    if (run.record.spends.length > 0)
      this.usageOf(run.contract, run.computation).set(run.id, run.record.receipt?.outcome === 'completed')
  }

  private usageOf(contract: Digest, computation: string): Map<Digest, boolean> {
    const key = `${contract} ${computation}`
    const usage = this.spent.get(key) ?? new Map<Digest, boolean>()
    this.spent.set(key, usage)
    return usage
  }

  private hold(entry: RunEntry): void {
    if (!hasEnded(entry.run.state)) return
    this.ended.delete(entry.run.id)
    this.ended.set(entry.run.id, entry)
    const [oldest] = this.ended.keys()
    if (this.ended.size > heldEnded && oldest !== undefined) this.ended.delete(oldest)
  }
}
