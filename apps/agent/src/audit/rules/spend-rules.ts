/** Budget arithmetic: each owner's Spends of a dataset are one chain, whatever became of the runs (design: invariant 7). */
import type { Digest } from '#libs/canonical'
import type { Amounts, Spend } from '#libs/protocol'
import { broken, open, type Finding } from '../finding.js'
import type { Act, ContractHistory, HiddenEntry, History } from '../history.js'
import type { Audited, AuditRule } from './rule.js'

export const spendRules: readonly AuditRule[] = [
  {
    name: 'spend.numbers',
    says: 'the Spends of an owner of a dataset are numbered without gap or double',
    findings: onChains(numbers),
  },
  { name: 'spend.previous', says: 'each Spend names the one before it', findings: onChains(previous) },
  {
    name: 'spend.totals',
    says: 'each Spend’s running total is the one before it and its own amounts',
    findings: onChains(totals),
  },
  {
    name: 'spend.oneRun',
    says: 'a Spend is for one run, and an owner spends of a dataset once for a run',
    findings: onChains(oneRun),
  },
  {
    name: 'spend.budget',
    says: 'no running total is above the contract’s budget',
    findings: onChains(budget),
  },
]

/** The Spends of one owner of one dataset under one contract, in the log's order, with the head that an amendment carries over. */
interface SpendChain {
  readonly contract: ContractHistory
  readonly dataset: string
  readonly spends: readonly Act<Spend>[]
  readonly inherited: Act<Spend> | null
  /** Spends in the log whose bodies were not shown: one of them may be the link that is missed. */
  readonly hidden: readonly HiddenEntry[]
}

function onChains(check: (chain: SpendChain) => Iterable<Finding>): AuditRule['findings'] {
  return function* ({ history }: Audited) {
    for (const chain of chainsOf(history)) yield* check(chain)
  }
}

const known = new WeakMap<History, readonly SpendChain[]>()

function chainsOf(history: History): readonly SpendChain[] {
  const made = known.get(history) ?? makeChains(history)
  known.set(history, made)
  return made
}

function makeChains({ contracts, runs }: History): readonly SpendChain[] {
  const hidden = [...(contracts[0]?.hidden ?? []), ...runs.flatMap((run) => run.hidden)].filter(
    ({ type }) => type === 'spend',
  )
  const byKey = new Map<string, Act<Spend>[]>()
  for (const spend of runs.flatMap((run) => run.spends).toSorted((a, b) => a.index - b.index)) {
    const { contract, by, dataset } = spend.payload
    const key = keyOf(contract, by, dataset)
    const chain = byKey.get(key) ?? []
    chain.push(spend)
    byKey.set(key, chain)
  }
  return [...byKey.values()].flatMap((spends): SpendChain[] => {
    const [first] = spends
    const contract = contracts.find(({ id }) => id === first?.payload.contract)
    if (first === undefined || contract === undefined) return []
    const { by, dataset, previous } = first.payload
    const before = byKey.get(keyOf(contract.terms.governance.supersedes ?? '', by, dataset))?.at(-1)
    return [
      {
        contract,
        dataset,
        spends,
        inherited: previous !== null && previous === before?.id ? before : null,
        hidden,
      },
    ]
  })
}

/** Each Spend with the one before it. */
function* links({ spends, inherited }: SpendChain): Iterable<readonly [Act<Spend>, Act<Spend> | null]> {
  let before = inherited
  for (const spend of spends) {
    yield [spend, before]
    before = spend
  }
}

function* numbers(chain: SpendChain): Iterable<Finding> {
  const seen = new Map<number, Act<Spend>>()
  for (const [spend, before] of links(chain)) {
    const { sequence } = spend.payload
    const twin = seen.get(sequence)
    const expected = (before?.payload.sequence ?? 0) + 1
    if (twin !== undefined)
      yield broken(
        spend,
        `one Spend of ${chain.dataset} with number ${sequence}`,
        `two: ${twin.id} at entry ${twin.index}, and ${spend.id}`,
      )
    else if (sequence !== expected) yield unless(chain, spend, `number ${expected}`, `number ${sequence}`)
    seen.set(sequence, spend)
  }
}

function* previous(chain: SpendChain): Iterable<Finding> {
  for (const [spend, before] of links(chain))
    if (spend.payload.previous !== (before?.id ?? null))
      yield unless(
        chain,
        spend,
        `the Spend before it, ${before?.id ?? 'none'}`,
        spend.payload.previous ?? 'none',
      )
}

function* totals(chain: SpendChain): Iterable<Finding> {
  for (const [spend, before] of links(chain))
    for (const name of amountNames) {
      const expected = (before?.payload.total[name] ?? 0) + spend.payload.amounts[name]
      const seen = spend.payload.total[name]
      if (seen !== expected) yield unless(chain, spend, `a running total of ${expected} ${name}`, `${seen}`)
    }
}

function* oneRun({ spends }: SpendChain): Iterable<Finding> {
  const runs = new Map<Digest, Act<Spend>>()
  for (const spend of spends) {
    const { run, amounts } = spend.payload
    if (amounts.runs !== 1) yield broken(spend, 'the amount of one run', `${amounts.runs} runs`)
    const before = runs.get(run)
    if (before !== undefined)
      yield broken(
        spend,
        'one Spend of this dataset for this run',
        `another, ${before.id} at entry ${before.index}`,
      )
    runs.set(run, spend)
  }
}

function* budget({ contract, dataset, spends }: SpendChain): Iterable<Finding> {
  const { budgets } = contract.terms
  const allowed = Object.hasOwn(budgets, dataset) ? budgets[dataset] : undefined
  for (const spend of spends) {
    const { epsilonMicro, deltaPico } = spend.payload.total
    const [epsilon, delta] = [Number(allowed?.epsilon ?? 0) * 1e6, Number(allowed?.delta ?? 0) * 1e12]
    if (epsilonMicro > epsilon) yield broken(spend, `at most ${epsilon} millionths of ε`, `${epsilonMicro}`)
    if (deltaPico > delta) yield broken(spend, `at most ${delta} 10⁻¹² parts of δ`, `${deltaPico}`)
  }
}

const amountNames = [
  'runs',
  'rows',
  'epsilonMicro',
  'deltaPico',
] as const satisfies readonly (keyof Amounts)[]

function unless({ hidden }: SpendChain, spend: Act<Spend>, expected: string, seen: string): Finding {
  const between = hidden.find(({ index }) => index < spend.index)
  return between === undefined
    ? broken(spend, expected, seen)
    : open(spend, expected, `the body of the Spend at entry ${between.index} was not shown`)
}

function keyOf(contract: Digest, owner: string, dataset: string): string {
  return `${contract} ${owner} ${dataset}`
}
