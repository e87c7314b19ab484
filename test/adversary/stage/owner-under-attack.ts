/**
 * One data owner's real agent (north) in a run, against a coordinator that lies. Everybody else is played here and is honest
 * unless a test says otherwise. Each step does what the protocol does next; `attempt` lets the agent act and tells what it did.
 */
import { noCollateral, vendorHardware } from '#libs/attestation'
import { CodedError, toBase64url, type Verified } from '#libs/canonical'
import type { Refusal } from '#libs/protocol'
import {
  acceptOf,
  aClock,
  aContract,
  aParty,
  approvalOf,
  aRequest,
  keyedSections,
  nonceOf,
  sealDataset,
  seededBytes,
  spendOf,
  type OwnedRun,
  type OwnedVersion,
  type Party,
  type TestClock,
  type TestContract,
  type TestRequest,
} from '#libs/testing'
import type { Agent } from '../../../apps/agent/src/agent.js'
import { strictHouseRules, type HouseRules } from '../../../apps/agent/src/consent/house-rules.js'
import { actOnRun, type Acting, type Waiting } from '../../../apps/agent/src/daemon/act-on-run.js'
import { AfterStart } from '../../../apps/agent/src/daemon/after-start.js'
import { AgentStore } from '../../../apps/agent/src/store/agent-store.js'
import { spaces } from '../../../apps/agent/src/store/records.js'
import { followLog } from '../../../apps/agent/src/trust/log-follower.js'
import { verifyActiveContract } from '../../../apps/agent/src/trust/verify-contract.js'
import { HostileLog } from './hostile-log.js'
import { LyingCoordinator } from './lying-coordinator.js'
import { MemoryStore } from './memory-store.js'
import { measurement, offerOf, simulatorKey, type MadeOffer, type OfferOptions } from './offer-of.js'

export const computation = 'by_ward'

const sections = `datasets:
  people:
    owners: [north]
    unit: id
    segments: { keys: [id], facts: [ward], unread: [age] }
    columns:
      id: { type: string, use: [join] }
      ward: { type: string, use: [dimension] }
      age: { type: int, min: 0, max: 120, use: [avg] }
  values:
    owners: [south]
    unit: id
    columns:
      id: { type: string, use: [join] }
      v: { type: double, min: 0, max: 100, use: [avg] }
computations:
  ${computation}:
    kind: sql
    query: select ward, count(*) as n, avg(v) as mean from people join values using (id) group by ward
    requesters: [lab]
    limit: 2
    approvals: { from: [south], count: 1 }
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 3 } ] } }
`

export interface SceneOptions {
  readonly houseRules?: Partial<HouseRules>
  /** Other roots, and collateral. */
  readonly appraisal?: Agent['appraisal']
  /** Changes the contract's text. */
  readonly yaml?: (text: string) => string
  /** Whether south's Approval is recorded. */
  readonly approved?: boolean
  readonly change?: Parameters<typeof aRequest>[1]['change']
}

/** What the agent did when it was let act. */
export interface Attempt {
  readonly waiting: Waiting
  /** code of the error that verification ended in */
  readonly code: string | null
  /** rules that its signed Refusal names */
  readonly rules: readonly string[]
  readonly said: string
}

export class Scene {
  readonly reports: string[] = []
  readonly disk = new MemoryStore()
  agent!: Agent
  acting!: Acting
  offered: MadeOffer | null = null

  private constructor(
    readonly clock: TestClock,
    readonly log: HostileLog,
    readonly parties: Readonly<Record<'north' | 'south' | 'lab' | 'regulator', Party>>,
    readonly contract: TestContract,
    readonly versions: Readonly<Record<'north' | 'south', OwnedVersion>>,
    readonly asked: TestRequest,
    readonly coordinator: LyingCoordinator,
    private readonly options: SceneOptions,
  ) {}

  static async begin(options: SceneOptions = {}): Promise<Scene> {
    const clock = aClock()
    const log = await HostileLog.make()
    const [north, south, lab, regulator] = await Promise.all([
      aParty('north', { clock }),
      aParty('south', { clock }),
      aParty('lab', { clock }),
      aParty('regulator', { clock }),
    ])
    const parties = { north, south, lab, regulator }
    const text = keyedSections({
      log,
      parties: {
        north: { party: north, roles: ['data'] },
        south: { party: south, roles: ['data', 'approver'] },
        lab: { party: lab, roles: ['requester', 'recipient'] },
        regulator: { party: regulator, roles: ['auditor'] },
      },
      signatories: ['north', 'south', 'lab'],
      witnesses: ['north', 'south'],
      simulator: { thumbprint: simulatorKey.thumbprint, measurement },
    })
    const yaml = text + sections
    const contract = await aContract({
      log,
      parties: Object.values(parties),
      yaml: options.yaml?.(yaml) ?? yaml,
    })
    const versions = {
      north: await sealPeople(north, contract.id),
      south: await sealValues(south, contract.id),
    }
    const { secret } = contract.terms.log
    for (const owner of [north, south])
      log.append('manifest', versionOf(versions, owner).manifest, {
        secret,
        signer: owner.thumbprint,
        run: null,
      })
    const asked = await aRequest(lab, {
      contract,
      computation,
      versions: [versions.north, versions.south],
      ...(options.change === undefined ? {} : { change: options.change }),
    })
    const coordinator = new LyingCoordinator(log, contract, asked, north)
    for (const owner of [north, south])
      coordinator.recordOfContract('manifest', versionOf(versions, owner).manifest, owner.thumbprint)
    coordinator.record('run-request', asked.request, lab.thumbprint, asked.sealedPart)
    if (options.approved !== false)
      coordinator.record('approval', await approvalOf(south, asked.request), south.thumbprint)
    coordinator.cosigners = [north, south]
    const scene = new Scene(clock, log, parties, contract, versions, asked, coordinator, options)
    await scene.start(scene.disk)
    await scene.furnish()
    return scene
  }

  /** Starts north's agent over a disk: at first, or again after a crash or a restore. */
  async start(disk: MemoryStore): Promise<void> {
    const { north } = this.parties
    const randomBytes = seededBytes(`agent/${this.reports.length}`)
    const store = AgentStore.over(disk, new Uint8Array(32).fill(7), randomBytes)
    const agent: Agent = {
      config: {
        version: 1,
        name: 'north',
        party: north.thumbprint,
        coordinator: 'http://127.0.0.1:1',
        log: {
          origin: this.log.origin,
          logKey: this.log.key.publicKey,
          coordinatorKey: this.log.coordinatorKey.publicKey,
        },
      },
      keys: {
        party: north.thumbprint,
        identity: north.identity,
        daemonKey: north.daemon,
        sealingKeys: [north.sealing],
      },
      store,
      client: this.coordinator.client(),
      appraisal: this.options.appraisal ?? { ...vendorHardware, collateral: noCollateral },
      houseRules: {
        ...strictHouseRules,
        allowSimulated: true,
        automatic: [{ contract: this.contract.id, computations: ['*'] }],
        ...this.options.houseRules,
      },
      now: this.clock.now,
      randomBytes,
      report: (event) => this.reports.push(JSON.stringify(event)),
    }
    this.agent = agent
    this.acting = {
      agent,
      afterStart: new AfterStart(agent, this.clock.now(), new Map()),
      liveRounds: new Map(),
      answers: new Map(),
      keepLease: () => undefined,
    }
    await Promise.resolve()
  }

  /** What the daemon does at news of the run. @throws whatever verification throws. */
  async act(): Promise<Waiting> {
    const view = await this.agent.client.run(this.asked.request.id)
    await followLog(this.agent)
    const contract = await verifyActiveContract(
      this.agent,
      await this.agent.client.contract(this.contract.id),
    )
    return await actOnRun(this.acting, contract, view)
  }

  /** Lets the agent act, and tells what came of it. */
  async attempt(): Promise<Attempt> {
    try {
      const waiting = await this.act()
      const reasons = this.refusals().flatMap(({ payload }) => payload.reasons)
      return {
        waiting,
        code: null,
        rules: reasons.map(({ rule }) => rule),
        said: reasons.map(({ text }) => text).join(' '),
      }
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return { waiting: null, code: String(error.code), rules: [], said: error.message }
    }
  }

  /** What north signed of a kind that gives something away. */
  get spent(): number {
    return this.coordinator.ofType('spend').length
  }

  get released(): number {
    return this.coordinator.ofType('key-release').length
  }

  refusals(): readonly Verified<Refusal>[] {
    return this.coordinator.ofType('refusal') as readonly Verified<Refusal>[]
  }

  /** Round by round, as an honest coordinator drives it. */
  async toNonces(): Promise<this> {
    this.coordinator.state = 'awaitingOwners'
    await this.act()
    this.coordinator.state = 'collectingNonces'
    this.coordinator.round++
    await this.act()
    await this.southSays('nonce')
    this.coordinator.state = 'awaitingOffer'
    return this
  }

  async toOffer(options: Partial<OfferOptions> = {}): Promise<this> {
    await this.toNonces()
    await this.offer(options)
    return this
  }

  async offer(options: Partial<OfferOptions> = {}): Promise<MadeOffer> {
    const { contract, coordinator, clock } = this
    const made = await offerOf({ contract, view: coordinator.runView(), clock, ...options })
    const signer = made.receiptKey.thumbprint
    coordinator.record('offer', made.offer, signer)
    coordinator.record('evidence', made.evidence, signer, made.evidenceBytes)
    coordinator.state = 'collectingAccepts'
    this.offered = made
    return made
  }

  async toAccepts(options: Partial<OfferOptions> = {}): Promise<this> {
    await this.toOffer(options)
    await this.act()
    await this.southSays('accept')
    this.coordinator.state = 'collectingSpends'
    return this
  }

  async toSpends(options: Partial<OfferOptions> = {}): Promise<this> {
    await this.toAccepts(options)
    await this.act()
    await this.southSays('spend')
    this.coordinator.state = 'recordingSpends'
    return this
  }

  async toReleases(options: Partial<OfferOptions> = {}): Promise<this> {
    await this.toSpends(options)
    this.coordinator.state = 'collectingReleases'
    await this.act()
    return this
  }

  async southSays(what: 'nonce' | 'accept' | 'spend', change: object = {}): Promise<void> {
    const { south } = this.parties
    const statement = await this.southStatement(what, change)
    this.coordinator.record(what, statement, south.thumbprint)
  }

  private async southStatement(what: 'nonce' | 'accept' | 'spend', change: object) {
    const { south } = this.parties
    if (what === 'nonce') return await nonceOf(south, this.southRun(), change)
    if (what === 'spend') return await spendOf(south, this.southRun(), change)
    if (this.offered === null) throw new RangeError('no Offer yet')
    return await acceptOf(south, this.southRun(), this.offered.offer, this.offered.evidence.id, change)
  }

  private southRun(): OwnedRun {
    const { request, requestKey } = this.asked
    return {
      request,
      requestKey,
      round: this.coordinator.round,
      dataset: 'values',
      version: this.versions.south,
    }
  }

  /** What north's people did before: pins, and a sealed version with its keys. */
  private async furnish(): Promise<void> {
    const { store } = this.agent
    const { south, lab, regulator } = this.parties
    const { manifest, segments } = this.versions.north
    await store.write(
      ...[south, lab, regulator].map(({ thumbprint, label }) =>
        store.put(spaces.pins, thumbprint, { label, pinnedAt: this.clock.iso() }),
      ),
      store.put(spaces.datasetVersions, `${this.contract.id}/people/0000000001`, {
        contract: this.contract.id,
        dataset: 'people',
        manifest: manifest.id,
        manifestStatement: manifest.jws,
        sequence: 1,
        version: manifest.payload.version,
        segments: segments.map(({ name, columns, key }) => ({
          name,
          columns: [...columns],
          key: toBase64url(key),
        })),
        withdrawn: false,
      }),
    )
  }
}

function versionOf(versions: Scene['versions'], owner: Party): OwnedVersion {
  return owner.label === 'north' ? versions.north : versions.south
}

// Nobody here opens what is sealed, so any bytes will do.
async function sealPeople(north: Party, contract: string): Promise<OwnedVersion> {
  return await sealDataset(north, {
    contract,
    dataset: 'people',
    unit: 'id',
    columns: [
      { name: 'id', type: 'string', nullable: false },
      { name: 'ward', type: 'string', nullable: false },
      { name: 'age', type: 'int', nullable: false },
    ],
    segments: [
      { name: 'keys', columns: ['id'], parquet: north.randomBytes(100) },
      { name: 'facts', columns: ['ward'], parquet: north.randomBytes(100) },
      { name: 'unread', columns: ['age'], parquet: north.randomBytes(100) },
    ],
  })
}

async function sealValues(south: Party, contract: string): Promise<OwnedVersion> {
  return await sealDataset(south, {
    contract,
    dataset: 'values',
    unit: 'id',
    columns: [
      { name: 'id', type: 'string', nullable: false },
      { name: 'v', type: 'double', nullable: false },
    ],
    segments: [{ name: 'all', columns: ['id', 'v'], parquet: south.randomBytes(100) }],
  })
}
