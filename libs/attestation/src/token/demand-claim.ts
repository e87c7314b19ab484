import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { memberOf, seenOf, type ForeignObject } from '../json/foreign-json.js'

/** What a claim must be; one that is absent never is. */
export interface ClaimDemand {
  readonly claim: string
  /** One of these, exactly. */
  readonly expected: readonly (string | boolean | null)[]
  readonly code: AttestationErrorCode
}

/**
 * Demands the value of a claim at this level of a token.
 * @throws AttestationError with the demand's code.
 */
export function demandClaim(
  claims: ForeignObject,
  { claim, expected, code }: ClaimDemand,
  what: string,
): void {
  const value = memberOf(claims, claim)
  if (expected.some((allowed) => allowed === value)) return
  const wanted = expected.map(String).join(' or ')
  throw new AttestationError(code, `${what}: ${claim} is ${seenOf(value)}; expected ${wanted}`, {
    stage: 'appraise',
    field: claim,
  })
}
