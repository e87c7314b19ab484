/**
 * Whether the guest of an authentic Azure VM is one that a contract means: how it was started, and every register that nothing but a reset takes
 * back. Says nothing about the hardware, which is appraised as where it stands alone.
 */
import type { ClaimDemand } from '../checklist.js'
import type { GuestClaims } from './claims.js'
import { heldRegisters, type AzureVmReference, type RegisterName } from './reference.js'

const zero = '00'.repeat(32)

/**
 * Appraises the guest.
 * @throws AttestationError `POLICY`, `MEASUREMENT_MISMATCH`, naming the claim.
 */
export function appraiseGuest(claims: GuestClaims, reference: AzureVmReference, demand: ClaimDemand): void {
  const { secureBoot, console } = claims
  if (reference.secureBoot !== 'waived') demand('secureBoot', 'on', said(secureBoot), secureBoot === true)
  if (reference.console !== 'allowed') demand('console', 'off', said(console), console === false)
  for (let index = 0; index < heldRegisters; index++) {
    const name = `pcr${index}` as RegisterName
    const isWaived = reference.waivedPcrs?.some((waived) => waived === index) === true
    if (isWaived && reference[name] === undefined) continue
    const expected = reference[name] ?? [zero]
    const seen = claims.registers[name]
    const isExpected = seen !== undefined && expected.includes(seen)
    demand(name, expected.join(' or '), seen ?? 'not quoted', isExpected, 'MEASUREMENT_MISMATCH')
  }
}

function said(flag: boolean | null): string {
  if (flag === null) return 'not said'
  return flag ? 'on' : 'off'
}
