/**
 * The coordinator: it keeps runs by the honest machine, records what it is given, and shows it again, until it lies. It has the keys
 * of the log and of no party: cosignatures it only passes on.
 */
import {
  statementDigest,
  statementId,
  fromBase64url,
  unverifiedStatement,
  type Digest,
  type StatementType,
} from '#libs/canonical'
import { ClientError } from '#libs/client'
import {
  statementRules,
  type CheckpointMessage,
  type ContractView,
  type Event,
  type IdentityChainMessage,
  type Offer,
  type Receipt,
  type Recorded,
  type RecordedStatement,
  type RunRequest,
  type RunState,
  type RunView,
  type WorkerEnd,
} from '#libs/protocol'
import { CodedError } from '#libs/canonical'
import { admittedRun } from '../../apps/coordinator/src/runs/run-beginning.js'
import type { RunHappening } from '../../apps/coordinator/src/runs/run-happening.js'
import { advance } from '../../apps/coordinator/src/runs/run-state.js'
import type { RunRecord } from '../../apps/coordinator/src/runs/run-record.js'
import type { HostileLog } from '../adversary/stage/hostile-log.js'
import type { Cast } from './cast.js'
import type { Exchange } from './forged-offer.js'
import { Shown, type Viewer } from './shown.js'

/** A statement that somebody signed and let out of hand, whatever became of it. */
export interface Heard {
  readonly from: Viewer
  readonly type: StatementType
  readonly jws: string
  readonly id: Digest
  readonly digest: Digest
  readonly payload: HeardPayload
}

/** The fields that statements about runs share, as far as these tests read them. */
export type HeardPayload = Readonly<Record<string, unknown>> & {
  readonly by: string
  readonly contract: string
  readonly run: string
}

/** A cosignature that a data owner gave out. */
export interface HeardCosignature {
  readonly party: string
  readonly root: string
  readonly size: number
  /** how much had been heard before it */
  readonly after: number
}

/** What becomes of the next message of somebody. */
export type Fate = 'recorded' | 'lost' | 'answerLost' | 'delayed' | 'unlogged'

interface KeptRun {
  record: RunRecord
  readonly request: RunRequest
  readonly id: Digest
  statements: RecordedStatement[]
  version: number
  /** what the coordinator says that it never had */
  forgotten: KeptRun['statements']
  /** what the coordinator claims beside what its machine says */
  claim: { readonly state: RunState } | null
}

const timeouts = { nonceSeconds: 60, offerSeconds: 60, outputKeysSeconds: 60, maximumRounds: 4 }

export class Keeper {
  readonly heard: Heard[] = []
  readonly cosignatures: HeardCosignature[] = []
  readonly runs = new Map<Digest, KeptRun>()
  readonly contractStatements: RecordedStatement[]
  readonly shown: Shown
  readonly blobs = new Map<string, Uint8Array>()
  identities: IdentityChainMessage[]
  /** Puts Offers of its own in the place of a worker's. */
  exchange: Exchange | null = null
  private readonly fates = new Map<Viewer, Fate[]>()
  private readonly late: {
    readonly from: Viewer
    readonly jws: string
    readonly attachment: string | null
  }[] = []
  private readonly feed: Event[] = []
  private readonly lines = new Map<string, Map<string, string>>()
  /** how long the log was when cosignatures were last asked for */
  private demanded = Infinity

  constructor(private readonly cast: Cast) {
    this.shown = new Shown(cast.log)
    this.identities = [...cast.contract.identities]
    const manifests = Object.values(cast.versions).map(({ manifest: { id, digest, jws } }) => ({
      type: 'manifest' as const,
      id,
      digest,
      statement: jws,
      attachment: null,
      index: cast.log.indexOf(digest),
    }))
    this.contractStatements = [...cast.contract.statements, ...manifests]
    for (const { manifest, segments } of Object.values(cast.versions))
      segments.forEach(({ sealed }, at) => {
        this.blobs.set(manifest.payload.segments[at]?.ciphertextDigest ?? '', sealed)
      })
    this.tell({ kind: 'contract', contract: cast.contract.id })
    this.demandCosignatures()
  }

  get log(): HostileLog {
    return this.cast.log
  }

  get trees(): readonly HostileLog[] {
    return this.shown.trees
  }

  now = () => this.cast.clock.now()

  /** Prepares the next message of somebody. */
  doom(from: Viewer, fate: Fate): void {
    this.fates.set(from, [...(this.fates.get(from) ?? []), fate])
  }

  /** Ends every lie about messages, and records what was held back. */
  async honest(): Promise<void> {
    this.fates.clear()
    this.exchange = null
    this.shown.honest()
    for (const run of this.runs.values()) {
      run.claim = null
      if (run.forgotten.length === 0) continue
      run.statements.push(...run.forgotten.splice(0))
      run.record = { ...run.record, state: 'lost' }
      run.version++
    }
    await this.deliverLate()
  }

  /** Records what was delayed, the newest first. */
  async deliverLate(): Promise<void> {
    for (const { from, jws, attachment } of this.late.splice(0).toReversed())
      try {
        await this.record(from, jws, attachment)
      } catch (error) {
        // Too late for it: an honest coordinator says so to nobody, since nobody asks any more.
        if (!(error instanceof ClientError)) throw error
      }
  }

  /** Takes a message of an agent or a worker. */
  async hear(from: Viewer, jws: string, attachment: string | null = null): Promise<Recorded> {
    const { id, digest } = this.note(from, unverifiedStatement(jws).type as StatementType, jws)
    const [fate, ...rest] = this.fates.get(from) ?? []
    this.fates.set(from, rest)
    if (fate === 'lost') throw unreachable()
    if (fate === 'delayed') {
      this.late.push({ from, jws, attachment })
      return { id, digest, index: null }
    }
    const recorded = await this.record(from, jws, attachment, fate !== 'unlogged')
    if (fate === 'answerLost') throw unreachable()
    return recorded
  }

  /** Takes a message of a worker, as long as the run is its. */
  async hearWorker(id: Digest, worker: string, jws: string, attachment: string | null): Promise<Recorded> {
    if (this.run(id).record.worker !== worker)
      throw new ClientError('COORDINATOR_REFUSED', `${worker} no longer has run ${id}`)
    const type = unverifiedStatement(jws).type as StatementType
    const exchanged = await this.exchange?.of(type, jws, this.runView('worker', id))
    if (exchanged == null) return await this.hear('worker', jws, attachment)
    this.note('worker', type, jws)
    return await this.record('worker', exchanged.jws, exchanged.attachment)
  }

  /** Records a statement as an honest coordinator does. @throws ClientError `COORDINATOR_REFUSED`. */
  async record(
    _from: Viewer,
    jws: string,
    attachment: string | null = null,
    logged = true,
  ): Promise<Recorded> {
    const type = unverifiedStatement(jws).type as StatementType
    const payload = unverifiedStatement(jws).payload as HeardPayload
    const digest = statementDigest(jws)
    const id = idOf(type, jws)
    const runId = type === 'run-request' ? id : payload.run
    const known = this.runs.get(runId)
    if (known?.statements.some((one) => one.digest === digest) === true)
      return { id, digest, index: this.log.indexOf(digest) }
    if (type === 'run-request') this.admit(id, payload as unknown as RunRequest)
    else if (known !== undefined) this.happen(known, happeningOf(type, id, payload, this.log.size()))
    const index = logged
      ? this.append(type, digest, payload.by, known === undefined && type !== 'run-request' ? null : runId)
      : null
    const recorded = { type, id, digest, index, statement: jws, attachment }
    const run = this.runs.get(runId)
    if (run === undefined) this.contractStatements.push(recorded)
    else {
      run.statements.push(recorded)
      run.version++
      this.tell({ kind: 'run', contract: run.request.contract, run: run.id })
    }
    if (run === undefined) this.tell({ kind: 'contract', contract: this.cast.contract.id })
    this.demandWhereAwaited()
    return await Promise.resolve({ id, digest, index })
  }

  /** Something happened to a run that no statement says. */
  happen(run: KeptRun, happening: RunHappening | null): void {
    if (happening === null) return
    try {
      const record = advance(run.record, happening, this.now(), timeouts)
      if (record !== run.record) run.version++
      run.record = record
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      throw new ClientError('COORDINATOR_REFUSED', error.message)
    }
    this.tell({ kind: 'run', contract: run.request.contract, run: run.id })
  }

  /** Says of a run what its machine does not. */
  claim(id: Digest, state: RunState): void {
    const run = this.run(id)
    run.claim = { state }
    run.version++
    this.tell({ kind: 'run', contract: run.request.contract, run: id })
  }

  /** Begins a run anew from before its first round, as if its worker had died; `forget` keeps what was recorded from all. */
  again(id: Digest, forget: boolean): void {
    const run = this.run(id)
    const { round, approvals, readiness, terms } = run.record
    run.record = { ...admittedRun(terms), round, approvals, readiness, state: 'awaitingWorker' }
    const kept = (type: string) => type === 'run-request' || type === 'approval'
    if (forget) {
      run.forgotten.push(...run.statements.filter(({ type }) => !kept(type)))
      run.statements = run.statements.filter(({ type }) => kept(type))
    }
    run.version++
    this.tell({ kind: 'run', contract: run.request.contract, run: id })
  }

  workerLost(id: Digest, worker: string): void {
    if (this.run(id).record.worker === worker) this.happen(this.run(id), { kind: 'workerLost' })
  }

  /** A worker says that it has ended; one that no longer has the run says it to nobody. */
  workerEnded(id: Digest, worker: string, { code, owner, detail }: WorkerEnd): void {
    // Whoever has put its own Offer in the place of a worker's does not care what the worker thinks of it.
    if (this.run(id).record.worker !== worker || this.exchange !== null) return
    this.happen(this.run(id), { kind: 'workerEnded', code, owner, detail })
  }

  /** Ends what is over by the clock. */
  sweep(): void {
    for (const run of this.runs.values()) this.happen(run, { kind: 'deadline' })
  }

  run(id: Digest): KeptRun {
    const run = this.runs.get(id)
    if (run === undefined) throw new ClientError('COORDINATOR_REFUSED', `no run ${id}`)
    return run
  }

  runView(viewer: Viewer, id: Digest): RunView {
    const run = this.run(id)
    const { request, record } = run
    return {
      id,
      contract: request.contract,
      computation: request.computation,
      state: run.claim?.state ?? record.state,
      version: run.version,
      round: record.round,
      waitingFor: [],
      endedBecause: record.endedBecause,
      requestedAt: request.issuedAt,
      statements: this.shown.statements(viewer, run.statements),
      outputs: [],
    }
  }

  contractView(viewer: Viewer): ContractView {
    const { id, terms } = this.cast.contract
    return {
      id,
      name: terms.name,
      state: 'active',
      waitingFor: [],
      statements: this.shown.statements(viewer, this.contractStatements),
      identities: this.shown.identities(viewer, this.identities),
    }
  }

  statement(viewer: Viewer, digest: Digest): RecordedStatement {
    const all = [
      ...this.contractStatements,
      ...[...this.runs.values()].flatMap(({ statements }) => statements),
    ]
    const [found] = this.shown.statements(
      viewer,
      all.filter((recorded) => recorded.digest === digest),
    )
    if (found === undefined) throw new ClientError('COORDINATOR_REFUSED', `no statement ${digest}`)
    return found
  }

  events(after: number): { events: Event[]; next: number } {
    const events = this.feed.slice(after)
    return { events, next: after + events.length }
  }

  async checkpoint(viewer: Viewer, size?: number): Promise<CheckpointMessage> {
    const log = this.shown.log(viewer)
    const shown = size === undefined ? this.shown.newestSize(viewer) : Math.min(size, this.shown.size(viewer))
    return this.withLines(await log.checkpoint([], shown))
  }

  /** The checkpoint that a run waits for. */
  async checkpointOf(viewer: Viewer, id: Digest): Promise<CheckpointMessage> {
    const { receiptCheckpoint, spendsCheckpoint } = this.run(id).record
    return await this.checkpoint(viewer, receiptCheckpoint ?? spendsCheckpoint ?? undefined)
  }

  /** Takes a data owner's cosignature. */
  cosign(party: string, { size, root, line }: { size: number; root: string; line: string }): void {
    this.cosignatures.push({ party, size, root, after: this.heard.length })
    const lines = this.lines.get(root) ?? new Map<string, string>()
    this.lines.set(root, lines.set(party, line))
    for (const run of this.runs.values())
      this.happen(run, { kind: 'cosigned', size, witnesses: [...lines.keys()] })
    if (size >= this.demanded) this.tell({ kind: 'checkpoint', contract: this.cast.contract.id, size })
  }

  demandCosignatures(): void {
    this.demanded = this.log.size()
    this.tell({ kind: 'cosign', contract: this.cast.contract.id, size: this.demanded })
  }

  announce(kind: 'identity' | 'contract'): void {
    this.tell({ kind, contract: kind === 'contract' ? this.cast.contract.id : null })
  }

  append(type: StatementType, digest: Digest, signer: string, run: Digest | null): number | null {
    if (!statementRules[type].logged) return null
    const secret = type === 'identity' ? null : this.cast.contract.terms.log.secret
    const names = { secret, signer, run }
    for (const fork of this.shown.forks()) fork.append(type, { digest }, names)
    return this.log.append(type, { digest }, names)
  }

  private note(from: Viewer, type: StatementType, jws: string): Heard {
    const payload = unverifiedStatement(jws).payload as HeardPayload
    const heard = { from, type, jws, id: idOf(type, jws), digest: statementDigest(jws), payload }
    this.heard.push(heard)
    return heard
  }

  private admit(id: Digest, request: RunRequest): void {
    const { terms } = this.cast.contract
    const key = (label: string) => terms.parties[label]?.key ?? ''
    const approvals = terms.computations[request.computation]?.approvals ?? null
    const record = admittedRun({
      inputs: request.inputs,
      owners: [...new Set(request.inputs.map(({ owner }) => owner))],
      approvals: approvals === null ? null : { from: approvals.from.map(key), count: approvals.count },
      witnesses: terms.log.witnesses.map(key),
      quorum: terms.log.quorum,
      recordWaitSeconds: terms.runs.recordWaitSeconds,
      maximumSeconds: terms.runs.maximumSeconds,
      expiresAt: request.expiresAt,
    })
    this.runs.set(id, { record, request, id, statements: [], forgotten: [], version: 1, claim: null })
  }

  private demandWhereAwaited(): void {
    const states = [...this.runs.values()].map(({ record }) => record.state)
    if (states.some((state) => state === 'recordingSpends' || state === 'recordingReceipt'))
      this.demandCosignatures()
  }

  private withLines(checkpoint: CheckpointMessage): CheckpointMessage {
    const lines = [...(this.lines.get(checkpoint.root)?.values() ?? [])]
    return { ...checkpoint, note: checkpoint.note + lines.map((line) => `${line}\n`).join('') }
  }

  private tell(event: Partial<Event> & Pick<Event, 'kind'>): void {
    this.feed.push({
      contract: null,
      run: null,
      size: null,
      moment: null,
      ...event,
      cursor: this.feed.length + 1,
    })
  }
}

function idOf(type: StatementType, jws: string): Digest {
  return statementId(type, fromBase64url(jws.split('.')[1] ?? ''))
}

function unreachable(): ClientError {
  return new ClientError('COORDINATOR_UNREACHABLE', 'no answer came')
}

/** What a statement makes happen to its run. */
function happeningOf(
  type: StatementType,
  id: Digest,
  payload: HeardPayload,
  size: number,
): RunHappening | null {
  const { by } = payload
  const named = payload as unknown as {
    dataset: string
    nonce: string
    expiresAt: string
    sequence: number
    step: string
  }
  const sizeAfter = size + 1
  switch (type) {
    case 'approval':
      return { kind: 'approved', by, expiresAt: named.expiresAt }
    case 'nonce':
      return { kind: 'nonce', owner: by, nonce: named.nonce }
    case 'offer': {
      const { receiptKey, expiresAt } = payload as unknown as Offer
      return { kind: 'offered', id, receiptKey, expiresAt }
    }
    case 'evidence':
      return { kind: 'evidenced', id }
    case 'accept':
      return { kind: 'accepted', owner: by }
    case 'spend':
      return { kind: 'spent', spend: { owner: by, dataset: named.dataset, id, index: size }, sizeAfter }
    case 'key-release':
      return { kind: 'released', release: { owner: by, dataset: named.dataset, id } }
    case 'refusal':
      return { kind: 'refused', by, step: named.step }
    case 'renewal':
      return { kind: 'renewed', owner: by, id, sequence: named.sequence }
    case 'start':
      return { kind: 'started', id }
    case 'receipt': {
      const { outcome } = payload as unknown as Receipt
      return { kind: 'receipted', id, index: size, outcome, outputs: [], sizeAfter }
    }
    case 'output-keys':
      return { kind: 'keysGiven' }
    case 'activation':
    case 'contract':
    case 'denial':
    case 'fetch':
    case 'identity':
    case 'manifest':
    case 'revocation':
    case 'run-request':
    case 'withdrawal':
      return null
  }
}
