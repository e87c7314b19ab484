/**
 * A coordinator in memory for the specs of the `sealroom` command: records what it is given, shows it again, asks no questions.
 * It activates a contract when every signatory has signed, and can be told to break an upload or refuse a kind of statement.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  fromBase64url,
  saltFrom,
  signStatement,
  statementDigest,
  statementId,
  unverifiedStatement,
  type JsonValue,
  type StatementType,
} from '#libs/canonical'
import { parseContract, keysOf, type ContractTerms } from '#libs/contract'
import { activationKind, type RecordedStatement, type RunState } from '#libs/protocol'
import { seededBytes, testOrigin } from '#libs/testing'
import { FakeLog } from './fake-log.js'
import { FakeUploads } from './fake-uploads.js'

export interface Refusal {
  readonly code: string
  readonly detail: string
}

interface FakeContract {
  readonly terms: ContractTerms
  readonly statements: RecordedStatement[]
  active: boolean
}

interface FakeRun {
  readonly contract: string
  readonly computation: string
  readonly requestedAt: string
  readonly statements: RecordedStatement[]
  state: RunState
}

export class FakeCoordinator {
  readonly uploads = new FakeUploads()
  readonly identities = new Map<string, string[]>()
  readonly contracts = new Map<string, FakeContract>()
  readonly runs = new Map<string, FakeRun>()
  /** by statement type: refuse the next one */
  readonly refusals = new Map<string, Refusal>()
  private readonly random = seededBytes('fake-coordinator')

  private constructor(
    readonly log: FakeLog,
    private readonly server: Server,
    private readonly now: () => number,
  ) {}

  static async start(now: () => number, origin = testOrigin): Promise<FakeCoordinator> {
    const server = createServer()
    const coordinator = new FakeCoordinator(await FakeLog.make(origin), server, now)
    server.on('request', (request, response) => {
      void coordinator.serve(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return coordinator
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    const body = await bodyOf(request)
    if (this.uploads.serve(request, body, url, response)) return
    const answer = await this.answer(request.method ?? 'GET', url, body)
    const refused = answer !== null && typeof answer === 'object' && 'refused' in answer
    response.writeHead(refused ? 409 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refused ? problem((answer as { refused: Refusal }).refused) : answer))
  }

  private async answer(method: string, url: URL, body: Buffer): Promise<unknown> {
    const [, , collection = '', id = ''] = url.pathname.split('/')
    const number = (name: string) => Number(url.searchParams.get(name))
    if (method === 'POST' && url.pathname === '/v1/statements')
      return await this.record(JSON.parse(body.toString()) as { statement: string; attachment?: string })
    switch (collection) {
      case 'log':
        if (id === 'checkpoint') return await this.log.checkpoint()
        if (id === 'leaves') return this.log.leavesBetween(number('from'), number('to'))
        if (id === 'consistency') return this.log.consistency(number('from'), number('to'))
        return {
          origin: this.log.origin,
          logKey: this.log.key.publicKey,
          coordinatorKey: this.log.coordinatorKey.publicKey,
          size: this.log.size,
        }
      case 'identities':
        if (id === '') return { identities: [...this.identities.keys()].map((party) => this.chain(party)) }
        return this.identities.has(id)
          ? this.chain(id)
          : { refused: { code: 'IDENTITY_UNKNOWN', detail: 'no such party' } }
      case 'contracts':
        if (id === '')
          return {
            contracts: [...this.contracts].map(([contract, { terms, active }]) => ({
              id: contract,
              name: terms.name,
              state: active ? 'active' : 'proposed',
            })),
          }
        return this.contractView(id)
      case 'runs':
        return this.answerRuns(method, id, url)
      case 'events':
        return { events: [], next: 0 }
      default:
        return { refused: { code: 'NOT_FOUND', detail: 'no such thing' } }
    }
  }

  private answerRuns(method: string, id: string, url: URL): unknown {
    if (id === '') {
      const contract = url.searchParams.get('contract')
      const runs = [...this.runs].filter(([, run]) => run.contract === contract)
      return {
        runs: runs.map(([run, { computation, state, requestedAt }]) => ({
          id: run,
          contract,
          computation,
          state,
          requestedAt,
        })),
      }
    }
    const run = this.runs.get(id)
    if (run === undefined) return { refused: { code: 'RUN_UNKNOWN', detail: 'no such run' } }
    if (method === 'POST') {
      run.state = 'cancelled'
      return {}
    }
    const { contract, computation, state, requestedAt, statements } = run
    return {
      id,
      contract,
      computation,
      state,
      version: statements.length,
      round: 0,
      waitingFor: [],
      endedBecause: null,
      requestedAt,
      statements,
      outputs: [],
    }
  }

  private contractView(id: string): unknown {
    const contract = this.contracts.get(id)
    if (contract === undefined) return { refused: { code: 'CONTRACT_UNKNOWN', detail: 'no such contract' } }
    const { terms, statements, active } = contract
    const signed = statements
      .filter(({ type }) => type === 'contract')
      .map(({ statement }) => unverifiedStatement(statement).kid)
    const waitingFor = keysOf(terms, terms.governance.signatories).filter((key) => !signed.includes(key))
    const identities = Object.values(terms.parties).flatMap(({ key }) =>
      this.identities.has(key) ? [this.chain(key)] : [],
    )
    return { id, name: terms.name, state: active ? 'active' : 'proposed', waitingFor, statements, identities }
  }

  private chain(thumbprint: string): { thumbprint: string; statements: string[] } {
    return { thumbprint, statements: this.identities.get(thumbprint) ?? [] }
  }

  private async record(message: { statement: string; attachment?: string }): Promise<unknown> {
    const { type, payload } = unverifiedStatement(message.statement)
    const refusal = this.refusals.get(type)
    if (refusal !== undefined) {
      this.refusals.delete(type)
      return { refused: refusal }
    }
    const recorded = this.append(type as StatementType, payload, message)
    if (type === 'identity') this.keepIdentity(member(payload, 'by'), message.statement)
    else if (type === 'contract') await this.keepContract(recorded)
    else if (type === 'run-request') this.keepRun(payload, recorded)
    else this.keepAct(payload, recorded)
    return { id: recorded.id, digest: recorded.digest, index: recorded.index }
  }

  private append(
    type: StatementType,
    payload: JsonValue,
    { statement, attachment }: { statement: string; attachment?: string },
  ): RecordedStatement {
    const id = statementId(type, fromBase64url(statement.split('.')[1] ?? ''))
    const digest = statementDigest(statement)
    const contract = type === 'contract' ? null : (this.contracts.get(member(payload, 'contract')) ?? null)
    const names = {
      secret: contract?.terms.log.secret ?? null,
      signer: member(payload, 'by'),
      run: member(payload, 'run') || null,
    }
    const index = this.log.append(type, digest, names)
    return { type, id, digest, index, statement, attachment: attachment ?? null }
  }

  private keepIdentity(party: string, statement: string): void {
    const chain = this.identities.get(party) ?? []
    if (!chain.includes(statement)) this.identities.set(party, [...chain, statement])
  }

  private async keepContract(recorded: RecordedStatement): Promise<void> {
    const { terms } = parseContract(fromBase64url(recorded.statement.split('.')[1] ?? ''))
    const contract = this.contracts.get(recorded.id) ?? { terms, statements: [], active: false }
    this.contracts.set(recorded.id, contract)
    contract.statements.push(recorded)
    const signatures = contract.statements.map(({ statement, digest }) => ({
      signatory: unverifiedStatement(statement).kid,
      statement: digest,
    }))
    if (signatures.length < terms.governance.signatories.length) return
    const fields = {
      type: 'activation' as const,
      by: this.log.coordinatorKey.thumbprint,
      log: this.log.origin,
      issuedAt: new Date(this.now()).toISOString(),
      salt: saltFrom(this.random),
    }
    const activation = await signStatement(
      activationKind,
      { ...fields, contract: recorded.id, signatures },
      this.log.coordinatorKey,
    )
    contract.statements.push(
      this.append('activation', { ...fields, contract: recorded.id }, { statement: activation.jws }),
    )
    contract.active = true
  }

  private keepRun(payload: JsonValue, recorded: RecordedStatement): void {
    const run: FakeRun = {
      contract: member(payload, 'contract'),
      computation: member(payload, 'computation'),
      requestedAt: member(payload, 'issuedAt'),
      statements: [recorded],
      state: 'awaitingOwners',
    }
    this.runs.set(recorded.id, run)
  }

  private keepAct(payload: JsonValue, recorded: RecordedStatement): void {
    const target = this.runs.get(member(payload, 'run')) ?? this.contracts.get(member(payload, 'contract'))
    if (target !== undefined && !target.statements.some(({ digest }) => digest === recorded.digest))
      target.statements.push(recorded)
  }
}

function member(payload: JsonValue, name: string): string {
  const value =
    typeof payload === 'object' && payload !== null ? (payload as Record<string, JsonValue>)[name] : undefined
  return typeof value === 'string' ? value : ''
}

function problem({ code, detail }: Refusal): object {
  return {
    type: 'about:blank',
    title: code,
    status: 409,
    code,
    detail,
    requestId: 'fake',
    refusals: [{ rule: 'fake.rule', expected: 'this', seen: 'that', who: 'the fake', text: detail }],
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
