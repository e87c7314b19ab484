/** A worker as an honest enclave plays it, without opening or computing anything. */
import { randomBytes } from 'node:crypto'
import {
  digest,
  domains,
  saltFrom,
  signingKeyFromSeed,
  signStatement,
  statementId,
  toBase64url,
  type SigningKey,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import { CoordinatorClient } from '#libs/client'
import { offerIdentities } from '#libs/contract'
import { idsOf, payloadOf, payloadsOf, termsOf } from './read-statements.js'
import {
  evidenceKind,
  offerKind,
  outputKeysKind,
  receiptKind,
  startKind,
  type Assignment,
  type Offer,
  type OutputKeys,
  type Receipt,
  type Recorded,
  type RunRequest,
  type RunView,
} from '#libs/protocol'
import { junkSealedKey, junkSealingKey, type Wire } from './party.js'
import { uploadBytes } from './upload.js'

export const testMeasurement = 'ab'.repeat(32)

export class TestWorker {
  assignment: Assignment | null = null
  view: RunView | null = null
  offerStatement: Verified<Offer> | null = null
  receiptStatement: Verified<Receipt> | null = null

  private constructor(
    readonly client: CoordinatorClient,
    readonly key: SigningKey,
    readonly receiptKey: SigningKey,
    readonly wire: Wire,
  ) {}

  static async register(wire: Wire, enrolment: string): Promise<TestWorker> {
    const key = await signingKeyFromSeed(randomBytes(32))
    const worker = new TestWorker(
      new CoordinatorClient({ ...wire, key }),
      key,
      await signingKeyFromSeed(randomBytes(32)),
      wire,
    )
    await worker.client.registerWorker({
      key: key.publicKey,
      tee: 'simulated',
      measurement: testMeasurement,
      enrolment,
    })
    return worker
  }

  async take(waitSeconds = 5): Promise<boolean> {
    this.assignment = await this.client.assignment(waitSeconds)
    this.view = this.assignment?.run ?? null
    return this.assignment !== null
  }

  get run(): RunView {
    if (this.view === null) throw new RangeError('the worker has no run')
    return this.view
  }

  async refresh(): Promise<RunView> {
    this.view = (await this.client.workerRun(this.run.id, 0, 0)) ?? this.run
    return this.view
  }

  own<T extends StatementType>(type: T) {
    return {
      type,
      by: this.receiptKey.thumbprint,
      log: this.wire.origin,
      issuedAt: new Date(this.wire.now()).toISOString(),
      salt: saltFrom((length) => new Uint8Array(randomBytes(length))),
    }
  }

  about() {
    return { contract: this.run.contract, run: this.run.id, round: this.run.round }
  }

  async makeOffer(change: Partial<Offer> = {}): Promise<Verified<Offer>> {
    const view = await this.refresh()
    const nonces = Object.fromEntries(
      payloadsOf<{ by: string; nonce: string; round: number }>(view, 'nonce')
        .filter(({ round }) => round === view.round)
        .map(({ by, nonce }) => [by, nonce]),
    )
    const contract = this.assignment?.contract
    const newest = new Map(
      (contract?.identities ?? []).map(({ thumbprint, statements }) => [
        thumbprint,
        idOf(statements.at(-1) ?? ''),
      ]),
    )
    const terms = termsOf(contract?.statements[0]?.statement ?? '')
    return await signStatement(
      offerKind,
      {
        ...this.own('offer'),
        ...this.about(),
        enclave: 0,
        place: 0,
        places: 1,
        hpkeKey: junkSealingKey(),
        receiptKey: this.receiptKey.publicKey,
        nonces,
        identities: Object.fromEntries(
          offerIdentities(terms).map((party) => [party, newest.get(party) ?? '']),
        ),
        shareHolders: [],
        build: { name: 'test', version: '1', measurement: testMeasurement },
        sandbox: 'process',
        gpuEvidence: null,
        expiresAt: new Date(this.wire.now() + 60_000).toISOString(),
        ...change,
      },
      this.receiptKey,
    )
  }

  async offer(change: Partial<Offer> = {}): Promise<Recorded> {
    this.offerStatement = await this.makeOffer(change)
    await this.client.record(this.offerStatement.jws)
    const bytes = new Uint8Array(randomBytes(64))
    const evidence = await signStatement(
      evidenceKind,
      {
        ...this.own('evidence'),
        ...this.about(),
        offer: this.offerStatement.id,
        kind: 'simulated',
        evidenceDigest: digest(domains.evidenceBytes, bytes),
      },
      this.receiptKey,
    )
    return await this.client.record(evidence.jws, { attachment: toBase64url(bytes) })
  }

  async start(): Promise<Recorded> {
    const view = await this.refresh()
    const statement = await signStatement(
      startKind,
      {
        ...this.own('start'),
        ...this.about(),
        offers: [this.offerStatement?.id ?? ''],
        releases: idsOf(view, 'key-release'),
      },
      this.receiptKey,
    )
    return await this.client.record(statement.jws)
  }

  /** Uploads a sealed output and signs the Receipt. */
  async receipt(recipients: readonly string[], change: Partial<Receipt> = {}): Promise<Recorded> {
    const view = await this.refresh()
    const bytes = new Uint8Array(randomBytes(4096))
    const output = await uploadBytes(this.client.connection, bytes)
    const [request] = payloadsOf<RunRequest>(view, 'run-request')
    const spends = view.statements
      .filter(({ type }) => type === 'spend')
      .map(({ id, statement }) => ({ id, ...payloadOf<{ by: string; dataset: string }>(statement) }))
    this.receiptStatement = await signStatement(
      receiptKind,
      {
        ...this.own('receipt'),
        ...this.about(),
        offers: [this.offerStatement?.id ?? ''],
        evidence: idsOf(view, 'evidence').slice(-1),
        build: { name: 'test', version: '1', measurement: testMeasurement },
        sandbox: 'process',
        start: idsOf(view, 'start')[0] ?? '',
        releases: idsOf(view, 'key-release'),
        renewals: [],
        inputs: (request?.inputs ?? []).map((input) => ({
          ...input,
          spend: spends.find(({ by, dataset }) => by === input.owner && dataset === input.dataset)?.id ?? '',
        })),
        computation: view.computation,
        engine: { name: 'test', version: '1' },
        outputs: [
          {
            name: 'result',
            digest: output,
            size: bytes.length,
            recipients: recipients.map((party) => ({ party, identity: null })),
            controls: ['minimumGroupSize'],
          },
        ],
        startedAt: this.own('receipt').issuedAt,
        finishedAt: this.own('receipt').issuedAt,
        outcome: 'completed',
        simulated: true,
        ...change,
      },
      this.receiptKey,
    )
    return await this.client.record(this.receiptStatement.jws)
  }

  async outputKeys(recipients: readonly string[], change: Partial<OutputKeys> = {}): Promise<Recorded> {
    const checkpoint = await this.client.checkpoint()
    const statement = await signStatement(
      outputKeysKind,
      {
        ...this.own('output-keys'),
        ...this.about(),
        receipt: this.receiptStatement?.id ?? '',
        checkpoint: { size: checkpoint.size, root: checkpoint.root },
        keys: recipients.map((recipient) => ({
          output: 'result',
          recipient,
          identity: null,
          key: junkSealedKey(),
        })),
        ...change,
      },
      this.receiptKey,
    )
    return await this.client.record(statement.jws)
  }
}

function idOf(jws: string): string {
  return statementId('identity', Buffer.from(jws.split('.')[1] ?? '', 'base64url'))
}
