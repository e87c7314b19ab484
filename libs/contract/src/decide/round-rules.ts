/** The enclave that offers itself: for this run, fresh, complete, and one that the contract accepts. */
import type { Thumbprint } from '#libs/canonical'
import { dataOwners, inputsOf, isSimulatedOnly, keysOf, offerIdentities } from '../terms/questions.js'
import type { EnclaveTerms } from '../terms/terms.js'
import type { Act, AppraisalFact, OfferFact } from './facts.js'
import { forComputation, list, named, rule, sameSet, type ContractRef, type Rule } from './rule.js'
import { objection, type Objection } from './verdict.js'

const withOffers: readonly Act[] = ['accept', 'spend', 'release', 'start', 'execute']
const byOwner: readonly Act[] = ['accept', 'spend', 'release']
const theHost = 'the enclave’s operator, with a new round'

export const roundRules: readonly Rule[] = [
  rule('offer.forRun', withOffers, ['request', 'offers'], ({ request, offers }, { id }) => [
    // Several workers are not supported yet: one Offer, at place 0 of 1.
    ...(offers.length === 1 ? [] : [objection('one Offer', String(offers.length), theHost)]),
    ...offers.flatMap((offer) => [
      ...differs('run', request.run, offer.run),
      ...differs('contract', id, offer.contract),
      ...differs('worker place', '0 of 1', `${offer.place} of ${offer.places}`),
      ...differs('share holders', '0', String(offer.shareHolders.length)),
    ]),
  ]),
  rule('offer.unexpired', byOwner, ['offers', 'now'], ({ offers, now }) =>
    offers
      .filter((offer) => !(Date.parse(offer.expiresAt) > now))
      .map((offer) => objection('an Offer that has not expired', `expired at ${offer.expiresAt}`, theHost)),
  ),
  rule(
    'offer.nonces',
    withOffers,
    ['request', 'offers'],
    forComputation<'offers'>((computation, { offers }, { terms }) => {
      const owners = dataOwners(terms, inputsOf(computation))
      return offers
        .filter((offer) => !sameSet(Object.keys(offer.nonces), keysOf(terms, owners)))
        .map((offer) =>
          objection(
            `nonces of exactly ${list(owners)}`,
            `${Object.keys(offer.nonces).length} nonces of others`,
            theHost,
          ),
        )
    }),
  ),
  rule('offer.ownNonce', byOwner, ['offers', 'ownRound', 'self'], ({ offers, ownRound, self }) =>
    offers.flatMap((offer, place) => [
      ...differs('round', String(ownRound.round), String(offer.round)),
      ...(ownRound.nonces[place] !== undefined && own(offer.nonces, self) === ownRound.nonces[place]
        ? []
        : [objection('this owner’s live nonce', 'another', theHost)]),
    ]),
  ),
  rule('offer.parties', withOffers, ['offers'], ({ offers }, { terms }) =>
    offers
      .filter((offer) => !sameSet(Object.keys(offer.identities), offerIdentities(terms)))
      .map((offer) =>
        objection(
          'Identities of exactly every party and witness',
          `${Object.keys(offer.identities).length} Identities`,
          theHost,
        ),
      ),
  ),
  rule('offer.identities', byOwner, ['offers', 'identities'], ({ offers, identities }, contract) =>
    offers.flatMap((offer) =>
      Object.entries(offer.identities)
        .filter(([party, identity]) => own(identities, party) !== identity)
        .map(([party]) =>
          objection(
            `the newest Identity of ${named(contract, party)} that this owner knows`,
            'another one',
            'the coordinator, by telling the enclave the newest',
          ),
        ),
    ),
  ),
  rule('enclave.listed', withOffers, ['offers'], ({ offers }, { terms }) =>
    offers
      .filter((offer) => terms.enclaves[offer.enclave] === undefined)
      .map((offer) =>
        objection(
          `an entry from 0 to ${terms.enclaves.length - 1} of the contract’s enclaves`,
          String(offer.enclave),
          'the signatories, by an amendment',
        ),
      ),
  ),
  rule(
    'enclave.appraised',
    byOwner,
    ['offers', 'appraisals', 'now'],
    ({ offers, appraisals, now }, { terms }) =>
      offers.flatMap((offer) => {
        const appraisal = appraisals.find((own) => own.offer === offer.id)
        if (appraisal === undefined)
          return objection(`evidence for the Offer ${offer.id}`, 'none that was verified', theHost)
        const entry = terms.enclaves[offer.enclave]
        if (entry === undefined) return []
        const measured: readonly string[] = entry.measurement
        return [
          ...appraisal.failed.map((claim) =>
            objection(`${claim.check}: ${claim.expected}`, claim.seen, theHost),
          ),
          ...differs('entry of the contract’s enclaves', String(offer.enclave), String(appraisal.enclave)),
          ...differs('kind of evidence', entry.tee, appraisal.kind),
          ...(measured.includes(appraisal.measurement)
            ? []
            : [objection('a measurement that the contract names', appraisal.measurement, theHost)]),
          ...differs('measurement of the Offer’s build', appraisal.measurement, offer.measurement),
          ...gpu(entry, offer),
          ...(appraisal.validUntil >= now
            ? []
            : [objection(`evidence of at most ${entry.maximumAgeSeconds} seconds`, 'older', theHost)]),
        ]
      }),
  ),
  rule(
    'enclave.revoked',
    [...byOwner, 'renew'],
    ['appraisals', 'revocations', 'now', 'self'],
    ({ appraisals, revocations, now, self }, contract) => {
      const revokers = keysOf(contract.terms, contract.terms.governance.revokers)
      return revocations
        .filter((revocation) => revocation.by === self || revokers.includes(revocation.by))
        .filter((revocation) => !(Date.parse(revocation.from) > now))
        .filter(({ kind, value }) =>
          appraisals.some((appraisal) =>
            kind === 'build' ? value === appraisal.measurement : mayBeOn(value, appraisal),
          ),
        )
        .map((revocation) =>
          objection(
            `a ${revocation.kind} that is not revoked`,
            `revoked by ${named(contract, revocation.by)}`,
            theHost,
          ),
        )
    },
  ),
  rule('simulated.alone', withOffers, ['offers'], ({ offers }, contract) =>
    simulatedWrongly(offers, contract)
      ? objection(
          'a simulated enclave only where the contract has no other kind',
          'simulated beside other kinds',
          'the signatories, by an amendment',
        )
      : null,
  ),
  rule(
    'simulated.allowed',
    byOwner,
    ['offers', 'appraisals', 'simulatedAllowed', 'self'],
    ({ offers, appraisals, simulatedAllowed, self }, contract) => {
      const simulated =
        offers.some((offer) => contract.terms.enclaves[offer.enclave]?.tee === 'simulated') ||
        appraisals.some((appraisal) => appraisal.simulated || appraisal.kind === 'simulated')
      return simulated && !simulatedAllowed
        ? objection(
            'house rules that allow simulated enclaves',
            'they do not',
            `${named(contract, self)}, in its house rules`,
          )
        : null
    },
  ),
]

// Hardware that does not show its chip may be on any that is revoked.
function mayBeOn(chip: string, appraisal: AppraisalFact): boolean {
  const value = chip.toLowerCase()
  if (appraisal.gpus.includes(value)) return true
  return appraisal.chip === null ? !appraisal.simulated : appraisal.chip === value
}

function simulatedWrongly(offers: readonly OfferFact[], { terms }: ContractRef): boolean {
  return (
    offers.some((offer) => terms.enclaves[offer.enclave]?.tee === 'simulated') &&
    !isSimulatedOnly(terms.enclaves)
  )
}

// A field of evidence that the contract does not mention must have its safe value: no GPU where none is named.
function gpu(entry: EnclaveTerms, offer: OfferFact): Objection[] {
  const wanted = 'gpu' in entry && entry.gpu !== undefined ? (entry.gpu.devices ?? 1) : 0
  return differs('GPUs', String(wanted), String(offer.gpuEvidence?.length ?? 0))
}

function differs(what: string, expected: string, seen: string): Objection[] {
  return expected === seen ? [] : [objection(`${what} ${expected}`, seen, theHost)]
}

function own<Value>(record: Readonly<Record<Thumbprint, Value>>, key: Thumbprint): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}
