/** Everybody together: time passes, agents and workers look, runs are asked for. Commands change it; invariants look at it. */
import { toHex, type Digest } from '#libs/canonical'
import { withdrawalKind, type RunState } from '#libs/protocol'
import { approvalOf, aRequest, renewed } from '#libs/testing'
import { spaces } from '../../apps/agent/src/store/records.js'
import { seenCheckpoint } from '../../apps/agent/src/trust/log-follower.js'
import type { OfferOptions } from '../adversary/stage/offer-of.js'
import { aCast, computation, lastComputation, owners, type Cast, type OwnerLabel } from './cast.js'
import { Exchange, type Forgery } from './forged-offer.js'
import { Invariants, Violation } from './invariants.js'
import { Keeper } from './keeper.js'
import { Owner } from './owner.js'
import { Worker } from './worker.js'

/** What a log that shows two trees is told as. */
const misbehaviour: ReadonlySet<string> = new Set(['LOG_MISBEHAVED', 'FORK', 'CONSISTENCY_BROKEN'])

/** How a coordinator tries to get output keys before their Receipt is recorded. */
export interface Hurry {
  readonly cosigners: readonly OwnerLabel[]
  /**
   * What it shows the worker: the log as it is; the checkpoint of the Spends, which every owner has cosigned and which ends before
   * the Receipt; or a log from which the Receipt was left out, as every owner cosigns it.
   */
  readonly shown: 'theLog' | 'spendsCheckpoint' | 'receiptLeftOut'
}

/** How an owner comes back from a backup, and is kept from finding out what it did since. */
export interface Rewind {
  readonly owner: OwnerLabel
  /** The backup is of so many of its looks ago. */
  readonly looks: number
  /** The run that it is to act in again, counted from the newest. */
  readonly run: number
  /** For so many looks it is shown the log and the run as they were at the backup. */
  readonly blind: number
  /** Whether the newest checkpoint is meanwhile shown as it is now and then; the others have cosigned it since. */
  readonly flickers: 'shortFirst' | 'wholeFirst' | null
}

/** Everything that comes of an Accept. */
const later = ['spend', 'key-release', 'start', 'receipt', 'output-keys'] as const

export class World {
  readonly owners: Readonly<Record<OwnerLabel, Owner>>
  readonly keeper: Keeper
  readonly workers: Worker[] = []
  /** Runs in the order in which they were asked for. */
  readonly runs: Digest[] = []
  readonly invariants: Invariants
  readonly withdrawn = new Set<OwnerLabel>()
  hostClock = 0

  private constructor(readonly cast: Cast) {
    this.keeper = new Keeper(cast)
    const { keeper } = this
    this.owners = { north: new Owner('north', cast, keeper), south: new Owner('south', cast, keeper) }
    this.invariants = new Invariants(this)
  }

  static async begin(tree: unknown): Promise<World> {
    const world = new World(await aCast(tree))
    for (const label of owners) {
      await world.owners[label].furnish()
      world.owners[label].start()
    }
    await world.turn()
    return world
  }

  get everyOwner(): readonly Owner[] {
    return owners.map((label) => this.owners[label])
  }

  /** The run that a command means: one of the newest. */
  runAt(back: number): Digest | undefined {
    return this.runs.at(-1 - (back % Math.max(1, this.runs.length)))
  }

  async request(name: string = computation): Promise<Digest> {
    const { contract, versions, parties } = this.cast
    const now = { ...contract, parties: contract.parties.map((party) => this.current(party.label) ?? party) }
    const asked = await aRequest(parties.lab, {
      contract: now,
      computation: name,
      versions: [versions.north, versions.south],
    })
    await this.keeper.record('lab', asked.request.jws, Buffer.from(asked.sealedPart).toString('base64url'))
    this.runs.push(asked.request.id)
    this.invariants.asked(asked)
    return asked.request.id
  }

  async approve(run: Digest): Promise<void> {
    const { request } = this.invariants.request(run)
    const approval = await approvalOf(this.owners.south.party, request)
    await this.keeper.record('south', approval.jws).catch(this.refused)
  }

  /** Reserves a fresh worker for a run that waits for one. */
  async reserve(run: Digest): Promise<void> {
    const kept = this.keeper.run(run)
    if (kept.record.state !== 'awaitingWorker') return
    const name = `worker ${this.workers.length}`
    this.keeper.happen(kept, { kind: 'reserved', worker: name })
    this.workers.push(await Worker.begin(this.cast, this.keeper, run, name, this.hostClock))
  }

  /** A second later everybody looks once, and an honest coordinator does what it owes. */
  async turn(): Promise<void> {
    this.cast.clock.advance(1000)
    for (const run of this.runs) await this.reserve(run)
    for (const owner of this.everyOwner) await owner.look()
    for (const worker of this.workers) await worker.look()
    this.keeper.sweep()
  }

  /** So many turns as an honest run needs to come to a state, if it comes there. */
  async playUntil(run: Digest, state: RunState): Promise<void> {
    for (let i = 0; i < 12 && this.keeper.run(run).record.state !== state; i++) await this.turn()
  }

  /** Plays a run until its Receipt is to be recorded, lets some owners cosign it, and says, by a lie, that its output keys are due. */
  async hurryOutputKeys({ cosigners, shown }: Hurry): Promise<void> {
    const { keeper } = this
    const run = await this.request()
    await this.approve(run)
    await this.playUntil(run, 'collectingReleases')
    // The Start as it is, then the Receipt.
    if (shown === 'receiptLeftOut')
      for (const fate of ['recorded', 'unlogged'] as const) keeper.doom('worker', fate)
    await this.playUntil(run, 'recordingReceipt')
    for (const label of cosigners) await this.owners[label].look()
    const { spendsCheckpoint } = keeper.run(run).record
    const lies = keeper.shown.to('worker')
    const { size } = lies
    if (shown === 'spendsCheckpoint') lies.size = spendsCheckpoint ?? size
    keeper.claim(run, 'awaitingOutputKeys')
    for (const worker of this.workers) await worker.look()
    lies.size = size
  }

  /**
   * An owner comes back from a backup, and is shown the log and the run as they were then; after some looks it is shown all. Without
   * what an agent does after a start, it would spend and release again.
   */
  async rewind({ owner: label, looks, run, blind, flickers }: Rewind): Promise<void> {
    const owner = this.owners[label]
    const { keeper } = this
    const id = this.runAt(run)
    const backup = await owner.restore(looks)
    if (backup === null || id === undefined) return
    const lies = keeper.shown.to(label)
    lies.size = backup.logSize
    lies.flickers = flickers
    for (const type of later) lies.withheld.add(type)
    keeper.claim(id, 'collectingSpends')
    for (let i = 0; i < blind; i++) {
      await owner.look()
      if (flickers !== null) for (const one of this.everyOwner) if (one !== owner) await one.look()
    }
    for (const type of later) lies.withheld.delete(type)
    lies.size = Infinity
    lies.flickers = null
    keeper.claim(id, 'collectingReleases')
    for (const one of this.everyOwner) await one.look()
    for (let i = 0; i < 2; i++) await owner.look()
  }

  async pass(seconds: number): Promise<void> {
    const slice = Math.min(seconds, 20)
    const slices = Math.min(Math.ceil(seconds / slice), 12)
    for (let i = 0; i < slices; i++) {
      this.cast.clock.advance((seconds * 1000) / slices)
      for (const owner of this.everyOwner) await owner.renewLeases()
    }
    this.keeper.sweep()
  }

  /** What `sealroom dataset withdraw` does: the store first, then the statement. */
  async withdraw(label: OwnerLabel): Promise<void> {
    const owner = this.owners[label]
    const { contract, dataset } = this.cast.versions[label].manifest.payload
    if (!owner.running || this.withdrawn.has(label)) return
    this.withdrawn.add(label)
    await owner.attempt(async () => {
      const { store } = owner.agent
      const key = `${contract}/${dataset}/0000000001`
      const version = await store.get(spaces.datasetVersions, key)
      if (version === undefined) throw new RangeError(`${label} has no version`)
      await store.write(store.put(spaces.datasetVersions, key, { ...version, withdrawn: true }))
      const withdrawal = await owner.party.sign(withdrawalKind, {
        contract,
        dataset,
        manifest: null,
        from: this.cast.clock.iso(),
        reason: 'a test',
      })
      this.invariants.withdrew(label)
      await this.keeper.record(label, withdrawal.jws)
    })
  }

  /** What `sealroom identity renew` does: new keys, one Identity more, the daemon started over them. */
  async renew(label: OwnerLabel): Promise<void> {
    const owner = this.owners[label]
    owner.party = await renewed(owner.party)
    const { identity, thumbprint, chain } = owner.party
    this.keeper.append('identity', identity.digest, thumbprint, null)
    this.keeper.identities = this.keeper.identities.map((known) =>
      known.thumbprint === thumbprint ? { thumbprint, statements: [...chain] } : known,
    )
    this.keeper.announce('identity')
    owner.stop()
    owner.start()
  }

  /** Plays a run with an Offer of the coordinator's own in it. */
  async playExchanged(forgery: Forgery, options: Partial<OfferOptions>): Promise<void> {
    await this.approve(await this.request())
    this.keeper.exchange = new Exchange(this.cast, forgery, options)
    for (let i = 0; i < 8; i++) await this.turn()
    this.keeper.exchange = null
  }

  /** The coordinator tells the truth for a while, clocks are set right, and who has crashed is started. What was done stays done. */
  async calm(): Promise<void> {
    await this.keeper.honest()
    for (const owner of this.everyOwner) {
      owner.skewDays = 0
      owner.start()
    }
  }

  /** Everybody is honest again, clocks are right, and all have been restarted: then a fresh run must be completed. */
  async finale(): Promise<'completed' | 'split' | 'withdrawn'> {
    const { keeper } = this
    await keeper.honest()
    for (const worker of this.workers) worker.kill()
    for (const owner of this.everyOwner) {
      owner.stop()
      owner.skewDays = 0
    }
    await this.pass(1)
    for (const owner of this.everyOwner) owner.start()
    if (this.withdrawn.size > 0) return 'withdrawn'
    const run = await this.request(lastComputation)
    for (let i = 0; i < 20; i++) {
      await this.turn()
      await this.invariants.check()
      if (keeper.run(run).record.state === 'completed') return 'completed'
      if (i === 4 && (await this.foundSplit())) return 'split'
      await this.pass(1)
    }
    throw new Error(`the last run is ${JSON.stringify(keeper.run(run).record)}\n${this.lastReports()}`)
  }

  /** Who follows another tree than the honest one can never go on, and must have said so at its first look at the honest one. */
  private async foundSplit(): Promise<boolean> {
    let split = false
    for (const { agent, label, reports } of this.everyOwner) {
      const seen = await seenCheckpoint(agent)
      if (seen === null || this.follows(seen)) continue
      split = true
      if (!reports.some(({ code }) => misbehaviour.has(String(code))))
        throw new Violation(`${label} follows another log and was not told so`)
    }
    return split
  }

  private follows({ size, root }: { readonly size: number; readonly root: Uint8Array }): boolean {
    const { log } = this.keeper
    return size <= log.size() && log.rootAt(size) === toHex(root)
  }

  private lastReports(): string {
    return this.everyOwner
      .flatMap(({ label, reports }) =>
        reports.slice(-8).map((report) => `${label}: ${JSON.stringify(report)}`),
      )
      .join('\n')
  }

  private current(label: string) {
    return this.everyOwner.find((owner) => owner.label === label)?.party
  }

  readonly refused = (error: unknown): void => {
    if (!(error instanceof Error) || error.name !== 'ClientError') throw error
  }
}
