/** Shows a recorded statement to those whom it concerns. */
import { Injectable } from '@nestjs/common'
import type { Digest } from '#libs/canonical'
import type { RecordedStatement } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { CoordinatorError } from '../errors.js'
import type { Caller } from '../http/caller.js'
import { WorkerPool } from '../runs/worker-pool.js'
import { RunBook } from '../runs/run-book.js'
import { shown } from '../runs/run-view.js'
import { LedgerStore } from '../storage/ledger-store.js'
import type { StoredStatement } from '../storage/rows.js'

@Injectable()
export class StatementReader {
  constructor(
    private readonly store: LedgerStore,
    private readonly contracts: ContractBook,
    private readonly workers: WorkerPool,
    private readonly runs: RunBook,
  ) {}

  /** @throws CoordinatorError `STATEMENT_UNKNOWN`, also to those who may not see it. */
  async read(digest: Digest, caller: Caller): Promise<RecordedStatement> {
    const stored = await this.store.statement(digest)
    if (stored === null || !this.concerns(stored, caller))
      throw new CoordinatorError('STATEMENT_UNKNOWN', `no statement ${digest} is recorded for this caller`)
    return shown(stored)
  }

  private concerns(stored: StoredStatement, caller: Caller): boolean {
    // Identities are what people compare fingerprints of; every party sees them.
    if (stored.contract === null) return caller.kind === 'party' || caller.kind === 'worker'
    if (caller.kind === 'party') return this.contracts.isPartyOf(caller.thumbprint, stored.contract)
    if (caller.kind !== 'worker') return false
    const run = this.runs.findLive(this.workers.find(caller.thumbprint)?.run ?? '')
    return run?.run.contract === stored.contract && (stored.run === null || stored.run === run.run.id)
  }
}
