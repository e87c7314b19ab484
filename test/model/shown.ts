/** What the coordinator shows to whom, where that is not what it has: a prefix, a fork, a record with gaps. */
import type { StatementType } from '#libs/canonical'
import type { IdentityChainMessage, RecordedStatement } from '#libs/protocol'
import type { HostileLog } from '../adversary/stage/hostile-log.js'
import type { OwnerLabel } from './cast.js'

export type Viewer = OwnerLabel | 'lab' | 'worker'

interface Lies {
  log: HostileLog | null
  /** shows the log only up to here */
  size: number
  /** shows its newest checkpoint as it is every other time it is asked for it, and else only up to `size`; null where it does not */
  flickers: 'shortFirst' | 'wholeFirst' | null
  readonly withheld: Set<StatementType>
  order: 'asRecorded' | 'reversed' | 'doubled'
  /** shows these in place of what was recorded */
  readonly instead: Map<string, RecordedStatement>
  identities: readonly IdentityChainMessage[] | null
}

export class Shown {
  private readonly lies = new Map<Viewer, Lies>()
  /** Who has been shown another tree than the honest one, ever. */
  readonly split = new Set<Viewer>()

  /** Every tree that anybody was shown. */
  readonly trees: HostileLog[]

  constructor(private readonly honestLog: HostileLog) {
    this.trees = [honestLog]
  }

  /** Shows somebody another tree from now on. */
  fork(viewer: Viewer, log: HostileLog): void {
    this.to(viewer).log = log
    this.trees.push(log)
    this.split.add(viewer)
  }

  /** How the coordinator lies to somebody; to be changed in place. */
  to(viewer: Viewer): Lies {
    const lies = this.lies.get(viewer) ?? {
      log: null,
      size: Infinity,
      flickers: null,
      withheld: new Set(),
      order: 'asRecorded',
      instead: new Map(),
      identities: null,
    }
    this.lies.set(viewer, lies)
    return lies
  }

  honest(): void {
    this.lies.clear()
  }

  forks(): readonly HostileLog[] {
    return [...new Set([...this.lies.values()].flatMap(({ log }) => log ?? []))]
  }

  log(viewer: Viewer): HostileLog {
    return this.to(viewer).log ?? this.honestLog
  }

  size(viewer: Viewer): number {
    return Math.min(this.to(viewer).size, this.log(viewer).size())
  }

  /** How long the log is when somebody asks for its newest checkpoint. */
  newestSize(viewer: Viewer): number {
    const lies = this.to(viewer)
    const whole = lies.flickers === 'wholeFirst'
    if (lies.flickers !== null) lies.flickers = whole ? 'shortFirst' : 'wholeFirst'
    return whole ? this.log(viewer).size() : this.size(viewer)
  }

  statements(viewer: Viewer, recorded: readonly RecordedStatement[]): RecordedStatement[] {
    const { withheld, order, instead } = this.to(viewer)
    const shown = recorded
      .filter(({ type }) => !withheld.has(type))
      .map((statement) => instead.get(statement.digest) ?? statement)
    if (order === 'reversed') return shown.toReversed()
    return order === 'doubled' ? shown.flatMap((statement) => [statement, statement]) : [...shown]
  }

  identities(viewer: Viewer, known: readonly IdentityChainMessage[]): IdentityChainMessage[] {
    return [...(this.to(viewer).identities ?? known)]
  }
}
