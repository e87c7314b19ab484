/** This agent's own verdict on the enclaves of a round; see `#libs/attestation`. */
import { payloadBytes } from '#libs/canonical'
import { AttestationError, collateralDigest, verifyEnclave, type Check } from '#libs/attestation'
import type { AppraisalFact } from '#libs/contract'
import type { ShownOffer } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'

/** A verdict on one Offer, with every comparison it rests on. */
export interface OfferVerdict {
  readonly fact: AppraisalFact
  readonly checks: readonly Check[]
  readonly collateral: string
}

/** Appraises every Offer at a time; what does not pass is a fact with the claims that failed, never an absence. */
export async function appraiseOffers(
  contract: Pick<VerifiedContract, 'terms'>,
  offers: readonly ShownOffer[],
  now: number,
): Promise<readonly OfferVerdict[]> {
  return await Promise.all(offers.map((shown) => appraise(contract, shown, now)))
}

async function appraise(
  contract: Pick<VerifiedContract, 'terms'>,
  shown: ShownOffer,
  now: number,
): Promise<OfferVerdict> {
  const { offer, evidence, evidenceBytes } = shown
  try {
    const enclave = await verifyEnclave({
      offer: payloadBytes(offer),
      evidence: { kind: evidence.payload.kind, bytes: evidenceBytes },
      enclaves: contract.terms.enclaves,
      now,
    })
    const { kind, measurement, chip, simulated, validUntil, checks } = enclave
    return {
      fact: {
        offer: offer.id,
        kind,
        enclave: enclave.enclave,
        measurement,
        simulated,
        chip,
        validUntil,
        failed: [],
      },
      checks,
      collateral: enclave.collateralDigest,
    }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    const failed = error.checks.filter(({ ok }) => !ok)
    return {
      fact: {
        offer: offer.id,
        kind: evidence.payload.kind,
        enclave: offer.payload.enclave,
        measurement: offer.payload.build.measurement,
        simulated: evidence.payload.kind === 'simulated',
        chip: null,
        validUntil: 0,
        failed:
          failed.length > 0
            ? failed
            : [{ check: error.field, expected: 'evidence that verifies', seen: error.code }],
      },
      checks: error.checks,
      collateral: collateralDigest(),
    }
  }
}
