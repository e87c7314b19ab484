/**
 * The daemon: follows the event feed from a durable cursor and does what this party owes, one thing at a time. News may come
 * twice, late or never; the feed is the truth and the wake-up only a hint. What cannot be done now is tried again; what must
 * not be done is written down with its reason.
 */
import { CodedError, type Digest } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { eventsPage, type Event, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { cosignSeen, followLog } from '../trust/log-follower.js'
import { refreshIdentities } from '../trust/known-parties.js'
import { readQuery } from '../trust/read-query.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { actOnRun, type Acting } from './act-on-run.js'
import { AfterStart } from './after-start.js'
import { ContractDesk } from './contract-desk.js'
import { byTimer, Leases, type Every } from './keep-lease.js'
import { OpenRuns } from './open-runs.js'
import { listenForWakeUps } from './wake.js'

/** Looks at the feed at least this often, should a wake-up be lost. */
const patrolMilliseconds = 5_000
const retryMilliseconds = 1_000
/** After so many pages of news the open runs have their turn, however much more there is. */
const pagesAtOnce = 20

/** What the daemon's owner can make it do. */
export interface DaemonControl {
  /** when the process began to hold the store: what it must catch up with after a start counts from then */
  readonly startedAt: number
  /** for which contracts, and up to where in the log, the process has caught up since; it stays so over a reload of keys and rules */
  readonly caughtUp: Map<Digest, number>
  /** called with a function that makes the daemon look again at once */
  readonly onReady: (nudge: () => void) => void
}

/** Runs until the signal says stop. @throws AgentError `STORE_DAMAGED`; anything that is nobody's fault but ours. */
export async function runDaemon(agent: Agent, signal: AbortSignal, control: DaemonControl): Promise<void> {
  const daemon = new Daemon(agent, signal, { ...control, every: byTimer })
  control.onReady(() => {
    daemon.nudge()
  })
  await daemon.run()
}

/** One life of a daemon. {@link runDaemon} lets it look whenever there may be something new. */
export class Daemon {
  private readonly contracts: ContractDesk
  private readonly openRuns: OpenRuns
  private readonly leases: Leases
  private readonly acting: Acting
  private readonly afterStart: AfterStart
  private wake: () => void = () => undefined
  private woken = true
  private prepared = false
  /** the moment of a run at which this agent last had nothing left to do */
  private readonly done = new Map<Digest, string>()
  /** runs that the feed named since they were last looked at, unless it said that they stand where this agent was done */
  private readonly named = new Set<Digest>()

  constructor(
    private readonly agent: Agent,
    private readonly signal: AbortSignal,
    { startedAt, caughtUp, every }: Pick<DaemonControl, 'startedAt' | 'caughtUp'> & { readonly every: Every },
  ) {
    this.contracts = new ContractDesk(agent)
    this.openRuns = new OpenRuns(agent)
    this.leases = new Leases(agent, (id) => this.contracts.active(id), every)
    this.afterStart = new AfterStart(agent, startedAt, caughtUp)
    this.acting = {
      agent,
      afterStart: this.afterStart,
      liveRounds: new Map(),
      answers: new Map(),
      keepLease: (contract, run) => {
        this.leases.keep(contract, run)
      },
    }
  }

  /** Something may have changed that no event tells of, as a person's answer. */
  nudge(): void {
    this.done.clear()
    this.hear()
  }

  private hear(): void {
    this.woken = true
    this.wake()
  }

  async run(): Promise<void> {
    listenForWakeUps(this.agent.client.connection, this.signal, () => {
      this.hear()
    })
    this.agent.report({ what: 'daemon started', party: this.agent.keys.party })
    for (let patrol = true; !this.signal.aborted;) {
      const quiet = await this.look(patrol)
      const soon = Math.min(patrolMilliseconds, this.afterStart.looksAgainIn ?? patrolMilliseconds)
      patrol = !(await this.untilWoken(quiet ? soon : retryMilliseconds))
    }
    this.leases.stopAll()
  }

  /**
   * One look at the feed, and at the open runs in which something may be owed: those that the feed named and those that wait for
   * something; on patrol at all, should the feed have kept something back. Answers whether all went well.
   * @throws what is nobody's fault but ours.
   */
  async look(patrol = true): Promise<boolean> {
    this.woken = false
    try {
      await this.prepareAll()
      await this.readFeed()
      await this.openRuns.each((run) =>
        patrol || this.named.has(run) || !this.done.has(run) ? this.act(run) : Promise.resolve('open'),
      )
      return true
    } catch (error) {
      this.complain('look', error)
      return false
    }
  }

  private async readFeed(): Promise<void> {
    for (let page = 0; page < pagesAtOnce; page++) {
      const cursor = Number((await this.agent.store.get(spaces.state, 'cursor')) ?? '0')
      const { events, next } = await this.agent.client.events(cursor)
      for (const event of newestOfEach(events)) await this.take(event)
      if (next !== cursor)
        await this.agent.store.write(this.agent.store.put(spaces.state, 'cursor', String(next)))
      // A feed that does not move on has nothing new, whatever it holds; what came after the last page wakes this daemon again.
      if (events.length < eventsPage || next === cursor || this.signal.aborted) return
    }
  }

  private async take(event: Event): Promise<void> {
    switch (event.kind) {
      case 'run':
        if (event.run === null || !(await this.concerns(event.contract))) return
        this.openRuns.add(event.run)
        if (!this.nothingOwed(event.run, event.moment)) this.named.add(event.run)
        return
      case 'cosign':
        await this.guarded('cosign', async () => {
          await followLog(this.agent, event.size ?? undefined)
          await cosignSeen(this.agent)
        })
        return
      case 'contract':
        this.contracts.stale()
        if (event.contract !== null) await this.prepare(event.contract)
        return
      case 'identity':
        this.contracts.stale()
        await this.guarded('identities', async () => {
          await refreshIdentities(this.agent, (await this.agent.client.identities()).identities)
        })
        return
      case 'checkpoint':
        // Cosignatures that were asked for after a start have come: the next run need not ask again.
        if (event.contract !== null && !this.afterStart.isReady(event.contract))
          await this.prepare(event.contract)
        return
    }
  }

  // The feed told of contracts before this start, too.
  private async prepareAll(): Promise<void> {
    if (this.prepared) return
    const { contracts } = await this.agent.client.contracts()
    for (const { id, state } of contracts) if (state === 'active') await this.prepare(id)
    this.prepared = true
  }

  // A contract that has come into force: be ready to act under it before the first run asks.
  private async prepare(id: Digest): Promise<void> {
    const view = await this.agent.client.contract(id)
    if (view.state !== 'active') return
    await this.guarded('contract', async () => {
      await this.followFor(view.statements.flatMap(({ index }) => index ?? []))
      const contract = await this.contracts.active(id)
      if (!contract.ownSignature || !contract.dataOwners.includes(this.agent.keys.party)) return
      await this.afterStart.awaited(contract)
      for (const name of Object.keys(contract.terms.computations)) await readQuery(contract, name)
    })
  }

  // The feed's word for where a run stands: believed only as far as it lets this agent do nothing until its next patrol.
  private nothingOwed(run: Digest, moment: Event['moment']): boolean {
    if (moment === null) return false
    return workersTurn.has(moment.state) || this.done.get(run) === momentOf(moment)
  }

  // Only an owner of a contract's data owes its runs anything. Where that cannot be told, the run is looked at.
  private async concerns(contract: Digest | null): Promise<boolean> {
    if (contract === null) return true
    try {
      return (await this.contracts.active(contract)).dataOwners.includes(this.agent.keys.party)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      return true
    }
  }

  private async act(run: Digest): Promise<'open' | 'over'> {
    this.named.delete(run)
    try {
      return await this.actOn(run)
    } catch (error) {
      // What the feed named is still to be looked at, and the feed will not name it again.
      this.named.add(run)
      throw error
    }
  }

  private async actOn(run: Digest): Promise<'open' | 'over'> {
    const view = await this.agent.client.run(run)
    const over = this.openRuns.isOver(view)
    if (!over && this.done.get(run) === momentOf(view)) return 'open'
    const outcome = await this.guarded(`run ${run}`, async () => {
      await this.followFor(decisiveIndexes(view))
      const contract: VerifiedContract = await this.contracts.active(view.contract)
      const waiting = await actOnRun(this.acting, contract, view)
      if (waiting === null) this.done.set(run, momentOf(view))
      await this.openRuns.note(run, waiting)
    })
    if (outcome instanceof AgentError) await this.openRuns.refusedToAct(run, outcome)
    if (over) this.done.delete(run)
    return over ? 'over' : 'open'
  }

  // What is decided on must be in the log as this agent has read it, so it reads on first where the run says there is more.
  private async followFor(indexes: readonly number[]): Promise<void> {
    const needed = Math.max(0, ...indexes) + 1
    await followLog(this.agent, needed > 1 ? needed : undefined)
  }

  /** Does something; a refusal by verification is reported and answered, everything else goes on up. */
  private async guarded(what: string, action: () => Promise<void>): Promise<CodedError | null> {
    try {
      await action()
      return null
    } catch (error) {
      if (!(error instanceof CodedError) || (error instanceof AgentError && error.code === 'STORE_DAMAGED'))
        throw error
      this.complain(what, error)
      if (error instanceof ClientError && error.code === 'COORDINATOR_UNREACHABLE') throw error
      return error instanceof AgentError
        ? error
        : new AgentError('RUN_NOT_VERIFIED', error.message, { cause: error })
    }
  }

  private complain(what: string, error: unknown): void {
    const code = error instanceof CodedError ? String(error.code) : 'UNEXPECTED'
    this.agent.report({
      what: `could not: ${what}`,
      code,
      why: error instanceof Error ? error.message : 'unknown',
    })
    if (!(error instanceof CodedError)) throw error
  }

  /** Answers whether it was woken; otherwise the time is over, or this daemon is to stop. */
  private async untilWoken(milliseconds: number): Promise<boolean> {
    if (this.woken || this.signal.aborted) return this.woken
    await new Promise<void>((resolve) => {
      const timer: NodeJS.Timeout = setTimeout(() => {
        done()
      }, milliseconds)
      const done = () => {
        clearTimeout(timer)
        this.signal.removeEventListener('abort', done)
        resolve()
      }
      this.wake = done
      this.signal.addEventListener('abort', done, { once: true })
    })
    this.wake = () => undefined
    return this.woken
  }
}

/** States in which a run waits for its enclave, or for cosignatures, which are asked for by events of their own. */
const workersTurn: ReadonlySet<RunView['state']> = new Set([
  'awaitingWorker',
  'awaitingOffer',
  'running',
  'recordingReceipt',
  'awaitingOutputKeys',
])

// In each state of a round every owner owes one thing; what others do in it is news that asks for nothing more.
function momentOf({ state, round }: Pick<RunView, 'state' | 'round'>): string {
  return `${state} ${round}`
}

const decisive: readonly string[] = ['run-request', 'approval', 'denial', 'refusal', 'receipt']

/** Where in the log the statements stand on whose place there something is decided. */
function decisiveIndexes({ statements }: RunView): readonly number[] {
  return statements.flatMap(({ type, index }) => (decisive.includes(type) && index !== null ? [index] : []))
}

// Several events about one thing ask for one look at it.
function newestOfEach(events: readonly Event[]): readonly Event[] {
  const newest = new Map(
    events.map((event) => [`${event.kind} ${event.contract ?? ''} ${event.run ?? ''}`, event]),
  )
  return [...newest.values()]
}
