/** What this owner gives nothing to: builds and chips that a contract's revokers revoked, and those of its own deny-list. */
import type { RevocationFact } from '#libs/contract'
import type { Agent } from '../agent.js'
import type { VerifiedContract } from '../trust/verify-contract.js'

/** Every Revocation of a build or chip that this agent knows, and its own house rules. Whose count is `decide`'s to say. */
export function revocationFacts(
  agent: Pick<Agent, 'keys' | 'houseRules'>,
  contract: Pick<VerifiedContract, 'revocations'>,
): readonly RevocationFact[] {
  const named = contract.revocations.flatMap(({ payload: { by, from, subject } }): RevocationFact[] => {
    if (subject.kind === 'build') return [{ by, from, kind: 'build', value: subject.measurement }]
    return subject.kind === 'chip' ? [{ by, from, kind: 'chip', value: subject.chip }] : []
  })
  const { denyMeasurements, denyChips } = agent.houseRules
  const own = (kind: RevocationFact['kind'], values: readonly string[]): readonly RevocationFact[] =>
    values.map((value) => ({ by: agent.keys.party, kind, value, from: new Date(0).toISOString() }))
  return [...named, ...own('build', denyMeasurements), ...own('chip', denyChips)]
}
