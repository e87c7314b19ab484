/** The levels of a token of Microsoft Azure Attestation: the token itself, and what a guest's own token nests of its hardware. */
import { memberOf, objectIn, type ForeignObject } from '../json/foreign-json.js'

/** What the service says of the hardware, and the level of the token that it stands at. */
export interface HardwareClaims {
  readonly tee: 'sevsnpvm' | 'tdxvm' | null
  readonly claims: ForeignObject
}

/** The claim that says what a level is about. */
export const typeClaim = 'x-ms-attestation-type'

/** Its value in the guest's own token. */
export const guestType = 'azurevm'

/** Whether a token is the guest's own. */
export function isGuestToken(token: ForeignObject): boolean {
  return memberOf(token, typeClaim) === guestType
}

/** The level that is about the hardware. */
export function hardwareOf(token: ForeignObject): HardwareClaims {
  const claims = isGuestToken(token) ? objectIn(token, 'x-ms-isolation-tee') : token
  const type = memberOf(claims, typeClaim)
  return { tee: type === 'sevsnpvm' || type === 'tdxvm' ? type : null, claims }
}
