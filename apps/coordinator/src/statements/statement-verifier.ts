/** Signature and authority of posted statements: the right key for the type, and that the caller is who makes it. */
import { Injectable } from '@nestjs/common'
import { verifyStatement, type StatementKind, type Verified } from '#libs/canonical'
import { verifyPartyStatement } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { IdentityBook } from '../parties/identity-book.js'
import type { RunEntry } from '../runs/run-book.js'
import { WorkerPool } from '../runs/worker-pool.js'
import type { StoredRun } from '../storage/rows.js'
import type { PostedStatement } from './statement-context.js'

@Injectable()
export class StatementVerifier {
  constructor(
    private readonly identities: IdentityBook,
    private readonly workers: WorkerPool,
  ) {}

  /**
   * A party's own statement, under the key that its newest Identity names for such an act.
   * @throws CoordinatorError `STATEMENT_NOT_BY_CALLER`; ProtocolError, CanonicalError.
   */
  async ofParty<P extends { readonly by: string }>(
    kind: StatementKind<P>,
    posted: PostedStatement,
  ): Promise<Verified<P>> {
    if (posted.caller.kind !== 'party' || posted.by !== posted.caller.thumbprint)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        `the statement is by ${posted.by}; each party brings its own`,
      )
    return await verifyPartyStatement(kind, posted.jws, await this.identities.chain(posted.by), {
      newestOnly: true,
    })
  }

  /**
   * A statement of an enclave, under the receipt key of the round's Offer, brought by the worker that the run reserved.
   * @throws CoordinatorError `WORKER_STATE_CONFLICT`, `RUN_STATE_CONFLICT`; CanonicalError.
   */
  async ofEnclave<P extends { readonly by: string }>(
    kind: StatementKind<P>,
    posted: PostedStatement,
    entry: RunEntry,
  ): Promise<Verified<P>> {
    this.expectReserved(posted, entry.run)
    const { offer } = entry.run.record
    if (offer === null)
      throw new CoordinatorError('RUN_STATE_CONFLICT', `run ${entry.run.id} has no Offer in this round`)
    const statement = await verifyStatement(kind, posted.jws, offer.receiptKey)
    if (statement.payload.by !== statement.kid)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        `the statement says it is by ${statement.payload.by}; it is signed by ${statement.kid}`,
      )
    return statement
  }

  /** @throws CoordinatorError `WORKER_STATE_CONFLICT`. */
  expectReserved({ caller }: PostedStatement, run: StoredRun): void {
    const worker = caller.kind === 'worker' ? this.workers.find(caller.thumbprint) : undefined
    if (worker?.run !== run.id || worker.state !== 'reserved' || run.record.worker !== worker.thumbprint)
      throw new CoordinatorError(
        'WORKER_STATE_CONFLICT',
        `run ${run.id} is not reserved for this caller in its round ${run.round}`,
      )
  }
}
