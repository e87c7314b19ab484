/**
 * The one decision function. Coordinator, agents and enclave all call it, each with facts that it established itself; no rule
 * lives anywhere else. Pure: the same contract, act and facts give the same verdict everywhere and for ever.
 */
import type { SignedContract } from '../signing/verify-signatures.js'
import { consentRules } from './consent-rules.js'
import { contractRules } from './contract-rules.js'
import { actFacts, type Act, type FactName, type Facts, type FactsOf } from './facts.js'
import { outputRules } from './output-rules.js'
import { releaseRules } from './release-rules.js'
import { requestRules } from './request-rules.js'
import { roundRules } from './round-rules.js'
import type { Rule } from './rule.js'
import { refusalOf, type Refusal, type Verdict } from './verdict.js'

/** Every rule, in the order in which refusals are told. */
export const rules: readonly Rule[] = [
  ...contractRules,
  ...requestRules,
  ...consentRules,
  ...roundRules,
  ...releaseRules,
  ...outputRules,
]

/** The rules of an act. */
export function rulesOf(act: Act): readonly Rule[] {
  return rules.filter((rule) => rule.acts.includes(act))
}

/**
 * Decides an act under a contract that every signatory signed. Every rule of the act must hold; where a fact of the act's list
 * is missing the answer is `undetermined`, which is not yes; a refusal stands whatever else is missing. All refusals are told.
 */
export function decide<A extends Act>(contract: SignedContract, act: A, facts: Partial<FactsOf<A>>): Verdict {
  const listed: readonly FactName[] = actFacts[act]
  const given: Partial<Facts> = Object.fromEntries(
    listed
      .filter((name) => (facts as Partial<Facts>)[name] !== undefined)
      .map((name) => [name, (facts as Partial<Facts>)[name]]),
  )
  const refusals: Refusal[] = rulesOf(act)
    .filter((rule) => rule.needs.every((name) => given[name] !== undefined))
    .flatMap((rule) => rule.objections(contract, given).map((objection) => refusalOf(rule.name, objection)))
  if (refusals.length > 0) return { decision: 'deny', refusals }
  const missing = listed.filter((name) => given[name] === undefined)
  return missing.length > 0 ? { decision: 'undetermined', missing } : { decision: 'permit' }
}
