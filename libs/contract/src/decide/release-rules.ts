/** All owners agree on the same Offers, have paid, and hand over once. */
import type { Thumbprint } from '#libs/canonical'
import { dataOwners, inputsOf, keysOf } from '../terms/questions.js'
import type { Act, ReleaseFact, RequestFact } from './facts.js'
import { forComputation, list, named, rule, sameSet, type Rule } from './rule.js'
import { objection } from './verdict.js'

const inEnclave: readonly Act[] = ['start', 'execute']
const leased: readonly Act[] = [...inEnclave, 'publish']

export const releaseRules: readonly Rule[] = [
  rule(
    'accepts.complete',
    ['spend', 'release'],
    ['request', 'offers', 'offerSet', 'accepts', 'now'],
    forComputation<'offers' | 'offerSet' | 'accepts' | 'now'>(
      (computation, { request, offers, offerSet, accepts, now }, { id, terms }) => {
        const earliest = Math.min(...offers.map((offer) => Date.parse(offer.expiresAt)))
        const missing = dataOwners(terms, inputsOf(computation)).filter((owner) => {
          const [key] = keysOf(terms, [owner])
          return !accepts.some(
            (accept) =>
              accept.by === key &&
              accept.run === request.run &&
              accept.contract === id &&
              accept.offers === offerSet &&
              offers.every((offer) => offer.round === accept.round) &&
              Date.parse(accept.expiresAt) > now &&
              Date.parse(accept.expiresAt) <= earliest,
          )
        })
        return missing.length === 0
          ? null
          : objection(
              'Accepts of all data owners for this set of Offers',
              `none of ${list(missing)}`,
              list(missing),
            )
      },
    ),
  ),
  rule(
    'spends.recorded',
    ['release', ...inEnclave],
    ['request', 'spendRecord'],
    forComputation<'spendRecord'>((computation, { request, spendRecord }, contract) => {
      const unpaid = request.inputs.filter(
        (input) =>
          !spendRecord.spends.some(
            (spend) =>
              spend.run === request.run && spend.owner === input.owner && spend.dataset === input.dataset,
          ),
      )
      const owners = dataOwners(contract.terms, inputsOf(computation))
      const blind = owners.filter(
        (owner) => !keysOf(contract.terms, [owner]).some((key) => spendRecord.cosigners.includes(key)),
      )
      return [
        ...unpaid.map((input) =>
          objection(
            `a Spend of ${named(contract, input.owner)} for ${input.dataset} in the log`,
            'none',
            named(contract, input.owner),
          ),
        ),
        ...(blind.length === 0
          ? []
          : [
              objection(
                'a checkpoint over all Spends that every data owner cosigned',
                `not cosigned by ${list(blind)}`,
                list(blind),
              ),
            ]),
      ]
    }),
  ),
  rule('release.own', ['release'], ['request', 'self', 'releasing'], ({ request, self, releasing }) => {
    const own = request.inputs.filter((input) => input.owner === self)
    const wanted = own.map((input) => `${input.dataset} ${input.manifest} 0`)
    const given = releasing.map(({ dataset, manifest, place }) => `${dataset} ${manifest} ${place}`)
    return given.length > 0 && sameSet(wanted, given)
      ? null
      : objection(
          'keys of exactly this owner’s inputs of the run',
          `${given.length} others`,
          'nobody: a release follows the request',
        )
  }),
  rule('release.once', ['release'], ['releasing', 'releasedBefore'], ({ releasing, releasedBefore }) =>
    releasing
      .filter(({ dataset, place }) =>
        releasedBefore.some((before) => before.dataset === dataset && before.place === place),
      )
      .map(({ dataset }) =>
        objection(`no release of ${dataset} for this run before`, 'one', 'the requester, by a new request'),
      ),
  ),
  rule(
    'releases.complete',
    inEnclave,
    ['request', 'offers', 'offerSet', 'releases'],
    ({ request, offers, offerSet, releases }, contract) => {
      const missing = request.inputs.filter(
        (input) =>
          releases.filter(
            (release) => isFor(release, input) && fits(release, request, contract.id, offerSet, offers),
          ).length !== 1,
      )
      const foreign = releases.filter((release) => !request.inputs.some((input) => isFor(release, input)))
      return [
        ...missing.map((input) =>
          objection(
            `one KeyRelease of ${named(contract, input.owner)} for ${input.dataset} and this set of Offers`,
            'none or another',
            named(contract, input.owner),
          ),
        ),
        ...foreign.map((release) =>
          objection(
            'KeyReleases of the run’s inputs only',
            `one of ${named(contract, release.by)}`,
            named(contract, release.by),
          ),
        ),
      ]
    },
  ),
  rule('lease.running', leased, ['request', 'releases', 'now'], ({ request, releases, now }, contract) => {
    const owners = [...new Set(request.inputs.map((input) => input.owner))]
    return owners
      .filter((owner) => !holds(releases, owner, now))
      .map((owner) =>
        objection(
          `a lease of ${named(contract, owner)} that still runs`,
          'ended',
          `${named(contract, owner)}, by a Renewal`,
        ),
      )
  }),
  rule('request.keysEqual', inEnclave, ['requestKeysEqual'], ({ requestKeysEqual }) =>
    requestKeysEqual
      ? null
      : objection(
          'the same request key from every owner',
          'different ones',
          'the requester, by a new request',
        ),
  ),
  rule('run.once', inEnclave, ['executedBefore'], ({ executedBefore }) =>
    executedBefore
      ? objection(
          'an enclave that has executed nothing',
          'an Offer executed before',
          'the enclave’s operator, with a fresh instance',
        )
      : null,
  ),
]

function isFor(release: ReleaseFact, input: RequestFact['inputs'][number]): boolean {
  return (
    release.by === input.owner && release.dataset === input.dataset && release.manifest === input.manifest
  )
}

function fits(
  release: ReleaseFact,
  request: RequestFact,
  contract: string,
  offerSet: string,
  offers: readonly { round: number; place: number }[],
): boolean {
  return (
    release.run === request.run &&
    release.contract === contract &&
    release.offers === offerSet &&
    offers.some((offer) => offer.place === release.place && offer.round === release.round)
  )
}

function holds(releases: readonly ReleaseFact[], owner: Thumbprint, now: number): boolean {
  const own = releases.filter((release) => release.by === owner)
  return own.length > 0 && own.every((release) => Date.parse(release.leaseUntil) > now)
}
