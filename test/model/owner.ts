/** One data owner: its disk, its backups, and the real daemon of the present life over them. */
import { noCollateral, vendorHardware } from '#libs/attestation'
import { toBase64url, type Digest } from '#libs/canonical'
import type { CoordinatorClient } from '#libs/client'
import { seededBytes, type Party } from '#libs/testing'
import type { Agent } from '../../apps/agent/src/agent.js'
import { markRestored } from '../../apps/agent/src/backup/backup-home.js'
import { strictHouseRules } from '../../apps/agent/src/consent/house-rules.js'
import { Daemon } from '../../apps/agent/src/daemon/daemon.js'
import type { Every } from '../../apps/agent/src/daemon/keep-lease.js'
import { AgentStore } from '../../apps/agent/src/store/agent-store.js'
import { spaces } from '../../apps/agent/src/store/records.js'
import { MemoryStore } from '../adversary/stage/memory-store.js'
import type { Cast, OwnerLabel } from './cast.js'
import type { Keeper } from './keeper.js'
import { Crashed, Life, MountedDisk, type CrashPlan } from './life.js'

const day = 24 * 3600 * 1000
export const backupsKept = 24
const storeKey = new Uint8Array(32).fill(7)

interface Timer {
  readonly every: number
  due: number
  readonly action: () => Promise<void>
}

interface Process {
  readonly life: Life
  readonly agent: Agent
  readonly daemon: Daemon
  readonly timers: Set<Timer>
  readonly caughtUp: Map<Digest, number>
}

export class Owner {
  disk = new MemoryStore()
  /** Its disk before each of its last looks, the newest last, and how long the log was then. */
  readonly backups: { readonly disk: MemoryStore; readonly logSize: number }[] = []
  /** What its daemon said of itself. */
  readonly reports: { readonly what: string; readonly [detail: string]: unknown }[] = []
  /** How far its clock is ahead, in days. */
  skewDays = 0
  party: Party
  restores = 0
  /** Whether it ever came back from a backup with a clock that was behind. */
  restoredBehind = false
  private process: Process | null = null
  private lives = 0
  private plan: CrashPlan | null = null

  constructor(
    readonly label: OwnerLabel,
    private readonly cast: Cast,
    private readonly keeper: Keeper,
  ) {
    this.party = cast.parties[label]
  }

  get running(): boolean {
    return this.process !== null
  }

  /** Whether its daemon has caught up with the log since it was started. */
  get isCaughtUp(): boolean {
    return this.process?.caughtUp.has(this.cast.contract.id) ?? false
  }

  get agent(): Agent {
    if (this.process === null) throw new RangeError(`${this.label} does not run`)
    return this.process.agent
  }

  now = () => this.cast.clock.now() + this.skewDays * day

  /** Keys of its data and pins, as its people left them before the first start. */
  async furnish(): Promise<void> {
    const store = AgentStore.over(this.disk, storeKey, seededBytes(`furnish/${this.label}`))
    const others = Object.values(this.cast.parties).filter(({ label }) => label !== this.label)
    const { manifest, segments } = this.cast.versions[this.label]
    const { contract, dataset, version } = manifest.payload
    await store.write(
      ...others.map(({ thumbprint, label }) =>
        store.put(spaces.pins, thumbprint, { label, pinnedAt: this.cast.clock.iso() }),
      ),
      store.put(spaces.datasetVersions, `${contract}/${dataset}/0000000001`, {
        contract,
        dataset,
        manifest: manifest.id,
        manifestStatement: manifest.jws,
        sequence: 1,
        version,
        segments: segments.map(({ name, columns, key }) => ({
          name,
          columns: [...columns],
          key: toBase64url(key),
        })),
        withdrawn: false,
      }),
    )
  }

  start(): void {
    if (this.process !== null) return
    const life = new Life()
    if (this.plan !== null) life.crashAt(this.plan)
    this.plan = null
    const randomBytes = seededBytes(`${this.label}/${this.lives++}`)
    const { log, contract } = this.cast
    const agent: Agent = {
      config: {
        version: 1,
        name: this.label,
        party: this.party.thumbprint,
        coordinator: 'http://127.0.0.1:1',
        log: { origin: log.origin, logKey: log.key.publicKey, coordinatorKey: log.coordinatorKey.publicKey },
      },
      keys: {
        party: this.party.thumbprint,
        identity: this.party.identity,
        daemonKey: this.party.daemon,
        sealingKeys: [this.party.sealing, this.cast.parties[this.label].sealing],
      },
      store: AgentStore.over(new MountedDisk(this.disk, life), storeKey, randomBytes),
      client: this.client(life),
      appraisal: { ...vendorHardware, collateral: noCollateral },
      houseRules: {
        ...strictHouseRules,
        allowSimulated: true,
        automatic: [{ contract: contract.id, computations: ['*'] }],
      },
      now: this.now,
      randomBytes,
      report: (event) => this.reports.push(event),
    }
    const timers = new Set<Timer>()
    const every: Every = (milliseconds, action) => {
      const timer = { every: milliseconds, due: this.cast.clock.now() + milliseconds, action }
      timers.add(timer)
      return () => timers.delete(timer)
    }
    const caughtUp = new Map<Digest, number>()
    const daemon = new Daemon(agent, new AbortController().signal, {
      startedAt: this.now(),
      caughtUp,
      every,
    })
    this.process = { life, agent, daemon, timers, caughtUp }
  }

  /** What its daemon does on patrol, or when it is woken. */
  async look(patrol = true): Promise<void> {
    const { process } = this
    if (process === null) return
    this.backups.push({ disk: this.disk.backup(), logSize: this.cast.log.size() })
    if (this.backups.length > backupsKept) this.backups.shift()
    await this.attempt(() => process.daemon.look(patrol))
  }

  /** Does something in its process, which may end in the midst of it. */
  async attempt(step: () => Promise<unknown>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (!(error instanceof Crashed)) throw error
    }
    this.bury()
  }

  /** Lets those of its timers go off whose time has come. */
  async renewLeases(): Promise<void> {
    for (const timer of this.process?.timers ?? []) {
      if (timer.due > this.cast.clock.now()) continue
      timer.due = this.cast.clock.now() + timer.every
      await timer.action()
    }
    this.bury()
  }

  /** Ends its process at a write or message to come, in this life or, where it does not run, in the next. */
  crashAt(plan: CrashPlan): void {
    if (this.process === null) this.plan = plan
    else this.process.life.crashAt(plan)
  }

  stop(): void {
    this.plan = null
    this.process?.life.end()
    this.process = null
  }

  /** What `sealroom restore` does: the disk of so many looks ago, marked; and starts over it. */
  async restore(back: number): Promise<{ readonly logSize: number } | null> {
    const backup = this.backups.at(-1 - (back % Math.max(1, this.backups.length)))
    if (backup === undefined) return null
    this.stop()
    this.disk = backup.disk.backup()
    await markRestored(
      AgentStore.over(this.disk, storeKey, seededBytes(`restore/${this.label}/${this.restores}`)),
    )
    this.restores++
    if (this.skewDays < 0) this.restoredBehind = true
    this.start()
    return backup
  }

  private bury(): void {
    if (this.process?.life.alive === false) this.process = null
  }

  private client(life: Life): CoordinatorClient {
    const { keeper, label } = this
    const ask =
      <A extends unknown[], T>(answer: (...asked: A) => T | Promise<T>) =>
      async (...asked: A): Promise<T> => {
        life.expectAlive()
        return await answer(...asked)
      }
    const answers = {
      checkpoint: ask(() => keeper.checkpoint(label)),
      checkpointOf: ask((run: string) => keeper.checkpointOf(label, run)),
      checkpointAt: ask((size: number) => keeper.checkpoint(label, size)),
      leaves: ask((from: number, to: number) => keeper.shown.log(label).leaves(from, to)),
      consistency: ask((from: number, to: number) => keeper.shown.log(label).consistency(from, to)),
      contracts: ask(() => ({ contracts: [keeper.contractView(label)] })),
      contract: ask(() => keeper.contractView(label)),
      run: ask((run: string) => keeper.runView(label, run)),
      events: ask((after: number) => keeper.events(after)),
      identities: ask(() => ({ identities: keeper.shown.identities(label, keeper.identities) })),
      statement: ask((digest: string) => keeper.statement(label, digest)),
      readiness: ask(
        ({ run, state, reason }: { run: string; state: 'ready' | 'waiting'; reason: string }) => {
          keeper.happen(keeper.run(run), {
            kind: 'answered',
            owner: this.party.thumbprint,
            answer: state,
            reason,
          })
        },
      ),
      requestCosignatures: ask(() => {
        keeper.demandCosignatures()
      }),
      cosign: (line: { size: number; root: string; line: string }) =>
        life.step(async () => {
          keeper.cosign(this.party.thumbprint, line)
          await Promise.resolve()
        }),
      record: (statement: string) => life.step(() => keeper.hear(label, statement)),
    }
    // A daemon asks nothing else; what it would ask more of a coordinator fails loudly here.
    return answers as unknown as CoordinatorClient
  }
}
