/** This agent's own verdict on the enclaves of a round; see `#libs/attestation`. */
import { payloadBytes } from '#libs/canonical'
import {
  AttestationError,
  collateralAskOf,
  gpuManifestAsksOf,
  parseShownEvidence,
  verifyEnclave,
  type Check,
  type Collateral,
  type CollateralSource,
  type Evidence,
  type TrustedHardware,
} from '#libs/attestation'
import type { AppraisalFact } from '#libs/contract'
import type { ShownOffer } from './run-reader.js'
import type { VerifiedContract } from './verify-contract.js'

/** A verdict on one Offer, with every comparison it rests on. */
export interface OfferVerdict {
  readonly fact: AppraisalFact
  readonly checks: readonly Check[]
  /** What the verdict was made with; empty for a kind that needs none, and where none was found. */
  readonly collateral: Collateral
}

/** When, by whom and with what evidence is judged. */
export interface Appraising extends TrustedHardware {
  /** In milliseconds. */
  readonly now: number
  /** Collateral for the evidence of one Offer; empty where there is none. @throws AttestationError for evidence that cannot be read. */
  readonly collateralFor: (evidence: Evidence) => Promise<Collateral>
}

/** Collateral as it is to be had now. */
export function liveCollateral(source: CollateralSource): Appraising['collateralFor'] {
  return async (evidence) => {
    const ask = collateralAskOf(evidence)
    const asks = [...(ask === null ? [] : [ask]), ...gpuManifestAsksOf(evidence.gpu ?? [])]
    const found = await Promise.all(asks.map((one) => source.find(one)))
    return Object.assign({}, ...found) as Collateral
  }
}

/** Appraises every Offer; what does not pass is a fact with the claims that failed, never an absence. */
export async function appraiseOffers(
  contract: Pick<VerifiedContract, 'terms'>,
  offers: readonly ShownOffer[],
  appraising: Appraising,
): Promise<readonly OfferVerdict[]> {
  return await Promise.all(offers.map((shown) => appraiseOffer(contract, shown, appraising)))
}

/** The same of one Offer. */
export async function appraiseOffer(
  contract: Pick<VerifiedContract, 'terms'>,
  shown: ShownOffer,
  { now, verifiers, gpus, collateralFor }: Appraising,
): Promise<OfferVerdict> {
  const { offer, evidence, evidenceBytes } = shown
  let collateral: Collateral = {}
  try {
    const { kind } = evidence.payload
    const shownEvidence = { kind, ...parseShownEvidence(evidenceBytes, offer.payload.gpuEvidence) }
    collateral = await collateralFor(shownEvidence)
    const enclave = await verifyEnclave(
      {
        offer: payloadBytes(offer),
        evidence: { ...shownEvidence, collateral },
        enclaves: contract.terms.enclaves,
        now,
      },
      verifiers,
      gpus,
    )
    const { measurement, simulated, validUntil, checks } = enclave
    return {
      fact: {
        offer: offer.id,
        kind,
        enclave: enclave.enclave,
        measurement,
        simulated,
        chip: enclave.chip,
        gpus: enclave.gpus,
        validUntil,
        failed: [],
      },
      checks,
      collateral,
    }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    const { code, field } = error
    const failed = error.checks.filter(({ ok }) => !ok)
    return {
      fact: {
        offer: offer.id,
        kind: evidence.payload.kind,
        enclave: offer.payload.enclave,
        measurement: offer.payload.build.measurement,
        simulated: evidence.payload.kind === 'simulated',
        chip: null,
        gpus: [],
        validUntil: 0,
        failed:
          failed.length > 0
            ? failed.map(({ check, expected, seen }) => ({ check, expected, seen: `${seen} (${code})` }))
            : [{ check: field, expected: 'evidence that verifies', seen: code }],
      },
      checks: error.checks,
      collateral,
    }
  }
}
