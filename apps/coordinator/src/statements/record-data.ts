/** Records what data owners seal, and what they and the contract's revokers stop. */
import { Injectable } from '@nestjs/common'
import { decide, keysOf, reasonsOf, type Verdict } from '#libs/contract'
import { manifestKind, revocationKind, withdrawalKind, type Manifest, type Recorded } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { partKey, type ContractEntry } from '../contracts/contract-entry.js'
import { SignedContracts } from '../contracts/signed-contracts.js'
import { CoordinatorError } from '../errors.js'
import type { Draft } from '../ledger/draft.js'
import { Ledger } from '../ledger/ledger.js'
import { RunBook } from '../runs/run-book.js'
import { RunDriver } from '../runs/run-driver.js'
import { isStoppable } from '../runs/run-beginning.js'
import type { StoredRun } from '../storage/rows.js'
import { UploadBook } from '../uploads/upload-book.js'
import { recordUnder } from './run-statements.js'
import type { PostedStatement } from './statement-context.js'
import { StatementVerifier } from './statement-verifier.js'

@Injectable()
export class RecordData {
  constructor(
    private readonly ledger: Ledger,
    private readonly verifier: StatementVerifier,
    private readonly contracts: ContractBook,
    private readonly signed: SignedContracts,
    private readonly uploads: UploadBook,
    private readonly runs: RunBook,
    private readonly driver: RunDriver,
  ) {}

  async manifest(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(manifestKind, posted)
    return await this.ledger.write((draft) => {
      const entry = this.contracts.getFor(statement.payload.contract, posted.by)
      this.expectOpen(entry)
      this.expectOwner(entry, statement.payload)
      this.expectNext(entry, statement.payload)
      this.expectUploaded(statement.payload)
      const recorded = recordUnder(draft, { type: 'manifest', statement, contract: entry, run: null })
      draft.event({ kind: 'contract', contract: entry.contract.id })
      return recorded
    })
  }

  async withdrawal(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(withdrawalKind, posted)
    const { contract: id, dataset, manifest, from, reason } = statement.payload
    const entry = this.contracts.getFor(id, posted.by)
    const signed = await this.signed.get(entry)
    return await this.ledger.write((draft) => {
      expectPermit(decide(signed, 'withdraw', { withdrawal: { by: posted.by, contract: id, dataset } }))
      const recorded = recordUnder(draft, { type: 'withdrawal', statement, contract: entry, run: null })
      draft.event({ kind: 'contract', contract: id })
      if (Date.parse(from) <= draft.now)
        this.stopRuns(draft, id, `${dataset} was withdrawn by its owner: ${reason}`, (run) =>
          run.record.terms.inputs.some(
            (input) =>
              input.dataset === dataset &&
              input.owner === posted.by &&
              (manifest === null || input.manifest === manifest),
          ),
        )
      return recorded
    })
  }

  async revocation(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(revocationKind, posted)
    const { contract: id, subject, from, reason } = statement.payload
    const entry = this.contracts.getFor(id, posted.by)
    const signed = await this.signed.get(entry)
    return await this.ledger.write((draft) => {
      expectPermit(
        decide(signed, 'revoke', { revocation: { by: posted.by, contract: id, kind: subject.kind } }),
      )
      const recorded = recordUnder(draft, { type: 'revocation', statement, contract: entry, run: null })
      draft.event({ kind: 'contract', contract: id })
      if (subject.kind === 'contract' && Date.parse(from) <= draft.now)
        this.stopRuns(draft, id, `the contract was revoked: ${reason}`, () => true)
      return recorded
    })
  }

  private stopRuns(
    draft: Draft,
    contract: string,
    because: string,
    concerns: (run: StoredRun) => boolean,
  ): void {
    for (const { run } of [...this.runs.liveRuns()])
      if (run.contract === contract && isStoppable(run.state) && concerns(run))
        this.driver.apply(draft, run, { kind: 'stopped', because })
  }

  private expectOpen(entry: ContractEntry): void {
    const state = this.contracts.state(entry)
    if (state !== 'active' && state !== 'pending')
      throw new CoordinatorError(
        'CONTRACT_NOT_OPEN',
        `contract ${entry.contract.id} is ${state}; data is taken once it is active`,
      )
  }

  private expectOwner({ contract }: ContractEntry, { by, dataset, kind }: Manifest): void {
    const terms = Object.hasOwn(contract.terms.datasets, dataset)
      ? contract.terms.datasets[dataset]
      : undefined
    if (terms?.kind !== kind || !keysOf(contract.terms, terms.owners).includes(by))
      throw new CoordinatorError('NOT_ENTITLED', `the contract has no ${kind} ${dataset} that ${by} owns`)
  }

  private expectNext(entry: ContractEntry, { by, dataset, sequence, previous }: Manifest): void {
    const last = entry.manifests.get(partKey(by, dataset))?.at(-1)
    const expected = { sequence: (last?.payload.sequence ?? 0) + 1, previous: last?.id ?? null }
    if (sequence !== expected.sequence || previous !== expected.previous)
      throw new CoordinatorError(
        'STATEMENT_CONFLICT',
        `manifest ${sequence} of ${dataset} names ${previous ?? 'none'} as the one before; expected number ${expected.sequence} after ${expected.previous ?? 'none'}`,
      )
  }

  private expectUploaded({ by, segments }: Manifest): void {
    for (const { name, ciphertextDigest, size } of segments) {
      const upload = this.uploads.findStored(ciphertextDigest, by)
      if (upload === undefined)
        throw new CoordinatorError(
          'BLOB_UNKNOWN',
          `segment ${name}: blob ${ciphertextDigest} is not uploaded; upload it first`,
        )
      if (upload.size !== size)
        throw new CoordinatorError(
          'MANIFEST_INVALID',
          `segment ${name}: blob ${ciphertextDigest} has ${upload.size} bytes; the manifest says ${size}`,
        )
    }
  }
}

/**
 * Turns a verdict that is not yes into a refusal that says why.
 * @throws CoordinatorError `RUN_REFUSED` with the refusals.
 */
export function expectPermit(verdict: Verdict): void {
  if (verdict.decision === 'permit') return
  const refusals = reasonsOf(verdict)
  throw new CoordinatorError('RUN_REFUSED', refusals.map(({ text }) => text).join(' '), { refusals })
}
