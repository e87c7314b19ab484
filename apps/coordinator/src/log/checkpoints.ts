/** Checkpoints with the cosignatures that are known, and the choice of the one that a caller needs next. */
import { Injectable } from '@nestjs/common'
import type { Digest, Thumbprint } from '#libs/canonical'
import type { CheckpointMessage } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { CoordinatorError } from '../errors.js'
import type { Caller } from '../http/caller.js'
import { Ledger } from '../ledger/ledger.js'
import { checkpointAsked } from '../runs/run-driver.js'
import { RunBook } from '../runs/run-book.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { LedgerStore } from '../storage/ledger-store.js'
import { CosignatureBook } from './cosignature-book.js'
import { CosignDemands } from './cosign-demands.js'
import { PublicLog } from './public-log.js'

/** Checkpoints in one answer. */
const pageCheckpoints = 100

@Injectable()
export class Checkpoints {
  constructor(
    private readonly log: PublicLog,
    private readonly cosignatures: CosignatureBook,
    private readonly demands: CosignDemands,
    private readonly runs: RunBook,
    private readonly contracts: ContractBook,
    private readonly workers: WorkerPool,
    private readonly store: LedgerStore,
    private readonly ledger: Ledger,
  ) {}

  /** @throws CoordinatorError `CHECKPOINT_UNKNOWN`. */
  async at(size: number): Promise<CheckpointMessage> {
    // A run in memory may name a checkpoint that is being kept just now: the log signs for it once it is.
    if (size > this.log.size) await this.ledger.settled()
    const { root, note } = await this.log.checkpoint(size)
    return { size, root, note: note + (await this.cosignatures.lines(size)).join('') }
  }

  /** A checkpoint under the log's key alone; the newest where no size is named. @throws CoordinatorError `CHECKPOINT_UNKNOWN`. */
  async bare(size = this.log.size): Promise<CheckpointMessage> {
    const { root, note } = await this.log.checkpoint(size)
    return { size, root, note }
  }

  /** Checkpoints of more than `after` leaves that somebody cosigned, the smallest first, with every cosignature ever recorded. */
  async cosignedAfter(after: number): Promise<readonly CheckpointMessage[]> {
    const bySize = new Map<number, string[]>()
    for (const { size, line } of await this.store.cosignaturesAfter(after, pageCheckpoints))
      bySize.set(size, [...(bySize.get(size) ?? []), line])
    return await Promise.all(
      [...bySize].map(async ([size, lines]) => {
        const { root, note } = await this.log.checkpoint(size)
        return { size, root, note: note + lines.join('') }
      }),
    )
  }

  /** The checkpoint that a run waits or waited for: its Receipt's, before that its Spends'. */
  async ofRun(id: Digest, caller: Caller): Promise<CheckpointMessage> {
    const { run } = await this.runs.get(id)
    const concerns =
      caller.kind === 'party'
        ? this.contracts.isPartyOf(caller.thumbprint, run.contract)
        : caller.kind === 'worker' && this.workers.find(caller.thumbprint)?.run === id
    if (!concerns) throw new CoordinatorError('RUN_UNKNOWN', `run ${id} is not recorded here`)
    return await this.at(run.record.receiptCheckpoint ?? run.record.spendsCheckpoint ?? this.log.size)
  }

  /**
   * What a caller that names nothing needs next: a checkpoint that somebody waits for it to cosign; else the one whose
   * cosignatures its live run waited for; else the newest, over every leaf.
   */
  async forCaller(caller: Caller): Promise<CheckpointMessage> {
    if (caller.kind === 'party') {
      const asked = this.askedOf(caller.thumbprint)
      if (asked !== null) return await this.at(asked)
      const releasing = this.runs
        .ownedBy(caller.thumbprint)
        .filter(({ run }) => run.state === 'collectingReleases')
      const size = Math.max(0, ...releasing.map(({ run }) => run.record.spendsCheckpoint ?? 0))
      // An owner that was started anew before its release waits for cosignatures over the checkpoint that it asked for.
      if (size > 0) return await this.at(Math.max(size, ...this.demands.of(caller.thumbprint)))
    }
    if (caller.kind === 'worker') {
      const record = this.runs.findLive(this.workers.find(caller.thumbprint)?.run ?? '')?.run.record
      const size = record?.receiptCheckpoint ?? record?.spendsCheckpoint ?? null
      if (size !== null) return await this.at(size)
    }
    return await this.at(this.log.size)
  }

  private askedOf(party: Thumbprint): number | null {
    const byRuns = [...this.runs.liveRuns()].flatMap(({ run }) => {
      const asked = checkpointAsked(run.record)
      const concerned = run.record.terms.owners.includes(party) || run.record.terms.witnesses.includes(party)
      return asked !== null && concerned && !run.record.cosigned.includes(party)
        ? [Math.max(asked, this.demands.raised(run.id) ?? 0)]
        : []
    })
    const sizes = [...byRuns, ...this.demands.of(party)].filter((size) => !this.cosignatures.has(size, party))
    return sizes.length === 0 ? null : Math.max(...sizes)
  }
}
