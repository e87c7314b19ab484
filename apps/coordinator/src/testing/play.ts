/** A cast of parties under an active contract with sealed data, and the steps of a run as they play them. */
import { randomBytes } from 'node:crypto'
import { digest, domains, toBase64url, type Verified } from '#libs/canonical'
import type { ContractTerms } from '#libs/contract'
import {
  acceptKind,
  keyReleaseKind,
  nonceKind,
  offerSetDigest,
  runRequestKind,
  spendKind,
  type Accept,
  type KeyRelease,
  type Manifest,
  type Recorded,
  type RunRequest,
  type RunView,
  type Spend,
} from '#libs/protocol'
import { testTerms, type Cast } from './contract.js'
import { junkSealedKey, type TestParty } from './party.js'
import type { Stage } from './stage.js'
import { idsOf } from './read-statements.js'
import type { TestWorker } from './worker.js'

const amounts = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }

export class Play {
  private readonly heads = new Map<string, { id: string; sequence: number }>()

  private constructor(
    readonly stage: Stage,
    readonly cast: Cast,
    readonly terms: ContractTerms,
    readonly contract: string,
    readonly manifests: ReadonlyMap<string, Verified<Manifest>>,
  ) {}

  static async begin(stage: Stage, change?: (yaml: string) => string): Promise<Play> {
    const cast: Cast = {
      north: await stage.party('north'),
      south: await stage.party('south'),
      lab: await stage.party('lab'),
      regulator: await stage.party('regulator'),
    }
    const terms = testTerms(cast, stage.log, change)
    const contract = await cast.lab.propose(terms)
    await cast.north.signContract(contract)
    await cast.south.signContract(contract)
    const manifests = new Map<string, Verified<Manifest>>()
    for (const owner of [cast.north, cast.south])
      manifests.set(owner.label, await owner.seal(contract, 'stays'))
    return new Play(stage, cast, terms, contract, manifests)
  }

  get owners(): readonly TestParty[] {
    return [this.cast.north, this.cast.south]
  }

  async makeRequest(
    change: Partial<RunRequest> = {},
  ): Promise<{ statement: Verified<RunRequest>; attachment: string }> {
    const { lab, north, south, regulator } = this.cast
    const part = new Uint8Array(randomBytes(256))
    const statement = await lab.sign(runRequestKind, {
      ...lab.own('run-request'),
      contract: this.contract,
      computation: 'mean_age',
      inputs: this.owners.map((owner) => ({
        dataset: 'stays',
        owner: owner.thumbprint,
        manifest: this.manifests.get(owner.label)?.id ?? '',
      })),
      purpose: 'a test',
      expiresAt: this.stage.clock.iso(3_600_000),
      sealed: {
        digest: digest(domains.ciphertext, part),
        size: part.length,
        keys: [north, south, regulator].map((party) => ({
          party: party.thumbprint,
          identity: party.identity().id,
          key: junkSealedKey(),
        })),
      },
      resultKey: null,
      ...change,
    })
    return { statement, attachment: toBase64url(part) }
  }

  async request(change: Partial<RunRequest> = {}): Promise<string> {
    const { statement, attachment } = await this.makeRequest(change)
    await this.cast.lab.client.record(statement.jws, { attachment })
    return statement.id
  }

  view(run: string): Promise<RunView> {
    return this.cast.lab.client.run(run)
  }

  async ready(run: string): Promise<void> {
    for (const owner of this.owners) await owner.client.readiness({ run, state: 'ready', reason: '' })
  }

  async nonce(owner: TestParty, run: string, round: number): Promise<Recorded> {
    const statement = await owner.sign(nonceKind, {
      ...owner.own('nonce'),
      contract: this.contract,
      run,
      round,
      place: 0,
      nonce: toBase64url(randomBytes(32)),
    })
    return await owner.client.record(statement.jws)
  }

  async makeAccept(owner: TestParty, run: string, change: Partial<Accept> = {}): Promise<Verified<Accept>> {
    const view = await owner.client.run(run)
    const offer = idsOf(view, 'offer').at(-1) ?? ''
    return await owner.sign(acceptKind, {
      ...owner.own('accept'),
      contract: this.contract,
      run,
      round: view.round,
      offers: offerSetDigest([offer]),
      manifests: [this.manifests.get(owner.label)?.id ?? ''],
      evidence: idsOf(view, 'evidence').slice(-1),
      collateral: [],
      expiresAt: this.stage.clock.iso(30_000),
      ...change,
    })
  }

  async accept(owner: TestParty, run: string): Promise<Recorded> {
    return await owner.client.record((await this.makeAccept(owner, run)).jws)
  }

  async makeSpend(owner: TestParty, run: string, change: Partial<Spend> = {}): Promise<Verified<Spend>> {
    const head = this.heads.get(owner.label)
    const sequence = (head?.sequence ?? 0) + 1
    return await owner.sign(spendKind, {
      ...owner.own('spend'),
      contract: this.contract,
      run,
      dataset: 'stays',
      amounts,
      sequence,
      total: { ...amounts, runs: sequence },
      previous: head?.id ?? null,
      ...change,
    })
  }

  async spend(owner: TestParty, run: string): Promise<Recorded> {
    const statement = await this.makeSpend(owner, run)
    const recorded = await owner.client.record(statement.jws)
    this.heads.set(owner.label, { id: statement.id, sequence: statement.payload.sequence })
    return recorded
  }

  async makeRelease(
    owner: TestParty,
    run: string,
    change: Partial<KeyRelease> = {},
  ): Promise<Verified<KeyRelease>> {
    const view = await owner.client.run(run)
    const offer = idsOf(view, 'offer').at(-1) ?? ''
    return await owner.sign(keyReleaseKind, {
      ...owner.own('key-release'),
      contract: this.contract,
      run,
      round: view.round,
      offers: offerSetDigest([offer]),
      offer,
      place: 0,
      dataset: 'stays',
      manifest: this.manifests.get(owner.label)?.id ?? '',
      spend: this.heads.get(owner.label)?.id ?? '',
      segmentKeys: [{ segment: 'id', key: junkSealedKey() }],
      requestKey: junkSealedKey(),
      leaseUntil: this.stage.clock.iso(60_000),
      ...change,
    })
  }

  async release(owner: TestParty, run: string): Promise<Recorded> {
    return await owner.client.record((await this.makeRelease(owner, run)).jws)
  }

  async cosign(): Promise<void> {
    for (const owner of this.owners) await owner.cosignNewest()
  }

  /** Plays a run up to and including a state. */
  async until(state: RunView['state'], run: string, worker: TestWorker): Promise<RunView> {
    const recipients = [this.cast.lab.thumbprint, this.cast.south.thumbprint]
    const steps: Partial<Record<RunView['state'], () => Promise<unknown>>> = {
      awaitingOwners: () => this.ready(run),
      awaitingWorker: () => worker.take(),
      collectingNonces: async () => {
        if (worker.view === null) await worker.take()
        for (const owner of this.owners) await this.nonce(owner, run, worker.run.round)
      },
      awaitingOffer: () => worker.offer(),
      collectingAccepts: async () => {
        for (const owner of this.owners) await this.accept(owner, run)
      },
      collectingSpends: async () => {
        for (const owner of this.owners) await this.spend(owner, run)
      },
      recordingSpends: () => this.cosign(),
      collectingReleases: async () => {
        for (const owner of this.owners) await this.release(owner, run)
      },
      running: async () => {
        await worker.start()
        await worker.receipt(recipients)
      },
      recordingReceipt: () => this.cosign(),
      awaitingOutputKeys: () => worker.outputKeys(recipients),
    }
    for (;;) {
      const view = await this.view(run)
      const step = steps[view.state]
      if (view.state === state || step === undefined) return view
      await step()
    }
  }
}
