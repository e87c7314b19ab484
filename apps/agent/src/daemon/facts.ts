/** What this agent established itself about a run: the facts that `decide` is asked with. Nothing here is taken on trust. */
import type { Digest, Thumbprint } from '#libs/canonical'
import { computationOf, inputsOf, type AppraisalFact, type FactsOf, type VersionFact } from '#libs/contract'
import { offerSetDigest, type IdentityChain } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { isAutomatic } from '../consent/house-rules.js'
import { spaces } from '../store/records.js'
import { appraiseOffers, liveCollateral, type OfferVerdict } from '../trust/appraise-offers.js'
import { findLeaf } from '../trust/log-follower.js'
import { readQuery } from '../trust/read-query.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import { inLog } from '../trust/whole-record.js'
import { revocationFacts } from './revocations.js'
import { countSpends, runsSpentSince, spendsOf } from './spending.js'
import type { LiveRound } from './live-round.js'

/** Facts that `agree` is decided on. */
export async function agreeFacts(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<FactsOf<'agree'>> {
  const request = run.request.payload
  const loggedAt = await logIndex(agent, run.request.digest)
  const { runs, failures } = await countSpends(agent, contract.id, request.computation, run.id)
  const vote = ({ payload }: { payload: { by: string; run: string; contract: string; expiresAt: string } }) =>
    payload
  return {
    now: agent.now(),
    standing: contract.standing,
    request: {
      run: run.id,
      by: request.by,
      contract: request.contract,
      computation: request.computation,
      inputs: request.inputs,
      expiresAt: request.expiresAt,
      sealedTo: request.sealed.keys.map(({ party, identity }) => ({ party, identity })),
    },
    versions: await versionFacts(agent, contract, run, loggedAt),
    usage: { runs, failures, failuresAllowedMore: 0 },
    identitiesWhenRequested: await identitiesAt(agent, contract, loggedAt),
    approvals: (await inLog(agent, run.approvals)).map(vote),
    denials: run.denials.map(vote),
    self: agent.keys.party,
    consent: await consentFact(agent, contract, run),
    sealings: await sealingFacts(agent, contract),
  }
}

/** Facts on which a round's Offers are accepted, and the verdicts behind them. */
export async function acceptFacts(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
  known: { readonly caughtUp: boolean; readonly live: LiveRound | null },
): Promise<{ readonly facts: FactsOf<'spend'>; readonly verdicts: readonly OfferVerdict[] }> {
  const verdicts = await appraiseOffers(contract, run.offers, {
    now: agent.now(),
    ...agent.appraisal,
    collateralFor: liveCollateral(agent.appraisal.collateral),
  })
  const facts: FactsOf<'spend'> = {
    ...(await agreeFacts(agent, contract, run)),
    caughtUp: known.caughtUp,
    offers: run.offers.map(({ offer: { id, payload } }) => ({
      id,
      run: payload.run,
      contract: payload.contract,
      round: payload.round,
      enclave: payload.enclave,
      place: payload.place,
      places: payload.places,
      nonces: payload.nonces,
      identities: payload.identities,
      shareHolders: payload.shareHolders,
      measurement: payload.build.measurement,
      gpuEvidence: payload.gpuEvidence,
      expiresAt: payload.expiresAt,
    })),
    ownRound: { round: known.live?.round ?? 0, nonces: known.live === null ? [] : [known.live.nonce] },
    identities: newestIdentities(contract.chains),
    appraisals: verdicts.map(({ fact }) => limitedAge(agent, contract, fact)),
    revocations: revocationFacts(agent, contract),
    simulatedAllowed: agent.houseRules.allowSimulated,
    query: (await readQuery(contract, run.request.payload.computation)).fact,
    offerSet: offerSetDigest(run.offers.map(({ offer }) => offer.id)),
    accepts: run.accepts.map(({ payload }) => payload),
  }
  return { facts, verdicts }
}

// House rules may want fresher evidence than the contract does.
function limitedAge(agent: Agent, contract: VerifiedContract, fact: AppraisalFact): AppraisalFact {
  const allowed = contract.terms.enclaves[fact.enclave]?.maximumAgeSeconds ?? 0
  const stricter = Math.max(0, allowed - agent.houseRules.maximumEvidenceAgeSeconds)
  return { ...fact, validUntil: fact.validUntil - stricter * 1000 }
}

async function versionFacts(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
  loggedAt: number,
): Promise<readonly VersionFact[]> {
  const computation = computationOf(contract.terms, run.request.payload.computation)
  const inputs = computation === undefined ? [] : inputsOf(computation)
  const places = inputs.flatMap((dataset) =>
    (contract.terms.datasets[dataset]?.owners ?? []).map((label) => ({
      dataset,
      owner: contract.terms.parties[label]?.key ?? '',
    })),
  )
  return await Promise.all(places.map((place) => versionFact(agent, contract, place, loggedAt)))
}

async function versionFact(
  agent: Agent,
  contract: VerifiedContract,
  { dataset, owner }: { readonly dataset: string; readonly owner: Thumbprint },
  loggedAt: number,
): Promise<VersionFact> {
  const own = ({ payload }: { readonly payload: { readonly by: string; readonly dataset: string } }) =>
    payload.by === owner && payload.dataset === dataset
  const versions = contract.manifests.filter(own).toSorted((a, b) => b.payload.sequence - a.payload.sequence)
  let newest: Digest | null = null
  for (const version of versions)
    if (newest === null && (await logIndex(agent, version.digest)) < loggedAt) newest = version.id
  const withdrawals = contract.withdrawals.filter(own).map(({ payload }) => payload.manifest)
  return {
    dataset,
    owner,
    newest,
    withdrawn: withdrawals.includes(null) ? 'all' : withdrawals.filter((manifest) => manifest !== null),
  }
}

async function identitiesAt(
  agent: Agent,
  contract: VerifiedContract,
  loggedAt: number,
): Promise<Record<Thumbprint, Digest>> {
  const newest: Record<Thumbprint, Digest> = {}
  for (const [party, chain] of contract.chains)
    for (const link of chain.links)
      if ((await logIndex(agent, link.digest)) < loggedAt) newest[party] = link.id
  return newest
}

function newestIdentities(chains: ReadonlyMap<Thumbprint, IdentityChain>): Record<Thumbprint, Digest> {
  return Object.fromEntries([...chains].map(([party, { newest }]) => [party, newest.id]))
}

async function consentFact(
  agent: Agent,
  contract: VerifiedContract,
  run: VerifiedRun,
): Promise<'agreed' | 'waiting' | 'declined'> {
  const { by, computation } = run.request.payload
  if (agent.houseRules.denyRequesters.includes(by)) return 'declined'
  const answer = await agent.store.get(spaces.consents, run.id)
  if (answer !== undefined) return answer.allow ? 'agreed' : 'declined'
  if (!isAutomatic(agent.houseRules, contract.id, computation)) return 'waiting'
  // What the daemon does by itself has a bound; beyond it a person looks.
  const spentAlready = (await spendsOf(agent, run.id)).size > 0
  const lastHour = await runsSpentSince(agent, agent.now() - 3_600_000)
  return spentAlready || lastHour < agent.houseRules.releasesPerHour ? 'agreed' : 'waiting'
}

async function sealingFacts(agent: Agent, contract: VerifiedContract): Promise<FactsOf<'agree'>['sealings']> {
  const newest = new Map<string, { manifest: string; sealedAt: number }>()
  for (const { payload, id } of contract.manifests)
    if (payload.by === agent.keys.party)
      newest.set(payload.dataset, { manifest: id, sealedAt: Date.parse(payload.issuedAt) })
  const spends = await agent.store.list(spaces.spends)
  return [...newest].map(([dataset, { sealedAt }]) => ({
    dataset,
    sealedAt,
    // A Spend may have led to a release, so it counts as one, and those of older versions too: never too few.
    releases: spends.filter(([, spend]) => spend.contract === contract.id && spend.dataset === dataset)
      .length,
  }))
}

// What this agent has not read in the log counts as recorded after everything that it has.
async function logIndex(agent: Agent, digest: Digest): Promise<number> {
  return (await findLeaf(agent, digest))?.index ?? Number.MAX_SAFE_INTEGER
}
