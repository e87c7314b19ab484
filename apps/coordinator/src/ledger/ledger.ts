/**
 * The one writer. Acts are planned one at a time against what is recorded, kept in one transaction, and only then seen: by
 * readers, by the log's checkpoints, by the event feed. A crash in between leaves all of it or nothing.
 */
import { Injectable } from '@nestjs/common'
import { requestWindowMilliseconds } from '#libs/protocol'
import { Clock } from '../clock.js'
import { ContractBook } from '../contracts/contract-book.js'
import { CoordinatorError } from '../errors.js'
import { EventFeed } from '../events/event-feed.js'
import { ReplayWindow } from '../http/replay-window.js'
import { CosignatureBook } from '../log/cosignature-book.js'
import { PublicLog } from '../log/public-log.js'
import { IdentityBook } from '../parties/identity-book.js'
import { InvitationBook } from '../parties/invitation-book.js'
import { RunBook } from '../runs/run-book.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { LedgerStore } from '../storage/ledger-store.js'
import type { Change, StoredStatement } from '../storage/rows.js'
import { UploadBook } from '../uploads/upload-book.js'
import { ChangeSignal } from './change-signal.js'
import { Draft } from './draft.js'

@Injectable()
export class Ledger {
  private tail: Promise<unknown> = Promise.resolve()
  private position = 0
  private failure: Error | null = null
  private fail: (reason: Error) => void = () => undefined
  /** Resolves when a write failed: the process should end and be started again. */
  readonly failed = new Promise<Error>((resolve) => {
    this.fail = resolve
  })
  private nextTokenSweep = 0

  constructor(
    private readonly store: LedgerStore,
    private readonly clock: Clock,
    private readonly log: PublicLog,
    private readonly identities: IdentityBook,
    private readonly invitations: InvitationBook,
    private readonly contracts: ContractBook,
    private readonly runs: RunBook,
    private readonly workers: WorkerPool,
    private readonly cosignatures: CosignatureBook,
    private readonly uploads: UploadBook,
    private readonly feed: EventFeed,
    private readonly replays: ReplayWindow,
    private readonly signal: ChangeSignal,
  ) {}

  /** Takes up everything that is recorded. Called once, before the first request. */
  async restore(): Promise<void> {
    const contents = await this.store.load(this.clock.now())
    this.position = contents.position
    for (const { leaf, digest } of contents.leaves) this.log.append(leaf, digest)
    for (const stored of contents.standing) this.applyStanding(stored)
    for (const usage of contents.usage) this.runs.restoreUsage(usage)
    for (const run of contents.runs)
      this.runs.restore({ run, statements: contents.ofRuns.filter((stored) => stored.run === run.id) })
    for (const worker of contents.workers) this.workers.apply(worker)
    for (const cosignature of contents.cosignatures) this.cosignatures.apply(cosignature)
    for (const invitation of contents.invitations) this.invitations.apply(invitation)
    for (const upload of contents.uploads) this.uploads.apply(upload)
    this.feed.restore(contents.events)
    this.replays.restore(contents.tokens)
  }

  /** Whether the last write succeeded; after one that failed nothing is written until a restart. */
  get isSound(): boolean {
    return this.failure === null
  }

  /**
   * Plans and keeps one act. `plan` sees only what is recorded and changes nothing but the draft.
   * @throws whatever `plan` throws; then nothing is kept.
   */
  async write<T>(plan: (draft: Draft) => T | Promise<T>): Promise<T> {
    const turn = this.tail.then(() => this.writeNow(plan))
    this.tail = turn.catch(() => undefined)
    return await turn
  }

  /** Keeps tokens that no change took along, so that a restart does not forget them. */
  async flushTokens(): Promise<void> {
    if (this.replays.hasPending()) await this.write(() => undefined)
  }

  /** Resolves when all that was begun is kept. */
  async drained(): Promise<void> {
    await this.tail
  }

  private async writeNow<T>(plan: (draft: Draft) => T | Promise<T>): Promise<T> {
    // After a failed commit nobody knows whether the rows are there; a restart reads what is.
    if (this.failure !== null)
      throw new CoordinatorError('STOPPING', 'the database failed; the server must be restarted', {
        cause: this.failure,
      })
    const start = { position: this.position, size: this.log.size, cursor: this.feed.lastCursor }
    const draft = new Draft(this.clock.now(), start, (leaf) => this.log.encode(leaf))
    const result = await plan(draft)
    const tokens = this.replays.takePending()
    if (draft.isEmpty && tokens.length === 0) return result
    const change: Change = { ...draft.change, tokens }
    try {
      await this.store.commit(change)
    } catch (cause) {
      this.failure = cause instanceof Error ? cause : new Error('commit failed')
      this.fail(this.failure)
      throw cause
    }
    this.apply(change)
    for (const effect of draft.effects) effect()
    this.forgetOldTokens(draft.now)
    return result
  }

  private apply(change: Change): void {
    for (const stored of change.statements) {
      this.position = stored.position
      if (stored.leaf !== null) this.log.append(stored.leaf, stored.digest)
    }
    for (const run of change.runs) this.runs.apply(run)
    for (const stored of change.statements) this.applyStanding(stored)
    for (const worker of change.workers) this.workers.apply(worker)
    for (const cosignature of change.cosignatures) this.cosignatures.apply(cosignature)
    for (const invitation of change.invitations) this.invitations.apply(invitation)
    for (const upload of change.uploads) this.uploads.apply(upload)
    for (const event of change.events) this.feed.apply(event)
    for (const run of change.runs) this.signal.notify(`run ${run.id}`)
    for (const worker of change.workers) this.signal.notify(`worker ${worker.thumbprint}`)
  }

  private applyStanding(stored: StoredStatement): void {
    if (stored.run !== null) this.runs.applyStatement(stored)
    else if (stored.type === 'identity') this.identities.apply(stored)
    else this.contracts.apply(stored)
  }

  private forgetOldTokens(now: number): void {
    if (now < this.nextTokenSweep) return
    this.nextTokenSweep = now + 10 * requestWindowMilliseconds
    // Old tokens harm nobody: a failure here is retried at the next sweep.
    this.store.forgetTokens(now).catch(() => undefined)
  }
}
