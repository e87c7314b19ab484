/** Records that a recipient takes an output; only then does it get the blob. */
import { Injectable } from '@nestjs/common'
import { unverifiedStatement } from '#libs/canonical'
import { decide, type ReceiptFact } from '#libs/contract'
import { fetchKind, receiptSchema, type Recorded } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { SignedContracts } from '../contracts/signed-contracts.js'
import { CoordinatorError } from '../errors.js'
import { Ledger } from '../ledger/ledger.js'
import { RunBook, type RunEntry } from '../runs/run-book.js'
import { RunDriver } from '../runs/run-driver.js'
import { expectPermit } from './record-data.js'
import { recordedBefore, recordUnder } from './run-statements.js'
import type { PostedStatement } from './statement-context.js'
import { StatementVerifier } from './statement-verifier.js'

@Injectable()
export class RecordFetch {
  constructor(
    private readonly ledger: Ledger,
    private readonly verifier: StatementVerifier,
    private readonly contracts: ContractBook,
    private readonly signed: SignedContracts,
    private readonly runs: RunBook,
    private readonly driver: RunDriver,
  ) {}

  async record(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(fetchKind, posted)
    const { contract: id, run, output, by } = statement.payload
    const contract = this.contracts.getFor(id, posted.by)
    const signed = await this.signed.get(contract)
    const entry = await this.runs.get(run)
    return await this.ledger.write((draft) => {
      const again = recordedBefore(entry, statement.digest)
      if (again !== null) return again
      if (entry.run.contract !== id)
        throw new CoordinatorError('CONTRACT_MISMATCH', `run ${run} is not under contract ${id}`)
      expectPermit(decide(signed, 'fetch', { fetch: { by, run, output }, receipt: receiptOf(entry) }))
      if (entry.run.state !== 'completed')
        throw new CoordinatorError(
          'RUN_STATE_CONFLICT',
          `run ${run} is ${entry.run.state}; outputs are fetched once it is completed`,
        )
      const recorded = recordUnder(draft, { type: 'fetch', statement, contract, run })
      this.driver.noteStatement(draft, entry.run)
      return recorded
    })
  }
}

function receiptOf({ run, statements }: RunEntry): ReceiptFact {
  const stored = statements.find(({ type }) => type === 'receipt')
  if (stored === undefined)
    throw new CoordinatorError('RUN_STATE_CONFLICT', `run ${run.id} is ${run.state} and has no Receipt`)
  const { contract, computation, outcome, outputs } = receiptSchema.parse(
    unverifiedStatement(stored.jws).payload,
  )
  return {
    run: run.id,
    contract,
    computation,
    outcome,
    outputs: outputs.map(({ name, recipients }) => ({
      name,
      recipients: recipients.map(({ party }) => party),
    })),
    cosigners: run.record.cosigned,
  }
}
