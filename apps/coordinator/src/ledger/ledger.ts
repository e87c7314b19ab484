/**
 * The one writer. Acts that wait together are planned one after the other, each on what the ones before it change, and kept in
 * one transaction. Only then is anyone answered, any leaf signed for, anything announced: whoever reads meanwhile is answered
 * after it too (`settled`). A crash leaves the whole group or nothing of it.
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
import { emptyChange, type Change, type StoredStatement } from '../storage/rows.js'
import { UploadBook } from '../uploads/upload-book.js'
import { ChangeSignal } from './change-signal.js'
import { Draft } from './draft.js'

/** Acts in one transaction at most; what came later waits for the next. */
const maximumGroup = 256

interface Act {
  readonly plan: (draft: Draft) => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** An act whose turn has been: what it changes and how it is answered once its group is kept. */
interface PlannedAct {
  readonly draft: Draft
  readonly answer: () => void
  readonly reject: (reason: unknown) => void
}

@Injectable()
export class Ledger {
  private readonly waiting: Act[] = []
  private writing: Promise<void> | null = null
  private group: Promise<void> = Promise.resolve()
  /** Digests of the group that is being planned and kept. */
  private readonly pending = new Set<string>()
  private position = 0
  private size = 0
  private cursor = 0
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
    this.size = this.log.size
    for (const stored of contents.standing) this.applyStanding(stored)
    for (const usage of contents.usage) this.runs.restoreUsage(usage)
    for (const run of contents.runs)
      this.runs.restore({ run, statements: contents.ofRuns.filter((stored) => stored.run === run.id) })
    for (const worker of contents.workers) this.workers.apply(worker)
    this.cosignatures.restore(contents.cosignatures)
    for (const invitation of contents.invitations) this.invitations.apply(invitation)
    for (const upload of contents.uploads) this.uploads.apply(upload)
    this.feed.restore(contents.events)
    this.cursor = this.feed.lastCursor
    this.replays.restore(contents.tokens)
  }

  /** Whether the last write succeeded; after one that failed nothing is written until a restart. */
  get isSound(): boolean {
    return this.failure === null
  }

  /**
   * Plans and keeps one act. `plan` sees all that was planned before it and changes nothing but the draft.
   * @throws whatever `plan` throws; then nothing of it is kept. CoordinatorError `STOPPING` where the database failed.
   */
  async write<T>(plan: (draft: Draft) => T | Promise<T>): Promise<T> {
    return await new Promise<T>((resolve, reject) => {
      this.waiting.push({ plan, resolve: resolve as Act['resolve'], reject })
      this.writing ??= this.writeGroups()
    })
  }

  /**
   * Resolves when all that a reader can have seen is kept. What is read here leaves the process only after this.
   * @throws CoordinatorError `STOPPING` where it could not be kept.
   */
  async settled(): Promise<void> {
    await this.group
    this.expectSound()
  }

  /** Keeps tokens that no change took along, so that a restart does not forget them. */
  async flushTokens(): Promise<void> {
    if (this.replays.hasPending()) await this.write(() => undefined)
  }

  /** Resolves when all that was begun is kept. */
  async drained(): Promise<void> {
    while (this.writing !== null) await this.writing
  }

  private async writeGroups(): Promise<void> {
    while (this.waiting.length > 0) {
      this.group = this.writeGroup(this.waiting.splice(0, maximumGroup))
      await this.group
    }
    this.writing = null
  }

  private async writeGroup(acts: readonly Act[]): Promise<void> {
    const wasSound = this.isSound
    const planned: PlannedAct[] = []
    for (const act of acts) planned.push(await this.planAct(act))
    // Once the database failed every act is refused in its turn: nothing is to be kept.
    const kept = wasSound ? await this.keep(planned) : planned.length
    this.pending.clear()
    for (const { draft } of planned.slice(0, kept)) this.announce(draft)
    for (const { answer } of planned.slice(0, kept)) answer()
    for (const { reject } of planned.slice(kept)) reject(this.failure)
  }

  /** What refuses leaves an empty draft, and is answered with the others: its reason may rest on what they change. */
  private async planAct({ plan, resolve, reject }: Act): Promise<PlannedAct> {
    const start = { position: this.position, size: this.size, cursor: this.cursor }
    const newDraft = () => new Draft(this.clock.now(), start, (leaf) => this.log.encode(leaf))
    try {
      this.expectSound()
      const draft = newDraft()
      const result = await plan(draft)
      this.expectRecordable(draft)
      this.take(draft.change)
      const answer = () => {
        resolve(result)
      }
      return { draft, answer, reject }
    } catch (error) {
      const answer = () => {
        reject(error)
      }
      return { draft: newDraft(), answer, reject }
    }
  }

  /** Keeps a group and returns how many of its acts, from the first, are on disk. */
  private async keep(planned: readonly PlannedAct[]): Promise<number> {
    const tokens = { ...emptyChange, tokens: this.replays.takePending() }
    const changes = planned.map(({ draft }) => draft.change)
    try {
      await this.store.commit([tokens, ...changes])
      return planned.length
    } catch (cause) {
      return planned.length > 1 ? await this.keepSingly([tokens, ...changes]) : this.close(cause, 0)
    }
  }

  /**
   * A group that could not be kept: one act alone may be to blame, and those before it are not to suffer. Had the group been
   * kept after all, its positions are taken, so nothing is recorded twice. Later acts rest on the one that failed.
   */
  private async keepSingly([tokens, ...changes]: readonly Change[]): Promise<number> {
    let kept = 0
    try {
      await this.store.commit([tokens ?? emptyChange])
      for (const change of changes) {
        await this.store.commit([change])
        kept++
      }
      return kept
    } catch (cause) {
      return this.close(cause, kept)
    }
  }

  // Nobody knows any more whether rows and memory agree; a restart reads what is.
  private close(cause: unknown, kept: number): number {
    this.failure = cause instanceof Error ? cause : new Error('commit failed')
    this.fail(this.failure)
    return kept
  }

  private expectSound(): void {
    if (this.failure !== null)
      throw new CoordinatorError('STOPPING', 'the database failed; the server must be restarted', {
        cause: this.failure,
      })
  }

  /** Checked in the act's own turn: between its verification and now an Identity may have been renewed, or a twin recorded. */
  private expectRecordable({ change }: Draft): void {
    for (const { digest, signer, kid, type } of change.statements) {
      if (this.pending.has(digest) || this.log.indexOf(digest) !== undefined)
        throw new CoordinatorError('STATEMENT_CONFLICT', `statement ${digest} is recorded already`)
      this.identities.expectSigner(signer, kid, type)
    }
  }

  /**
   * Takes a planned change up, so that the next act is planned on it. Were a book to throw, memory would hold what is not kept:
   * then nothing more is written, and a restart reads what is.
   */
  private take(change: Change): void {
    try {
      this.applyChange(change)
    } catch (cause) {
      this.close(cause, 0)
      throw cause
    }
  }

  private applyChange(change: Change): void {
    for (const { position, leafIndex, digest } of change.statements) {
      this.position = position
      this.pending.add(digest)
      if (leafIndex !== null) this.size = leafIndex + 1
    }
    this.cursor = change.events.at(-1)?.cursor ?? this.cursor
    for (const run of change.runs) this.runs.apply(run)
    for (const stored of change.statements) this.applyStanding(stored)
    for (const worker of change.workers) this.workers.apply(worker)
    for (const cosignature of change.cosignatures) this.cosignatures.apply(cosignature)
    for (const invitation of change.invitations) this.invitations.apply(invitation)
    for (const upload of change.uploads) this.uploads.apply(upload)
  }

  /** Tells of a change that is kept: from here on the log signs for its leaves. */
  private announce({ change, effects, now }: Draft): void {
    for (const { leaf, digest } of change.statements) if (leaf !== null) this.log.append(leaf, digest)
    for (const event of change.events) this.feed.apply(event)
    for (const run of change.runs) this.signal.notify(`run ${run.id}`)
    for (const worker of change.workers) this.signal.notify(`worker ${worker.thumbprint}`)
    for (const effect of effects) effect()
    this.forgetOldTokens(now)
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
