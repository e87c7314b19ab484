/**
 * A coordinator that an owner's agent speaks to in memory. It records what it is given and shows it again, until a test gives it
 * a lie: then it shows that, and signs it with its own log key where a signature is wanted.
 */
import {
  unverifiedStatement,
  verifyStatement,
  type StatementType,
  type Verified,
  fromBase64url,
} from '#libs/canonical'
import type { CoordinatorClient } from '#libs/client'
import {
  statementKinds,
  statementRules,
  type CheckpointMessage,
  type ContractView,
  type IdentityChainMessage,
  type Recorded,
  type RecordedStatement,
  type RunState,
  type RunView,
} from '#libs/protocol'
import { recordedIn, type Party, type TestContract, type TestRequest } from '#libs/testing'
import type { HostileLog } from './hostile-log.js'

/** How the coordinator lies; what is not named it answers truly. */
export interface Lies {
  readonly contract?: (view: ContractView) => ContractView
  readonly run?: (view: RunView) => RunView
  readonly checkpoint?: () => Promise<CheckpointMessage>
  readonly checkpointOf?: () => Promise<CheckpointMessage>
  /** Another log than the one that was shown before. */
  readonly log?: HostileLog
  readonly statement?: (recorded: RecordedStatement) => RecordedStatement
}

export class LyingCoordinator {
  /** What the owner's agent sent, in its order. */
  readonly heard: Verified<{ readonly by: string }>[] = []
  readonly readiness: { run: string; state: string; reason: string }[] = []
  readonly contractStatements: RecordedStatement[]
  readonly runStatements: RecordedStatement[] = []
  identities: readonly IdentityChainMessage[]
  lies: Lies = {}
  state: RunState = 'awaitingOwners'
  round = 0
  cosignRequests = 0
  /** Who has cosigned the newest checkpoint. */
  cosigners: readonly Party[] = []
  private version = 1

  constructor(
    readonly honestLog: HostileLog,
    private readonly contract: TestContract,
    private readonly asked: TestRequest,
    private readonly victim: Party,
  ) {
    this.contractStatements = [...contract.statements]
    this.identities = contract.identities
  }

  get log(): HostileLog {
    return this.lies.log ?? this.honestLog
  }

  /** Records what somebody signed about the run. */
  record(type: StatementType, statement: Verified<unknown>, signer: string, attachment?: Uint8Array): void {
    this.append(type, statement, signer, this.asked.request.id)
    this.runStatements.push(recordedIn(this.honestLog, type, statement, attachment ?? null))
    this.version++
  }

  /** Records what somebody signed about the contract. */
  recordOfContract(type: StatementType, statement: Verified<unknown>, signer: string): void {
    this.append(type, statement, signer, null)
    this.contractStatements.push(recordedIn(this.honestLog, type, statement))
  }

  ofType(type: StatementType): readonly Verified<{ readonly by: string }>[] {
    return this.heard.filter(({ jws }) => unverifiedStatement(jws).type === type)
  }

  contractView(): ContractView {
    const { id, terms } = this.contract
    const view: ContractView = {
      id,
      name: terms.name,
      state: 'active',
      waitingFor: [],
      statements: [...this.contractStatements],
      identities: this.identities.map(({ thumbprint, statements }) => ({
        thumbprint,
        statements: [...statements],
      })),
    }
    return this.lies.contract?.(view) ?? view
  }

  runView(): RunView {
    const { id, payload } = this.asked.request
    const view: RunView = {
      id,
      contract: payload.contract,
      computation: payload.computation,
      state: this.state,
      version: this.version,
      round: this.round,
      waitingFor: [],
      endedBecause: null,
      requestedAt: payload.issuedAt,
      statements: [...this.runStatements],
      outputs: [],
    }
    return this.lies.run?.(view) ?? view
  }

  /** The coordinator as an agent's client sees it. */
  client(): CoordinatorClient {
    const answers = {
      checkpoint: () => this.lies.checkpoint?.() ?? this.log.checkpoint(this.cosigners),
      checkpointOf: () => this.lies.checkpointOf?.() ?? this.log.checkpoint(this.cosigners),
      checkpointAt: (size: number) => this.log.checkpoint(this.cosigners, Math.min(size, this.log.size())),
      leaves: (from: number, to: number) => Promise.resolve(this.log.leaves(from, to)),
      consistency: (from: number, to: number) => Promise.resolve(this.log.consistency(from, to)),
      contract: () => Promise.resolve(this.contractView()),
      run: () => Promise.resolve(this.runView()),
      statement: (digest: string) => Promise.resolve(this.shown(digest)),
      readiness: (answer: { run: string; state: string; reason: string }) => {
        this.readiness.push(answer)
        return Promise.resolve()
      },
      requestCosignatures: () => Promise.resolve(this.cosignRequests++),
      record: (statement: string, more: { attachment?: string } = {}) => this.hear(statement, more),
    }
    // An agent's part in a run asks nothing else; what it would ask more of a coordinator fails loudly here.
    return answers as unknown as CoordinatorClient
  }

  private async hear(jws: string, { attachment }: { readonly attachment?: string }): Promise<Recorded> {
    const type = unverifiedStatement(jws).type as Exclude<StatementType, 'contract'>
    const statement = await verifyStatement<{ readonly by: string }>(
      statementKinds[type],
      jws,
      this.victim.daemon.publicKey,
    )
    this.heard.push(statement)
    this.record(
      type,
      statement,
      this.victim.thumbprint,
      attachment === undefined ? undefined : fromBase64url(attachment),
    )
    return {
      id: statement.id,
      digest: statement.digest,
      index: this.honestLog.indexOf(statement.digest),
    }
  }

  private append(
    type: StatementType,
    statement: Verified<unknown>,
    signer: string,
    run: string | null,
  ): void {
    if (!statementRules[type].logged) return
    this.honestLog.append(type, statement, { secret: this.contract.terms.log.secret, signer, run })
  }

  private shown(digest: string): RecordedStatement {
    const all = [...this.contractStatements, ...this.runStatements]
    const found = all.find((recorded) => recorded.digest === digest)
    if (found === undefined) throw new RangeError(`${digest} was never recorded`)
    return this.lies.statement?.(found) ?? found
  }
}
