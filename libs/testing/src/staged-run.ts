/**
 * A run as the enclave meets it: a coordinator in memory, and owners who answer each step at once. A test changes one thing: a
 * statement on its way, a cosigner, a blob, the time.
 */
import type { FileHandle } from 'node:fs/promises'
import {
  digest as digestOf,
  domains,
  fromBase64url,
  unverifiedStatement,
  verifyStatement,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import { ClientError } from '#libs/client'
import {
  evidenceKind,
  offerKind,
  offerSchema,
  outputKeysKind,
  receiptKind,
  startKind,
  statementRules,
  type Assignment,
  type EvidenceStatement,
  type Offer,
  type OutputKeys,
  type Receipt,
  type Recorded,
  type RecordedStatement,
  type RunState,
  type RunView,
  type Start,
  type WorkerEnd,
} from '#libs/protocol'
import type { TestContract } from './contract.js'
import type { TestLog } from './log.js'
import { acceptOf, nonceOf, releaseOf, spendOf, type OwnedRun, type OwnedVersion } from './owner.js'
import type { Party } from './party.js'
import { recordedIn } from './recorded.js'
import type { TestRequest } from './request.js'

/** What a test may change. */
export interface Stage {
  /** Replaces an owner's statement on its way to the worker; null withholds it. */
  readonly onTheWay?: (
    type: StatementType,
    statement: Verified<unknown>,
    owner: Party,
  ) => Promise<Verified<unknown> | null>
  /** Changes what an owner puts into its KeyRelease. */
  readonly release?: (owner: Party) => Parameters<typeof releaseOf>[4]
  /** Who cosigns the checkpoint of a step; all owners and witnesses unless said. */
  readonly cosigners?: (step: 'spends' | 'receipt', all: readonly Party[]) => readonly Party[]
  /** Leaves a statement out of the log. */
  readonly unlogged?: (type: StatementType) => boolean
  /** Changes ciphertext on its way. */
  readonly blob?: (bytes: Uint8Array) => Uint8Array
  /** Called when the worker has recorded a statement. */
  readonly recorded?: (type: StatementType, run: StagedRun) => void | Promise<void>
  /** Nothing new: lets time pass and returns true, or leaves the worker waiting with false. */
  readonly idle?: (waitSeconds: number, run: StagedRun) => boolean
}

export interface StageOptions {
  readonly log: TestLog
  readonly contract: TestContract
  readonly asked: TestRequest
  /** One per data owner of the run. */
  readonly owned: readonly { readonly owner: Party; readonly version: OwnedVersion }[]
  /** Approvals and the like, in the order in which they were recorded. */
  readonly before?: readonly {
    readonly type: StatementType
    readonly statement: Verified<unknown>
    readonly signer: string
  }[]
  readonly stage?: Stage
}

/** What the enclave has said. */
export interface Said {
  offer?: Verified<Offer>
  evidence?: Verified<EvidenceStatement>
  start?: Verified<Start>
  receipt?: Verified<Receipt>
  outputKeys?: Verified<OutputKeys>
  end?: WorkerEnd
}

export class StagedRun {
  readonly said: Said = {}
  /** Ciphertext by digest: the owners' segments, and the outputs that were uploaded. */
  readonly blobs = new Map<string, Uint8Array>()
  readonly statements: RecordedStatement[] = []
  /** How many blobs the worker has uploaded. */
  uploads = 0
  private version = 1
  private round = 1
  private state: RunState = 'collectingNonces'
  private checkpointNote: { size: number; root: string; note: string } | null = null
  private waiting: (() => void)[] = []

  private constructor(private readonly options: StageOptions) {}

  /** A run whose request and approvals are recorded and whose owners have signed their nonces. */
  static async begin(options: StageOptions): Promise<StagedRun> {
    const run = new StagedRun(options)
    const { asked, owned } = options
    for (const { version } of owned) {
      run.append('manifest', version.manifest, version.manifest.payload.by, false)
      version.segments.forEach(({ sealed }, i) => {
        run.blobs.set(version.manifest.payload.segments[i]?.ciphertextDigest ?? '', sealed)
      })
    }
    run.append('run-request', asked.request, asked.request.payload.by)
    run.statements.push(recordedIn(options.log, 'run-request', asked.request, asked.sealedPart))
    for (const { type, statement, signer } of options.before ?? []) run.keep(type, statement, signer)
    for (const { owner } of owned) await run.give('nonce', await nonceOf(owner, run.owned(owner)), owner)
    return run
  }

  /** What the reserved worker gets. */
  assignment(): Assignment {
    const { contract, log, owned } = this.options
    const manifests = owned.map(({ version }) => recordedIn(log, 'manifest', version.manifest))
    return {
      run: this.view(),
      contract: {
        id: contract.id,
        name: contract.terms.name,
        state: 'active',
        waitingFor: [],
        statements: [...contract.statements, ...manifests],
        identities: [...contract.identities],
      },
    }
  }

  view(): RunView {
    const { asked } = this.options
    return {
      id: asked.request.id,
      contract: asked.request.payload.contract,
      computation: asked.request.payload.computation,
      state: this.state,
      version: this.version,
      round: this.round,
      waitingFor: [],
      endedBecause: null,
      requestedAt: asked.request.payload.issuedAt,
      statements: [...this.statements],
      outputs: [],
    }
  }

  /** Begins another round: nonces are signed anew. */
  async nextRound(): Promise<void> {
    this.round += 1
    this.state = 'collectingNonces'
    for (const { owner } of this.options.owned)
      await this.give('nonce', await nonceOf(owner, this.owned(owner)), owner)
    this.changed()
  }

  /** Ends the run without the worker. */
  endAs(state: RunState): void {
    this.state = state
    this.changed()
  }

  /** Has an owner's statement recorded, as the stage lets it through. */
  async give(type: StatementType, statement: Verified<unknown>, owner: Party): Promise<void> {
    const { onTheWay } = this.options.stage ?? {}
    const given = onTheWay === undefined ? statement : await onTheWay(type, statement, owner)
    if (given !== null) this.keep(type, given, owner.thumbprint)
    this.changed()
  }

  /** The worker's door, in the shape that execute-run takes it. */
  channel() {
    const { log } = this.options
    return {
      run: (version: number, waitSeconds: number) => this.newer(version, waitSeconds),
      log: () =>
        Promise.resolve({
          origin: log.origin,
          logKey: log.key.publicKey,
          coordinatorKey: log.coordinatorKey.publicKey,
          size: log.size(),
        }),
      checkpoint: async () => this.checkpointNote ?? (await log.checkpoint([])),
      // eslint-disable-next-line @typescript-eslint/require-await -- a refusal must be a rejection, as over a network
      inclusion: async (digest: string, size: number) => log.inclusion(digest, size),
      record: (jws: string, attachment?: string) => this.hear(jws, attachment),
      download: async ({ digest }: { digest: string }, file: FileHandle) => {
        const kept = this.blobs.get(digest) ?? new Uint8Array()
        const bytes = this.options.stage?.blob?.(kept) ?? kept
        // As the client does: nothing of another digest comes through.
        if (digestOf(domains.ciphertext, bytes) !== digest)
          throw new ClientError('TRANSFER_MISMATCH', `blob ${digest} is another`)
        await file.write(bytes, 0, bytes.length, 0)
      },
      upload: async ({ digest, size }: { digest: string; size: number }, file: FileHandle) => {
        const { buffer } = await file.read(new Uint8Array(size), 0, size, 0)
        this.blobs.set(digest, buffer)
        this.uploads += 1
      },
      end: (end: WorkerEnd) => {
        this.said.end = end
        return Promise.resolve()
      },
    }
  }

  private async newer(version: number, waitSeconds: number): Promise<RunView | null> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.version > version) return this.view()
    if (this.options.stage?.idle?.(waitSeconds, this) === true)
      return this.version > version ? this.view() : null
    await new Promise<void>((resolve) => this.waiting.push(resolve))
    return this.view()
  }

  private async hear(jws: string, attachment?: string): Promise<Recorded> {
    const { type } = unverifiedStatement(jws)
    const statement = await this.verifyByEnclave(type, jws)
    this.append(type as StatementType, statement, statement.payload.by)
    this.statements.push(
      recordedIn(
        this.options.log,
        type as StatementType,
        statement,
        attachment === undefined ? null : fromBase64url(attachment),
      ),
    )
    await this.react(type)
    this.changed()
    await this.options.stage?.recorded?.(type as StatementType, this)
    return { id: statement.id, digest: statement.digest, index: this.options.log.indexOf(statement.digest) }
  }

  private async verifyByEnclave(type: string, jws: string): Promise<Verified<{ readonly by: string }>> {
    if (type === 'offer') {
      const claimed = offerSchema.parse(unverifiedStatement(jws).payload)
      return (this.said.offer = await verifyStatement(offerKind, jws, claimed.receiptKey))
    }
    const key = this.said.offer?.payload.receiptKey
    if (key === undefined) throw new RangeError(`a ${type} before the Offer`)
    if (type === 'evidence') return (this.said.evidence = await verifyStatement(evidenceKind, jws, key))
    if (type === 'start') return (this.said.start = await verifyStatement(startKind, jws, key))
    if (type === 'receipt') return (this.said.receipt = await verifyStatement(receiptKind, jws, key))
    return (this.said.outputKeys = await verifyStatement(outputKeysKind, jws, key))
  }

  private async react(type: string): Promise<void> {
    if (type === 'evidence') await this.ownersAnswer()
    if (type === 'start') this.state = 'running'
    if (type === 'receipt') await this.checkpointOver('receipt', 'awaitingOutputKeys')
    if (type === 'output-keys') this.state = 'completed'
  }

  private async ownersAnswer(): Promise<void> {
    const { offer, evidence } = this.said
    if (offer === undefined || evidence === undefined) return
    const { owned, stage } = this.options
    for (const { owner } of owned)
      await this.give('accept', await acceptOf(owner, this.owned(owner), offer, evidence.id), owner)
    const spends = new Map<Party, Awaited<ReturnType<typeof spendOf>>>()
    for (const { owner } of owned) {
      const spend = await spendOf(owner, this.owned(owner))
      spends.set(owner, spend)
      await this.give('spend', spend, owner)
    }
    await this.checkpointOver('spends', 'collectingReleases')
    for (const [owner, spend] of spends) {
      const release = await releaseOf(owner, this.owned(owner), offer, spend, stage?.release?.(owner))
      await this.give('key-release', release, owner)
    }
  }

  private async checkpointOver(step: 'spends' | 'receipt', state: RunState): Promise<void> {
    const { log, contract, stage } = this.options
    const witnesses = contract.terms.log.witnesses.map((label) => contract.terms.parties[label]?.key)
    const all = contract.parties.filter(({ thumbprint }) => witnesses.includes(thumbprint))
    this.checkpointNote = await log.checkpoint(stage?.cosigners?.(step, all) ?? all)
    this.state = state
    this.changed()
  }

  /** The data owners, each with the run as it sees it now. */
  owners(): readonly { readonly owner: Party; readonly run: OwnedRun }[] {
    return this.options.owned.map(({ owner }) => ({ owner, run: this.owned(owner) }))
  }

  private owned(owner: Party): OwnedRun {
    const { asked, owned } = this.options
    const version = owned.find((one) => one.owner === owner)?.version
    if (version === undefined) throw new RangeError(`${owner.label} owns nothing here`)
    const { dataset } = version.manifest.payload
    return { request: asked.request, requestKey: asked.requestKey, round: this.round, dataset, version }
  }

  private keep(type: StatementType, statement: Verified<unknown>, signer: string): void {
    this.append(type, statement, signer)
    this.statements.push(recordedIn(this.options.log, type, statement))
  }

  private append(type: StatementType, statement: Verified<unknown>, signer: string, inRun = true): void {
    const { log, contract, asked, stage } = this.options
    if (!statementRules[type].logged || stage?.unlogged?.(type) === true) return
    log.append(type, statement, {
      secret: contract.terms.log.secret,
      signer,
      run: inRun ? asked.request.id : null,
    })
  }

  private changed(): void {
    this.version += 1
    for (const wake of this.waiting.splice(0)) wake()
  }
}
