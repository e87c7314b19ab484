/**
 * The collateral on which owners accepted a round, as it is kept beside their Accepts: with it a verdict is repeated years later. An
 * owner's Accept names it by digest; what is shown in its place counts as absent.
 */
import { CodedError, fromBase64url, toBase64url } from '#libs/canonical'
import { collateralDigest, parseCollateral, writeCollateral, type Collateral } from '#libs/attestation'
import type { Accept, RunView } from '#libs/protocol'
import type { VerifiedRun } from './verify-run.js'

/** An Accept with what was shown beside it. */
export interface ShownAccept {
  readonly payload: Pick<Accept, 'collateral'>
  readonly attachment: string | null
}

/** What goes beside an Accept; undefined where no verdict used any. */
export function collateralAttachment(places: readonly Collateral[]): string | undefined {
  if (places.every((collateral) => Object.keys(collateral).length === 0)) return undefined
  return toBase64url(writeCollateral(places))
}

/** The collateral of the Offer at a place as each Accept has it, in their order: what does not meet the Accept's own word is left out. */
export function recordedCollateral(accepts: readonly ShownAccept[], place: number): readonly Collateral[] {
  return accepts.flatMap(({ payload, attachment }) => {
    const collateral = readPlaces(attachment)[place]
    return collateral !== undefined && collateralDigest(collateral) === payload.collateral[place]
      ? [collateral]
      : []
  })
}

/** The Accepts of a run's newest round with what the run's record shows beside them. */
export function shownAccepts({
  accepts,
  view,
}: Pick<VerifiedRun, 'accepts' | 'view'>): readonly (ShownAccept & { readonly payload: Accept })[] {
  return accepts.map(({ payload, jws }) => ({ payload, attachment: attachmentOf(view, jws) }))
}

function attachmentOf(view: RunView, statement: string): string | null {
  return view.statements.find((recorded) => recorded.statement === statement)?.attachment ?? null
}

function readPlaces(attachment: string | null): readonly Collateral[] {
  if (attachment === null) return []
  try {
    return parseCollateral(fromBase64url(attachment))
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return []
  }
}
