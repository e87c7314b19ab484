/** How often a computation was spent on, and how often that came to nothing, as of any place of the log. */
import type { Thumbprint } from '#libs/canonical'
import type { UsageFact } from '#libs/contract'
import type { RunHistory } from './history.js'

interface Counted {
  /** Places of the first Spend of each run, ascending. */
  readonly spent: number[]
  /** Places of the Receipts of outcome `completed` of the same runs, ascending. */
  readonly completed: number[]
}

export class UsageBook {
  private readonly counts = new Map<string, Counted>()

  constructor(runs: readonly RunHistory[]) {
    for (const run of runs) {
      const completed = run.receipts.find(({ payload }) => payload.outcome === 'completed')?.index
      for (const self of [null, ...new Set(run.spends.map(({ payload }) => payload.by))]) {
        const spent = firstSpend(run, self)
        if (spent === undefined) continue
        const counted = this.of(run, self)
        counted.spent.push(spent)
        if (completed !== undefined) counted.completed.push(completed)
      }
    }
    for (const { spent, completed } of this.counts.values()) {
      spent.sort((a, b) => a - b)
      completed.sort((a, b) => a - b)
    }
  }

  /** Other runs that were spent on before a place: by an owner, or with `self` null by anyone. */
  before(run: RunHistory, self: Thumbprint | null, index: number): UsageFact {
    const counted = this.counts.get(keyOf(run, self)) ?? { spent: [], completed: [] }
    const own = (firstSpend(run, self) ?? index) < index ? 1 : 0
    const runs = below(counted.spent, index) - own
    return { runs, failures: runs - below(counted.completed, index), failuresAllowedMore: 0 }
  }

  private of(run: RunHistory, self: Thumbprint | null): Counted {
    const key = keyOf(run, self)
    const known = this.counts.get(key)
    if (known !== undefined) return known
    const counted = { spent: [], completed: [] }
    this.counts.set(key, counted)
    return counted
  }
}

function firstSpend({ spends }: RunHistory, self: Thumbprint | null): number | undefined {
  return spends.find(({ payload }) => self === null || payload.by === self)?.index
}

function keyOf({ contract, request }: RunHistory, self: Thumbprint | null): string {
  return `${contract.id} ${request?.payload.computation ?? ''} ${self ?? ''}`
}

// How many of some ascending places lie before one.
function below(places: readonly number[], index: number): number {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((places[middle] ?? 0) < index) low = middle + 1
    else high = middle
  }
  return low
}
