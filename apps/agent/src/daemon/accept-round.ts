import { signStatement } from '#libs/canonical'
import { acceptKind } from '#libs/protocol'
import { collateralDigest } from '#libs/attestation'
import type { OfferVerdict } from '../trust/appraise-offers.js'
import { newStatement } from '../trust/new-statement.js'
import { collateralAttachment } from '../trust/recorded-collateral.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import type { Acting } from './act-on-run.js'
import { changeRun } from './run-record.js'

/** Signs the Accept of a round's Offers, keeps it with the nonce it rests on, and sends it. */
export async function acceptRound(
  { agent, liveRounds }: Acting,
  contract: VerifiedContract,
  run: VerifiedRun,
  { offerSet, verdicts }: { readonly offerSet: string; readonly verdicts: readonly OfferVerdict[] },
): Promise<void> {
  const own = run.request.payload.inputs.filter(({ owner }) => owner === agent.keys.party)
  const expiries = run.offers.map(({ offer }) => offer.payload.expiresAt)
  const accept = await signStatement(
    acceptKind,
    {
      ...newStatement(agent, 'accept'),
      contract: contract.id,
      run: run.id,
      round: run.round,
      offers: offerSet,
      manifests: own.map(({ manifest }) => manifest),
      evidence: run.offers.map(({ evidence }) => evidence.id),
      collateral: verdicts.map(({ collateral }) => collateralDigest(collateral)),
      // Equal in width, so their order as text is their order in time.
      expiresAt: expiries.toSorted()[0] ?? '',
    },
    agent.keys.daemonKey,
  )
  const attachment = collateralAttachment(verdicts.map(({ collateral }) => collateral))
  await changeRun(agent, contract.id, run.id, {
    round: run.round,
    acceptedOffers: offerSet,
    acceptedNonce: liveRounds.get(run.id)?.nonce ?? null,
    accept: accept.jws,
    acceptCollateral: attachment ?? null,
  })
  await agent.client.record(accept.jws, attachment === undefined ? {} : { attachment })
}
