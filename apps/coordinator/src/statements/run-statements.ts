/** What all statements about a run share: that they are of this run, contract and round, and how they are recorded. */
import { Injectable } from '@nestjs/common'
import { fromBase64url, type Digest, type StatementType, type Verified } from '#libs/canonical'
import type { Recorded } from '#libs/protocol'
import { statementRules } from '#libs/protocol'
import { runPseudonym, signerPseudonym } from '#libs/translog'
import { ContractBook } from '../contracts/contract-book.js'
import type { ContractEntry } from '../contracts/contract-entry.js'
import { CoordinatorError } from '../errors.js'
import type { Draft } from '../ledger/draft.js'
import { Ledger } from '../ledger/ledger.js'
import { RunBook, type RunEntry } from '../runs/run-book.js'
import { RunDriver } from '../runs/run-driver.js'
import type { RunHappening } from '../runs/run-happening.js'

/** A statement about a run. */
export interface AboutRun {
  readonly by: string
  readonly contract: Digest
  readonly run: Digest
  readonly round?: number
}

@Injectable()
export class RunStatements {
  constructor(
    private readonly ledger: Ledger,
    private readonly runs: RunBook,
    private readonly contracts: ContractBook,
    private readonly driver: RunDriver,
  ) {}

  /**
   * A live run that a statement names.
   * @throws CoordinatorError `RUN_UNKNOWN`, `RUN_STATE_CONFLICT` where it has ended.
   */
  async live(run: Digest): Promise<RunEntry> {
    const entry = this.runs.findLive(run)
    if (entry !== undefined) return entry
    const ended = await this.runs.get(run)
    throw new CoordinatorError(
      'RUN_STATE_CONFLICT',
      `run ${run} has ended: ${ended.run.state}${because(ended)}`,
    )
  }

  /**
   * Records a statement about a live run together with what it makes happen. `decide` looks at the run as it stands when its
   * turn has come; what it returns happens in the same transaction.
   */
  async record<P extends AboutRun>(
    type: StatementType,
    statement: Verified<P>,
    decide: (
      entry: RunEntry,
      contract: ContractEntry,
      draft: Draft,
    ) => RunHappening | ((recorded: Recorded) => RunHappening),
    attachment: string | null = null,
  ): Promise<Recorded> {
    const { payload } = statement
    return await this.ledger.write(async (draft) => {
      const entry = await this.live(payload.run)
      const again = recordedBefore(entry, statement.digest)
      if (again !== null) return again
      if (payload.contract !== entry.run.contract)
        throw new CoordinatorError(
          'CONTRACT_MISMATCH',
          `run ${payload.run} is under contract ${entry.run.contract}; the statement names ${payload.contract}`,
        )
      if (payload.round !== undefined && payload.round !== entry.run.round && type !== 'refusal')
        throw new CoordinatorError(
          'ROUND_OTHER',
          `run ${payload.run} is in round ${entry.run.round}; the statement is for round ${payload.round}`,
        )
      const contract = this.contracts.get(entry.run.contract)
      const happening = decide(entry, contract, draft)
      const recorded = recordUnder(draft, { type, statement, contract, run: payload.run, attachment })
      this.driver.apply(draft, entry.run, typeof happening === 'function' ? happening(recorded) : happening)
      return recorded
    })
  }
}

/** The record of a statement that this run holds already: a message may come twice. */
export function recordedBefore(entry: RunEntry, digest: Digest): Recorded | null {
  const stored = entry.statements.find((statement) => statement.digest === digest)
  return stored === undefined ? null : { id: stored.id, digest, index: stored.leafIndex }
}

/** Records a statement under its contract, with the pseudonyms of its leaf. */
export function recordUnder(
  draft: Draft,
  options: {
    readonly type: StatementType
    readonly statement: Verified<{ readonly by: string }>
    readonly contract: ContractEntry
    readonly run: Digest | null
    readonly attachment?: string | null
  },
): Recorded {
  const { type, statement, contract, run } = options
  const secret = fromBase64url(contract.contract.terms.log.secret)
  // Of a contract each signatory signs: the leaf names the one who did.
  const signer = type === 'contract' ? statement.kid : statement.payload.by
  return draft.record({
    statement,
    type,
    by: signer,
    attachment: options.attachment ?? null,
    contract: contract.contract.id,
    run,
    leaf: statementRules[type].logged
      ? { signer: signerPseudonym(secret, signer), run: run === null ? null : runPseudonym(secret, run) }
      : null,
  })
}

function because({ run }: RunEntry): string {
  return run.record.endedBecause === null ? '' : ` (${run.record.endedBecause})`
}
