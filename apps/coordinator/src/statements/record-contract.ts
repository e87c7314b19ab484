/**
 * Records proposals and signatures. When the last signatory has signed, the Activation follows in the same transaction, so a
 * fully signed contract without one is never seen.
 */
import { Injectable } from '@nestjs/common'
import {
  payloadBytes,
  saltFrom,
  signStatement,
  unverifiedStatement,
  verifyStatement,
  type PublicKey,
  type Verified,
} from '#libs/canonical'
import {
  activate,
  contractKind,
  endOfDay,
  keysOf,
  parseContract,
  verifyAmendment,
  verifySignatures,
  type ContractPayload,
} from '#libs/contract'
import { activationKind, type Recorded } from '#libs/protocol'
import { ContractBook } from '../contracts/contract-book.js'
import { SignedContracts } from '../contracts/signed-contracts.js'
import { newContractEntry, type ContractEntry } from '../contracts/contract-entry.js'
import { CoordinatorError } from '../errors.js'
import type { Draft } from '../ledger/draft.js'
import { Ledger } from '../ledger/ledger.js'
import { LogSettings } from '../log/public-log.js'
import { IdentityBook } from '../parties/identity-book.js'
import { Randomness } from '../randomness.js'
import { recordUnder } from './run-statements.js'
import type { PostedStatement } from './statement-context.js'

/** Proposals of one party that wait for signatures at one time. */
const maximumOpenProposals = 200

@Injectable()
export class RecordContract {
  constructor(
    private readonly ledger: Ledger,
    private readonly contracts: ContractBook,
    private readonly signed: SignedContracts,
    private readonly identities: IdentityBook,
    private readonly log: LogSettings,
    private readonly randomness: Randomness,
  ) {}

  async record(posted: PostedStatement): Promise<Recorded> {
    const { caller, kid, jws } = posted
    if (caller.kind !== 'party' || caller.thumbprint !== kid)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        `the contract is signed by ${kid}; each signatory brings its own signature`,
      )
    const statement = await verifyStatement(contractKind, jws, this.identities.newest(kid).consentKey)
    return await this.ledger.write(async (draft) => {
      const known = this.contracts.find(statement.id)
      const again = known?.statements.find(({ digest }) => digest === statement.digest)
      if (again !== undefined) return { id: again.id, digest: again.digest, index: again.leafIndex }
      if (known === undefined) this.expectProposable(statement, draft)
      else this.expectSignable(known, statement)
      const entry = known ?? newContractEntry(parseContract(payloadBytes(statement)))
      const recorded = recordUnder(draft, { type: 'contract', statement, contract: entry, run: null })
      const signatures = [
        ...entry.statements.filter(({ type }) => type === 'contract').map((stored) => stored.jws),
        jws,
      ]
      if (signatures.length === entry.contract.terms.governance.signatories.length)
        await this.activate(draft, entry, signatures)
      draft.event({ kind: 'contract', contract: statement.id })
      return recorded
    })
  }

  private expectProposable({ payload, kid }: Verified<ContractPayload>, draft: Draft): void {
    const { log, governance } = payload.terms
    if (payload.by !== kid)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        `the contract is proposed by ${payload.by}; its own signature must come first`,
      )
    if (log.coordinator !== this.log.coordinatorKey.thumbprint || log.key !== this.log.logKey.publicKey.x)
      throw new CoordinatorError(
        'STATEMENT_OTHER_LOG',
        'the contract names another log key or coordinator key than this log has; compare with GET /v1/log',
      )
    if (draft.now > endOfDay(governance.proposalExpires))
      throw new CoordinatorError('PROPOSAL_EXPIRED', `the proposal expired on ${governance.proposalExpires}`)
    if (governance.supersedes !== undefined) this.contracts.getFor(governance.supersedes, kid)
    const open = this.contracts
      .contractsOf(kid)
      .filter((entry) => this.contracts.state(entry) === 'proposed' && entry.contract.payload.by === kid)
    if (open.length >= maximumOpenProposals)
      throw new CoordinatorError(
        'REQUESTS_TOO_MANY',
        `${open.length} proposals of this party wait for signatures`,
      )
  }

  private expectSignable(entry: ContractEntry, { kid }: Verified<ContractPayload>): void {
    const { terms } = entry.contract
    if (!keysOf(terms, terms.governance.signatories).includes(kid))
      throw new CoordinatorError('NOT_ENTITLED', `${kid} is no signatory of contract ${entry.contract.id}`)
    if (entry.signatures.has(kid))
      throw new CoordinatorError(
        'STATEMENT_CONFLICT',
        `${kid} has signed contract ${entry.contract.id} already`,
      )
    const state = this.contracts.state(entry)
    if (state === 'lapsed')
      throw new CoordinatorError(
        'PROPOSAL_EXPIRED',
        `the proposal expired on ${terms.governance.proposalExpires}`,
      )
    if (state !== 'proposed')
      throw new CoordinatorError(
        'CONTRACT_NOT_OPEN',
        `contract ${entry.contract.id} is ${state}; only a proposed one is signed`,
      )
  }

  private async activate(draft: Draft, entry: ContractEntry, signatures: readonly string[]): Promise<void> {
    const { contract } = entry
    const signed = await verifySignatures(contract.payloadBytes, signatures, this.consentKeys(signatures))
    const previous = contract.terms.governance.supersedes
    if (previous !== undefined) verifyAmendment(await this.signed.get(this.contracts.get(previous)), signed)
    const activation = await signStatement(
      activationKind,
      {
        type: 'activation',
        by: this.log.coordinatorKey.thumbprint,
        log: this.log.origin,
        issuedAt: draft.time(),
        salt: saltFrom(this.randomness.bytes),
        contract: contract.id,
        signatures: signed.signatures.map(({ kid, digest }) => ({ signatory: kid, statement: digest })),
      },
      this.log.coordinatorKey,
    )
    activate(signed, { ...activation.payload, recordedAt: draft.now })
    recordUnder(draft, { type: 'activation', statement: activation, contract: entry, run: null })
    if (previous !== undefined) draft.event({ kind: 'contract', contract: previous })
  }

  private consentKeys(signatures: readonly string[]): ReadonlyMap<string, PublicKey> {
    const kids = signatures.map((jws) => unverifiedStatement(jws).kid)
    return new Map(kids.map((kid) => [kid, this.identities.newest(kid).consentKey]))
  }
}
