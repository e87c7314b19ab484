/**
 * Moves runs: applies the state machine within a draft, reserves workers, asks for cosignatures, watches deadlines. The
 * clock is one; there are no timers per run, so a restart resumes where the records stand.
 */
import { Injectable } from '@nestjs/common'
import type { Digest } from '#libs/canonical'
import { Clock } from '../clock.js'
import { ContractBook } from '../contracts/contract-book.js'
import { CoordinatorError } from '../errors.js'
import type { Draft } from '../ledger/draft.js'
import { Ledger } from '../ledger/ledger.js'
import type { StoredRun } from '../storage/rows.js'
import { BeginDecision } from './begin-decision.js'
import { RunBook, type RunEntry } from './run-book.js'
import type { RunRecord } from './run-record.js'
import { hasEnded } from './run-beginning.js'
import type { RunHappening, RunTimeouts } from './run-happening.js'
import { advance } from './run-state.js'
import { WorkerPool } from './worker-pool.js'

export abstract class RunSettings implements RunTimeouts {
  abstract readonly nonceSeconds: number
  abstract readonly offerSeconds: number
  abstract readonly outputKeysSeconds: number
  abstract readonly maximumRounds: number
  abstract readonly workerSilentSeconds: number
  abstract readonly maximumWaitSeconds: number
}

@Injectable()
export class RunDriver {
  private readonly startedAt: number

  constructor(
    private readonly ledger: Ledger,
    private readonly runs: RunBook,
    private readonly workers: WorkerPool,
    private readonly contracts: ContractBook,
    private readonly begin: BeginDecision,
    private readonly clock: Clock,
    private readonly settings: RunSettings,
  ) {
    this.startedAt = clock.now()
  }

  /**
   * Applies what happened to a run, and what follows from it, within one draft. Where nothing changes nothing is written,
   * unless a statement was recorded with it: then the run's version grows all the same.
   */
  apply(draft: Draft, run: StoredRun, happening: RunHappening): StoredRun {
    const record = advance(run.record, happening, draft.now, this.settings)
    if (record === run.record) return run
    // A round begins on what is recorded; a vote in this very draft is not yet, so that round begins right after it.
    if (happening.kind !== 'approved') return this.put(draft, run, this.reserve(draft, run, record))
    if (record.state === 'awaitingWorker')
      draft.afterwards(() => void this.offerWork().catch(() => undefined))
    return this.put(draft, run, record)
  }

  /** Puts an admitted run's first record. */
  put(draft: Draft, run: StoredRun, record: RunRecord): StoredRun {
    const next: StoredRun = {
      ...run,
      record,
      state: record.state,
      ended: hasEnded(record.state),
      version: record.version,
      round: record.round,
      deadlineAt: record.deadlineAt,
    }
    draft.run(next)
    this.takeWorker(draft, run, record)
    this.releaseWorker(draft, run.record, record)
    const asked = checkpointAsked(record)
    if (asked !== null && asked !== checkpointAsked(run.record))
      draft.event({ kind: 'cosign', contract: run.contract, run: run.id, size: asked })
    return next
  }

  /** A statement was recorded that moves nothing: readers see a newer version all the same. */
  noteStatement(draft: Draft, run: StoredRun): void {
    this.put(draft, run, { ...run.record, version: run.record.version + 1 })
  }

  /** Applies something to a live run in a draft of its own. */
  async happen(id: Digest, happening: RunHappening): Promise<void> {
    await this.ledger.write((draft) => {
      const entry = this.runs.findLive(id)
      if (entry === undefined) throw new CoordinatorError('RUN_STATE_CONFLICT', `run ${id} has ended`)
      this.apply(draft, entry.run, happening)
    })
  }

  /** Gives a worker that began to wait the run that has waited longest. */
  async offerWork(): Promise<void> {
    const waiting = [...this.runs.liveRuns()]
      .filter(({ run }) => run.state === 'awaitingWorker' && this.findWorker(run) !== undefined)
      .sort((a, b) => a.run.requestedAt.localeCompare(b.run.requestedAt))
    for (const { run } of waiting) {
      await this.begin.prepare(run.contract)
      await this.ledger.write((draft) => {
        const entry = this.runs.findLive(run.id)
        if (entry?.run.state !== 'awaitingWorker') return
        const record = this.reserve(draft, entry.run, entry.run.record)
        if (record !== entry.run.record) this.put(draft, entry.run, record)
      })
    }
  }

  /** Looks at every deadline and every reserved worker once. */
  async sweep(): Promise<void> {
    const now = this.clock.now()
    for (const entry of [...this.runs.liveRuns()]) {
      const happening = this.overdue(entry, now)
      if (happening !== null) await this.happenIfLive(entry.run.id, happening)
    }
    await this.retireWorkers(now)
    await this.offerWork()
  }

  private overdue({ run }: RunEntry, now: number): RunHappening | null {
    const { deadlineAt, worker } = run.record
    if (deadlineAt !== null && Date.parse(deadlineAt) <= now) return { kind: 'deadline' }
    return worker !== null && this.isSilent(worker, now) ? { kind: 'workerLost' } : null
  }

  private async happenIfLive(id: Digest, happening: RunHappening): Promise<void> {
    await this.ledger.write((draft) => {
      const entry = this.runs.findLive(id)
      if (entry !== undefined) this.apply(draft, entry.run, happening)
    })
  }

  private isSilent(worker: string, now: number): boolean {
    if (this.workers.isPolling(worker)) return false
    const seen = this.workers.lastSeen(worker) ?? this.startedAt
    return now - seen > this.settings.workerSilentSeconds * 1000
  }

  private async retireWorkers(now: number): Promise<void> {
    for (const worker of [...this.workers.all()]) {
      if (!this.isSilent(worker.thumbprint, now)) continue
      if (worker.state === 'idle')
        await this.ledger.write((draft) => {
          draft.add('workers', { ...worker, state: 'ended' })
        })
      if (worker.state !== 'reserved') this.workers.forget(worker.thumbprint)
    }
  }

  private reserve(draft: Draft, run: StoredRun, record: RunRecord): RunRecord {
    const entry = this.runs.findLive(run.id)
    if (record.state !== 'awaitingWorker' || entry === undefined) return record
    const worker = this.findWorker(run)
    if (worker === undefined) return record
    const begin = this.begin.decide(entry, draft.now)
    if (begin.kind === 'unknown') return record
    if (begin.kind === 'no')
      return advance(record, { kind: 'stopped', because: begin.because }, draft.now, this.settings)
    return advance(record, { kind: 'reserved', worker: worker.thumbprint }, draft.now, this.settings)
  }

  private takeWorker(draft: Draft, run: StoredRun, record: RunRecord): void {
    if (record.worker !== null && record.worker !== run.record.worker)
      draft.add('workers', { ...this.workers.get(record.worker), state: 'reserved', run: run.id })
  }

  // An instance serves one run: whether it opened anything only its host can tell, so it is never reserved again.
  private releaseWorker(draft: Draft, before: RunRecord, after: RunRecord): void {
    if (before.worker === null || before.worker === after.worker) return
    const worker = this.workers.find(before.worker)
    if (worker !== undefined) draft.add('workers', { ...worker, state: 'ended' })
  }

  /** A contract says which TEEs and measurements it accepts; offering others would only waste a round. */
  private findWorker(run: StoredRun) {
    const { enclaves } = this.contracts.get(run.contract).contract.terms
    return this.workers.findIdle(({ tee, measurement }) =>
      enclaves.some(
        (entry) =>
          entry.tee === tee && (!('measurement' in entry) || entry.measurement.includes(measurement)),
      ),
    )
  }
}

/** The size of the checkpoint that a run wants cosigned. */
export function checkpointAsked(record: RunRecord): number | null {
  if (record.state === 'recordingSpends') return record.spendsCheckpoint
  if (record.state === 'recordingReceipt') return record.receiptCheckpoint
  return null
}
