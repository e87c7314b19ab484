/**
 * Where collateral comes from. None of it is trusted: a verifier authenticates every file, so that a source can withhold, or show what is older
 * and still valid, and no more.
 */
import type { Collateral } from '../evidence.js'
import type { CollateralAsk } from './ask.js'

/** Looks collateral up. */
export interface CollateralSource {
  /** What it has for an ask; undefined where it has nothing. Never throws for what the other side of a network or a disk does. */
  find(ask: CollateralAsk): Promise<Collateral | undefined>
}

/** Knows nothing: evidence of hardware is then refused with `COLLATERAL_MISSING`. */
export const noCollateral: CollateralSource = { find: () => Promise.resolve(undefined) }
