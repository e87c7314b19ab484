/**
 * A verdict on an Offer, made again long after its owners made theirs, with the collateral that is recorded beside their Accepts. Every owner
 * names its own. Genuine collateral proves the same whoever shows it, and what is not genuine proves nothing: so the Offer counts as proven
 * where it is by any of them, and no owner can spoil the record of the others by recording rubbish. Whether each owner was right to
 * accept is another question: ask with its Accept alone.
 */
import type { Collateral, TrustedHardware } from '#libs/attestation'
import { appraiseOffer, type OfferVerdict } from './appraise-offers.js'
import { recordedCollateral, type ShownAccept } from './recorded-collateral.js'
import type { ShownOffer } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'

/** For which time a verdict is repeated, by whom, and what was recorded for it. */
export interface Repeating extends TrustedHardware {
  /** In milliseconds. */
  readonly now: number
  readonly accepts: readonly ShownAccept[]
}

/** The first verdict that proves the Offer; where none does, the first of all. */
export async function repeatVerdict(
  contract: Pick<VerifiedContract, 'terms'>,
  shown: ShownOffer,
  { accepts, ...judging }: Repeating,
): Promise<OfferVerdict> {
  const appraiseWith = (collateral: Collateral) =>
    appraiseOffer(contract, shown, { ...judging, collateralFor: () => Promise.resolve(collateral) })
  const [first = {}, ...others] = recordedCollateral(accepts, shown.offer.payload.place)
  const verdict = await appraiseWith(first)
  if (isProven(verdict)) return verdict
  for (const collateral of others) {
    const other = await appraiseWith(collateral)
    if (isProven(other)) return other
  }
  return verdict
}

function isProven({ fact }: OfferVerdict): boolean {
  return fact.failed.length === 0
}
