import type { FactName } from './facts.js'

/** Why not: enough for whoever asked to know what to change and whom to ask. Never data. */
export interface Refusal {
  readonly rule: string
  readonly expected: string
  readonly seen: string
  /** Who can change that. */
  readonly who: string
  readonly text: string
}

/** `undetermined` is not yes: a fact of the act's list is missing. A refusal stands whatever else is missing. */
export type Verdict =
  | { readonly decision: 'permit' }
  | { readonly decision: 'deny'; readonly refusals: readonly Refusal[] }
  | { readonly decision: 'undetermined'; readonly missing: readonly FactName[] }

/** What a rule objects to; `decide` makes the refusal of it. */
export interface Objection {
  readonly expected: string
  readonly seen: string
  readonly who: string
}

/** An objection of a rule. */
export function objection(expected: string, seen: string, who: string): Objection {
  return { expected, seen, who }
}

const cut = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1).toWellFormed()}…` : text

/** The refusal that a rule's objection is: bounded, since it goes into signed statements. */
export function refusalOf(rule: string, { expected, seen, who }: Objection): Refusal {
  const bounded = { expected: cut(expected, 300), seen: cut(seen, 300), who: cut(who, 150) }
  return {
    rule,
    ...bounded,
    text: `${rule}: expected ${bounded.expected}; seen ${bounded.seen}. Who can change that: ${bounded.who}.`,
  }
}

/** The reasons of a verdict that is not yes, as refusals. */
export function reasonsOf(verdict: Verdict): readonly Refusal[] {
  if (verdict.decision === 'permit') return []
  if (verdict.decision === 'deny') return verdict.refusals
  return verdict.missing.map((fact) =>
    refusalOf(
      'facts.complete',
      objection(`the fact ${fact}`, 'nothing', 'whoever decides, by establishing it'),
    ),
  )
}
