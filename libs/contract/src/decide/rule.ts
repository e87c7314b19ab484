/** The shape of a rule, and what a rule is told beside its facts. */
import type { Digest, Thumbprint } from '#libs/canonical'
import type { ComputationTerms, ContractTerms } from '../terms/terms.js'
import { labelOf } from '../terms/questions.js'
import type { Act, FactName, Facts } from './facts.js'
import type { Objection } from './verdict.js'

/** The contract that is decided under. */
export interface ContractRef {
  readonly id: Digest
  readonly terms: ContractTerms
}

/** A rule with the facts that it needs; it is asked only when all of them are there. */
export interface Rule {
  readonly name: string
  readonly acts: readonly Act[]
  readonly needs: readonly FactName[]
  readonly objections: (contract: ContractRef, facts: Partial<Facts>) => readonly Objection[]
}

type Told = null | Objection | readonly Objection[]

/**
 * Makes a rule. `check` sees only the facts that it names, so that its list cannot be short of what it uses.
 */
export function rule<Need extends FactName>(
  name: string,
  acts: readonly Act[],
  needs: readonly Need[],
  check: (facts: Pick<Facts, Need>, contract: ContractRef) => Told,
): Rule {
  return {
    name,
    acts,
    needs,
    objections: (contract, facts) => {
      const told = check(pick(facts, needs), contract)
      return told === null ? [] : Array.isArray(told) ? (told as readonly Objection[]) : [told as Objection]
    },
  }
}

/** Calls a check for the computation that a request names; where there is none, another rule has refused. */
export function forComputation<Need extends FactName>(
  check: (computation: ComputationTerms, facts: Pick<Facts, Need | 'request'>, contract: ContractRef) => Told,
): (facts: Pick<Facts, Need | 'request'>, contract: ContractRef) => Told {
  return (facts, contract) => {
    const { computations } = contract.terms
    const name = facts.request.computation
    const computation = Object.hasOwn(computations, name) ? computations[name] : undefined
    return computation === undefined ? null : check(computation, facts, contract)
  }
}

/** A party as a refusal names it. */
export function named(contract: ContractRef, key: Thumbprint): string {
  return labelOf(contract.terms, key) ?? `the key ${key}`
}

/** Labels as a refusal lists them. */
export function list(labels: readonly string[]): string {
  return labels.length === 0 ? 'nobody' : labels.join(', ')
}

/** Whether two lists hold the same, each once. */
export function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set(a).size === a.length && new Set([...a, ...b]).size === a.length
}

function pick<Need extends FactName>(facts: Partial<Facts>, needs: readonly Need[]): Pick<Facts, Need> {
  return Object.fromEntries(needs.map((need) => [need, facts[need]])) as unknown as Pick<Facts, Need>
}
