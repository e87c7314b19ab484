/** The order of a run (design: section 4): each act after all that it rests on, and once. */
import type { Thumbprint } from '#libs/canonical'
import { keysOf } from '#libs/contract'
import { broken, type Finding } from '../finding.js'
import { actsOf, type Act, type AppraisedOffer, type RunHistory } from '../history.js'
import { cosignedBetween, notCosigned } from '../quorum.js'
import type { KeyRelease } from '#libs/protocol'
import { firstBefore, missing, ofRuns, type Audited, type AuditRule } from './rule.js'

export const roundRules: readonly AuditRule[] = [
  ofRuns('request.first', 'a run begins with its request', requestFirst),
  ofRuns('evidence.bound', 'Evidence follows its Offer', evidenceBound),
  ofRuns('accept.offered', 'an Accept follows Offer and Evidence, and names them', acceptOffered),
  ofRuns(
    'accept.evidence',
    'what is accepted is an enclave that the contract names, by the evidence',
    acceptEvidence,
  ),
  ofRuns(
    'spend.accepted',
    'a Spend follows the Accepts of all data owners for one set of Offers',
    spendAccepted,
  ),
  ofRuns(
    'release.accepted',
    'a KeyRelease follows the Accepts of all data owners for its set of Offers, before the Offer expires',
    releaseAccepted,
  ),
  ofRuns(
    'release.spent',
    'a KeyRelease follows the Spends of all inputs, and names its owner’s own',
    releaseSpent,
  ),
  ofRuns(
    'release.recorded',
    'a KeyRelease follows a checkpoint with all Spends that every data owner cosigned',
    releaseRecorded,
  ),
  ofRuns('release.once', 'one KeyRelease for each run, dataset and place, ever', releaseOnce),
  ofRuns('run.stopped', 'no key is released after a Denial or a Refusal', stopped),
  ofRuns('start.released', 'a Start follows all KeyReleases, and names them', startReleased),
]

function* requestFirst(run: RunHistory): Iterable<Finding> {
  const [first] = actsOf(run)
  if (first === undefined) return
  if (run.request === null)
    yield missing(run, 'run-request', first, 'the RunRequest of its run before it', 'none')
  else if (run.request.index > first.index)
    yield broken(first, 'the RunRequest of its run before it', `entry ${run.request.index}`)
}

function* evidenceBound({ offers }: RunHistory): Iterable<Finding> {
  for (const { index, evidence } of offers)
    if (evidence !== null && evidence.index < index)
      yield broken(evidence, 'its Offer before it', `entry ${index}`)
}

function* acceptOffered(run: RunHistory): Iterable<Finding> {
  const seen = new Set<string>()
  for (const accept of run.accepts) {
    const { by, offers, evidence, manifests, expiresAt, round } = accept.payload
    if (seen.has(`${by} ${offers}`))
      yield broken(accept, 'one Accept of an owner for a set of Offers', 'another')
    seen.add(`${by} ${offers}`)
    const offer = run.offers.find(({ set }) => set === offers)
    if (offer === undefined) {
      yield missing(run, 'offer', accept, `an Offer of set ${offers} before it`, 'none')
      continue
    }
    if (offer.index > accept.index) yield broken(accept, 'its Offer before it', `entry ${offer.index}`)
    if (offer.evidence === null)
      yield missing(run, 'evidence', accept, 'the Evidence of its Offer before it', 'none')
    else {
      if (offer.evidence.index > accept.index)
        yield broken(accept, 'the Evidence before it', `entry ${offer.evidence.index}`)
      if (!same(evidence, [offer.evidence.id]))
        yield broken(accept, `Evidence ${offer.evidence.id}`, evidence.join(', '))
    }
    if (round !== offer.payload.round) yield broken(accept, `round ${offer.payload.round}`, `round ${round}`)
    if (Date.parse(expiresAt) > Date.parse(offer.payload.expiresAt))
      yield broken(accept, `an end by ${offer.payload.expiresAt}, as its Offer`, expiresAt)
    const own = inputsOf(run)
      .filter(({ owner }) => owner === by)
      .map(({ manifest }) => manifest)
    if (run.request !== null && !same(manifests, own))
      yield broken(accept, `manifests ${own.join(', ') || 'none'}`, manifests.join(', '))
  }
}

function* acceptEvidence({ accepts, offers }: RunHistory): Iterable<Finding> {
  for (const { acceptedOn } of offers)
    for (const accept of accepts)
      for (const { check, expected, seen } of acceptedOn.get(accept.id)?.failed ?? [])
        yield broken(accept, `${check}: ${expected}`, seen)
}

function* spendAccepted(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const spend of run.spends) {
    const input = inputsOf(run).find(
      ({ owner, dataset }) => owner === spend.payload.by && dataset === spend.payload.dataset,
    )
    if (run.request !== null && input === undefined)
      yield broken(
        spend,
        'an input of the run',
        `${spend.payload.dataset} of ${history.labelOf(spend.payload.by)}`,
      )
    const named = new Set(run.accepts.map(({ payload }) => payload.offers))
    const sets = [...named].map((set) => unacceptedBy(run, set, spend.index))
    if (sets.some((lacking) => lacking.length === 0)) continue
    const fewest = sets.toSorted((a, b) => a.length - b.length)[0] ?? ownersOf(run)
    yield missing(
      run,
      'accept',
      spend,
      'the Accepts of all data owners before it',
      `none of ${fewest.map(history.labelOf).join(', ')}`,
    )
  }
}

function* releaseAccepted(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const release of run.releases) {
    const {
      offers,
      offer: id,
      expiresAt,
    } = { ...release.payload, expiresAt: offerOf(run, release)?.payload.expiresAt ?? '' }
    const offer = offerOf(run, release)
    if (offer?.id !== id) {
      yield missing(run, 'offer', release, `Offer ${id} of set ${offers}`, offer?.id ?? 'none')
      continue
    }
    const lacking = unacceptedBy(run, offers, release.index)
    if (lacking.length > 0)
      yield missing(
        run,
        'accept',
        release,
        'the Accepts of all data owners for its set of Offers before it',
        `none of ${lacking.map(history.labelOf).join(', ')}`,
      )
    if (release.issuedAt > Date.parse(expiresAt))
      yield broken(release, `a release by ${expiresAt}, when its Offer expired`, release.payload.issuedAt)
    if (release.payload.place !== offer.payload.place)
      yield broken(release, `place ${offer.payload.place}`, `${release.payload.place}`)
  }
}

function* releaseSpent(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const release of run.releases) {
    const { by, dataset, manifest, spend } = release.payload
    const input = inputsOf(run).find((candidate) => candidate.owner === by && candidate.dataset === dataset)
    if (run.request !== null && input?.manifest !== manifest)
      yield broken(release, `manifest ${input?.manifest ?? 'none'} of ${dataset}`, manifest)
    const unspent = inputsOf(run).filter(
      ({ owner, dataset: of }) => spendOf(run, owner, of, release.index) === undefined,
    )
    if (unspent.length > 0)
      yield missing(
        run,
        'spend',
        release,
        'the Spends of all inputs before it',
        `none of ${unspent.map((one) => `${history.labelOf(one.owner)} for ${one.dataset}`).join(', ')}`,
      )
    const own = spendOf(run, by, dataset, release.index)
    if (own !== undefined && own.id !== spend) yield broken(release, `Spend ${own.id}`, spend)
  }
}

function* releaseRecorded(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const release of run.releases) {
    const spends = run.spends.filter(({ index }) => index < release.index)
    if (spends.length === 0) continue
    const last = Math.max(...spends.map(({ index }) => index))
    const owners = ownersOf(run)
    if (cosignedBetween(history, last, release.index, owners) !== undefined) continue
    const by = owners.map(history.labelOf).join(', ')
    const expected = `a checkpoint of ${last + 1} to ${release.index} leaves, with all Spends, cosigned by ${by}`
    yield notCosigned(history, owners, release, expected, 'none')
  }
}

function* releaseOnce({ releases }: RunHistory, { history }: Audited): Iterable<Finding> {
  const given = new Map<string, Act<KeyRelease>>()
  for (const release of releases) {
    const { by, dataset, place } = release.payload
    const key = `${by} ${dataset} ${place}`
    const before = given.get(key)
    if (before !== undefined)
      yield broken(
        release,
        `one KeyRelease of ${history.labelOf(by)} for ${dataset} at place ${place}`,
        `${before.id} at entry ${before.index}, and ${release.id}`,
      )
    else given.set(key, release)
  }
}

function* stopped(
  { denials, refusals, releases, contract, request }: RunHistory,
  { history }: Audited,
): Iterable<Finding> {
  const from =
    request === null ? [] : (contract.terms.computations[request.payload.computation]?.approvals?.from ?? [])
  const approvers = keysOf(contract.terms, from)
  const ends = [...denials.filter(({ payload }) => approvers.includes(payload.by)), ...refusals]
  for (const release of releases) {
    const end = firstBefore(ends, release.index)
    if (end !== undefined)
      yield broken(
        release,
        'no Denial and no Refusal before it',
        `a ${end.type} by ${history.labelOf(end.payload.by)} at entry ${end.index}`,
      )
  }
}

function* startReleased(run: RunHistory, { history }: Audited): Iterable<Finding> {
  for (const [at, start] of run.starts.entries()) {
    const { offers, releases: named } = start.payload
    if (at > 0) yield broken(start, 'one Start of a run', `another after entry ${run.starts[0]?.index ?? 0}`)
    const offer = run.offers.find(({ id }) => same(offers, [id]))
    if (offer?.payload.by !== start.payload.by)
      yield broken(start, 'a Start by the receipt key of its Offer', start.payload.by)
    const before = run.releases.filter(
      ({ index, payload }) => index < start.index && payload.offer === offer?.id,
    )
    const absent = inputsOf(run).filter(
      ({ owner, dataset }) =>
        !before.some(({ payload }) => payload.by === owner && payload.dataset === dataset),
    )
    if (absent.length > 0)
      yield missing(
        run,
        'key-release',
        start,
        'the KeyReleases of all inputs before it',
        `none of ${absent.map(({ owner, dataset }) => `${history.labelOf(owner)} for ${dataset}`).join(', ')}`,
      )
    else if (
      !same(
        named,
        before.map(({ id }) => id),
      )
    )
      yield broken(start, `KeyReleases ${before.map(({ id }) => id).join(', ')}`, named.join(', '))
  }
}

function inputsOf({ request }: RunHistory) {
  return request?.payload.inputs ?? []
}

/** The data owners of a run's inputs, each once. */
export function ownersOf(run: RunHistory): readonly Thumbprint[] {
  return [...new Set(inputsOf(run).map(({ owner }) => owner))]
}

function offerOf(run: RunHistory, { payload }: Act<KeyRelease>): AppraisedOffer | undefined {
  return run.offers.find(({ set }) => set === payload.offers)
}

function unacceptedBy(run: RunHistory, set: string, index: number): readonly Thumbprint[] {
  return ownersOf(run).filter(
    (owner) =>
      !run.accepts.some(
        (accept) => accept.index < index && accept.payload.by === owner && accept.payload.offers === set,
      ),
  )
}

function spendOf(run: RunHistory, owner: Thumbprint, dataset: string, index: number) {
  return run.spends.find(
    (spend) => spend.index < index && spend.payload.by === owner && spend.payload.dataset === dataset,
  )
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set(a).size === a.length && a.every((item) => b.includes(item))
}
