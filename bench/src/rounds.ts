/**
 * Figures of work that takes turns in rounds, so that only what ran within one round is compared. Two threads are slowed by
 * another process of a machine with two processors where one is not; so of all rounds those count that others disturbed least.
 */
import { cpus } from 'node:os'

interface Round {
  readonly throughputs: Map<string, number>
  milliseconds: number
  /** processor time that others took meanwhile */
  foreign: number
}

/** Rounds, of which the undisturbed half counts: chosen by what other processes did, never by what was measured. */
export class Rounds {
  private readonly rounds: Round[] = []

  /** @param amount - what each piece of work does, in the unit of which throughput is given per second */
  constructor(private readonly amount: number) {}

  /** Begins a round. */
  begin(): void {
    this.rounds.push({ throughputs: new Map(), milliseconds: 0, foreign: 0 })
  }

  /**
   * Times a piece of work in the round that was begun last.
   * @throws RangeError where none was.
   */
  async time(name: string, work: () => Promise<unknown>): Promise<void> {
    const round = this.rounds.at(-1)
    if (round === undefined) throw new RangeError('no round has begun')
    const foreign = foreignMilliseconds()
    const start = performance.now()
    await work()
    const milliseconds = performance.now() - start
    round.foreign += foreignMilliseconds() - foreign
    round.milliseconds += milliseconds
    round.throughputs.set(name, (this.amount / milliseconds) * 1000)
  }

  /**
   * The median, over the rounds that count, of what is made of the throughputs of one.
   * @throws RangeError where a round lacks a name that is asked for, or there was none.
   */
  median(of: (round: (name: string) => number) => number): number {
    return medianOf(
      this.counting().map(({ throughputs }) =>
        of((name) => {
          const throughput = throughputs.get(name)
          if (throughput === undefined) throw new RangeError(`"${name}" was not timed in every round`)
          return throughput
        }),
      ),
    )
  }

  /** How many processors other processes kept busy in the rounds that count: the median of them. */
  foreignLoad(): number {
    return medianOf(this.counting().map(foreignLoad))
  }

  private counting(): readonly Round[] {
    const calmest = this.rounds.toSorted((a, b) => foreignLoad(a) - foreignLoad(b))
    return calmest.slice(0, Math.ceil(calmest.length / 2))
  }
}

function foreignLoad(round: Round): number {
  return Math.max(0, round.foreign / round.milliseconds)
}

/** Processor time of all that runs on this machine but this process. */
function foreignMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  const all = cpus().map(({ times }) => times.user + times.nice + times.sys + times.irq)
  return all.reduce((sum, time) => sum + time, 0) - (user + system) / 1000
}

function medianOf(values: readonly number[]): number {
  const median = values.toSorted((a, b) => a - b)[values.length >> 1]
  if (median === undefined) throw new RangeError('nothing was timed')
  return median
}
