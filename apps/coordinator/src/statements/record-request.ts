/** Admits run requests, and records what approvers say to them. */
import { Injectable } from '@nestjs/common'
import { digest, domains, fromBase64url, type Verified } from '#libs/canonical'
import { computationOf, decide, keysOf, labelOf, witnessQuorum, type ContractTerms } from '#libs/contract'
import { approvalKind, denialKind, runRequestKind, type Recorded, type RunRequest } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { SignedContracts } from '../contracts/signed-contracts.js'
import { CoordinatorError } from '../errors.js'
import { Ledger } from '../ledger/ledger.js'
import { IdentityBook } from '../parties/identity-book.js'
import { admissionFacts, requestFact, requestOf } from '../runs/admission-facts.js'
import { RunBook, type RunEntry } from '../runs/run-book.js'
import { RunDriver } from '../runs/run-driver.js'
import type { RunTerms } from '../runs/run-record.js'
import { admittedRun } from '../runs/run-beginning.js'
import { expectPermit } from './record-data.js'
import { recordedBefore, recordUnder, RunStatements } from './run-statements.js'
import type { PostedStatement } from './statement-context.js'
import { StatementVerifier } from './statement-verifier.js'

@Injectable()
export class RecordRequest {
  constructor(
    private readonly ledger: Ledger,
    private readonly verifier: StatementVerifier,
    private readonly contracts: ContractBook,
    private readonly signed: SignedContracts,
    private readonly identities: IdentityBook,
    private readonly runs: RunBook,
    private readonly driver: RunDriver,
    private readonly statements: RunStatements,
  ) {}

  async request(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(runRequestKind, posted)
    const { payload } = statement
    const contract = this.contracts.getFor(payload.contract, posted.by)
    const signed = await this.signed.get(contract)
    expectAttachment(posted.attachment, domains.ciphertext, payload.sealed.digest, payload.sealed.size)
    const ended = await this.runs.find(statement.id)
    return await this.ledger.write((draft) => {
      const known = this.runs.findLive(statement.id) ?? ended
      if (known !== undefined) return recordedBefore(known, statement.digest) ?? conflictingRun(statement)
      expectPermit(
        decide(
          signed,
          'admit',
          admissionFacts(statement, contract, draft.now, { identities: this.identities, runs: this.runs }),
        ),
      )
      const recorded = recordUnder(draft, {
        type: 'run-request',
        statement,
        contract,
        run: statement.id,
        attachment: posted.attachment,
      })
      const record = admittedRun(termsOf(contract.contract.terms, payload))
      const {
        id: run,
        payload: { computation, by: requester },
      } = statement
      this.driver.put(
        draft,
        {
          id: run,
          contract: payload.contract,
          computation,
          requester,
          requestedAt: draft.time(),
          state: record.state,
          ended: false,
          version: 1,
          round: 0,
          deadlineAt: record.deadlineAt,
          record,
        },
        record,
      )
      return recorded
    })
  }

  async approval(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(approvalKind, posted)
    const { expiresAt, release } = statement.payload
    if (release !== null)
      throw new CoordinatorError(
        'STATEMENT_TYPE_REFUSED',
        'approvals of single releases are not taken yet; approve the run',
      )
    const decided = await this.approverOf(statement.payload)
    return await this.statements.record('approval', statement, (entry, _contract, draft) => {
      decided(entry, draft.now, expiresAt)
      return { kind: 'approved', by: posted.by, expiresAt }
    })
  }

  async denial(posted: PostedStatement): Promise<Recorded> {
    const statement = await this.verifier.ofParty(denialKind, posted)
    const { expiresAt, release } = statement.payload
    if (release !== null)
      throw new CoordinatorError(
        'STATEMENT_TYPE_REFUSED',
        'denials of single releases are not taken yet; deny the run',
      )
    const decided = await this.approverOf(statement.payload)
    return await this.statements.record('denial', statement, (entry, _contract, draft) => {
      decided(entry, draft.now, expiresAt)
      return { kind: 'denied', by: posted.by }
    })
  }

  /** The decision whether a party may say yes or no to a run. */
  private async approverOf({ by, contract, run }: { by: string; contract: string; run: string }) {
    const standing = this.contracts.getFor(contract, by)
    const signed = await this.signed.get(standing)
    await this.statements.live(run)
    return (entry: RunEntry, now: number, expiresAt: string) => {
      expectPermit(
        decide(signed, 'approve', {
          now,
          standing: standing.standing,
          request: requestFact(run, requestOf(entry)),
          approver: { by, expiresAt },
        }),
      )
    }
  }
}

/**
 * Checks that an attachment is what its statement names.
 * @throws CoordinatorError `ATTACHMENT_MISMATCH`; CanonicalError `BYTES_MALFORMED`.
 */
export function expectAttachment(
  attachment: string | null,
  domain: typeof domains.ciphertext | typeof domains.evidenceBytes,
  expected: string,
  size: number | null,
): void {
  if (attachment === null)
    throw new CoordinatorError(
      'ATTACHMENT_MISMATCH',
      `the statement names bytes ${expected}, which must come with it as attachment`,
    )
  const bytes = fromBase64url(attachment)
  const seen = digest(domain, bytes)
  if (seen !== expected || (size !== null && bytes.length !== size))
    throw new CoordinatorError(
      'ATTACHMENT_MISMATCH',
      `the attachment has digest ${seen} and ${bytes.length} bytes; the statement names ${expected}${size === null ? '' : ` and ${size} bytes`}`,
    )
}

/** What a contract and a request fix for a run. */
function termsOf(terms: ContractTerms, request: RunRequest): RunTerms {
  const owners = [...new Set(request.inputs.map(({ owner }) => owner))]
  const approvals = computationOf(terms, request.computation)?.approvals
  const { witnesses, quorum } = witnessQuorum(
    terms,
    owners.flatMap((owner) => labelOf(terms, owner) ?? []),
  )
  return {
    inputs: request.inputs,
    owners,
    approvals:
      approvals === undefined ? null : { from: keysOf(terms, approvals.from), count: approvals.count },
    witnesses,
    quorum,
    recordWaitSeconds: terms.runs.recordWaitSeconds,
    maximumSeconds: terms.runs.maximumSeconds,
    expiresAt: request.expiresAt,
  }
}

function conflictingRun({ id }: Verified<RunRequest>): never {
  throw new CoordinatorError('STATEMENT_CONFLICT', `run ${id} is recorded under another signature`)
}
