/**
 * The facts that `decide` is asked with, as they stood at a place in the log. What only the deciding party knows (its house rules, a
 * person's word, a clock) is left out: rules that need it are not asked, and nothing is claimed about them.
 */
import type { Digest, StatementType, Thumbprint } from '#libs/canonical'
import {
  computationOf,
  inputsOf,
  keysOf,
  mayEnd,
  type ContractStanding,
  type FactsOf,
  type ReceiptFact,
  type RequestFact,
  type RevocationFact,
  type VersionFact,
} from '#libs/contract'
import type { RunRequest } from '#libs/protocol'
import {
  identityBefore,
  type Act,
  type AppraisedOffer,
  type ContractHistory,
  type HiddenEntry,
  type History,
  type RunHistory,
} from './history.js'
import { cosignersOver } from './quorum.js'
import type { UsageBook } from './usage.js'

type Facts = Partial<FactsOf<'release'>>

/** Facts of `admit` for a request at its own place. */
export function factsOfRequest(
  history: History,
  run: RunHistory,
  request: Act<RunRequest>,
  usage: UsageBook,
): Facts {
  return {
    ...aboutRequest(history, run.contract, request, request.issuedAt, request.index),
    usage: usage.before(run, null, request.index),
  }
}

/** Facts of an owner's act for an Offer, at the place of the act. */
export function factsOfOwner(
  history: History,
  run: RunHistory,
  request: Act<RunRequest>,
  offer: AppraisedOffer,
  {
    self,
    now,
    index,
    usage,
  }: { readonly self: Thumbprint; readonly now: number; readonly index: number; readonly usage: UsageBook },
): Facts {
  const { contract } = run
  const before = <A extends { readonly index: number }>(acts: readonly A[]) =>
    acts.filter((act) => act.index < index)
  const { payload } = offer
  return {
    ...aboutRequest(history, contract, request, now, index),
    usage: usage.before(run, self, index),
    self,
    ...(isShown(run, 'approval') ? { approvals: before(run.approvals).map((act) => act.payload) } : {}),
    denials: before(run.denials).map((act) => act.payload),
    offers: [{ ...payload, id: offer.id, measurement: payload.build.measurement }],
    offerSet: offer.set,
    ownRound: ownRound(run, offer, self),
    ...(isShown(contract, 'identity')
      ? { identities: identitiesBefore(history, contract, offer.index) }
      : {}),
    ...(offer.appraisal === null ? {} : { appraisals: [offer.appraisal] }),
    revocations: revocationsBefore(contract, index),
    ...(isShown(run, 'accept') ? { accepts: before(run.accepts).map((act) => act.payload) } : {}),
  }
}

/** The Receipt of a run as the checkpoint that its OutputKeys name has it. */
export function receiptFact(history: History, run: RunHistory): ReceiptFact | undefined {
  const [receipt] = run.receipts
  if (receipt === undefined) return undefined
  const { run: id, contract, computation, outcome, outputs } = receipt.payload
  const named = run.outputKeys[0]?.payload.checkpoint
  return {
    run: id,
    contract,
    computation,
    outcome,
    outputs: outputs.map(({ name, recipients }) => ({
      name,
      recipients: recipients.map(({ party }) => party),
    })),
    cosigners: named === undefined ? [] : cosignersOver(history, named.size),
  }
}

export function requestFact({ id, payload }: Act<RunRequest>): RequestFact {
  const { by, contract, computation, inputs, expiresAt, sealed } = payload
  const sealedTo = sealed.keys.map(({ party, identity }) => ({ party, identity }))
  return { run: id, by, contract, computation, inputs, expiresAt, sealedTo }
}

/** What the log says of a contract before a place, where that was shown. */
export function standingFact(
  history: History,
  contract: ContractHistory,
  index: number,
): { readonly standing?: ContractStanding } {
  return isShown(contract, 'activation') ? { standing: standingBefore(history, contract, index) } : {}
}

function standingBefore(history: History, contract: ContractHistory, index: number): ContractStanding {
  const activation = contract.activations.find((act) => act.index < index)
  const amendment = history.contracts.find(
    ({ terms, activations }) =>
      terms.governance.supersedes === contract.id && activations.some((act) => act.index < index),
  )
  const endings = contract.revocations
    .filter(
      ({ index: at, payload }) =>
        at < index && payload.subject.kind === 'contract' && mayEnd(contract.terms, payload.by),
    )
    .map(({ payload }) => ({ by: payload.by, from: Date.parse(payload.from) }))
    .toSorted((a, b) => a.from - b.from)
  return {
    activatedAt: activation?.issuedAt ?? null,
    supersededBy: amendment?.id ?? null,
    ended: endings[0] ?? null,
  }
}

function aboutRequest(
  history: History,
  contract: ContractHistory,
  request: Act<RunRequest>,
  now: number,
  index: number,
): Facts {
  return {
    now,
    ...standingFact(history, contract, index),
    request: requestFact(request),
    ...(isShown(contract, 'manifest') ? { versions: versionsAt(contract, request, now, index) } : {}),
    ...(isShown(contract, 'identity')
      ? { identitiesWhenRequested: identitiesBefore(history, contract, request.index) }
      : {}),
  }
}

// A fact that may rest on a body that was not shown is left out: what is missing accuses nobody.
function isShown({ hidden }: { readonly hidden: readonly HiddenEntry[] }, type: StatementType): boolean {
  return !hidden.some((entry) => entry.type === type)
}

// The newest version counts as of the request; a withdrawal counts for every act that comes after it.
function versionsAt(
  contract: ContractHistory,
  request: Act<RunRequest>,
  now: number,
  index: number,
): readonly VersionFact[] {
  const { terms } = contract
  const computation = computationOf(terms, request.payload.computation)
  const inputs = computation === undefined ? [] : inputsOf(computation)
  return inputs.flatMap((dataset) =>
    keysOf(terms, terms.datasets[dataset]?.owners ?? []).map((owner) => {
      const own = ({ payload }: { readonly payload: { readonly by: string; readonly dataset: string } }) =>
        payload.by === owner && payload.dataset === dataset
      const newest = contract.manifests.findLast((act) => own(act) && act.index < request.index)?.id ?? null
      const withdrawn = contract.withdrawals
        .filter((act) => own(act) && act.index < index && Date.parse(act.payload.from) <= now)
        .map(({ payload }) => payload.manifest)
      return {
        dataset,
        owner,
        newest,
        withdrawn: withdrawn.includes(null) ? 'all' : withdrawn.filter((manifest) => manifest !== null),
      }
    }),
  )
}

function identitiesBefore(
  history: History,
  { terms }: ContractHistory,
  index: number,
): Record<Thumbprint, Digest> {
  const newest: Record<Thumbprint, Digest> = {}
  for (const { key } of Object.values(terms.parties)) {
    const link = identityBefore(history, key, index)
    if (link !== undefined) newest[key] = link.id
  }
  return newest
}

// Nonces are not in the log; where they are shown they must be the Offer's.
function ownRound(
  run: RunHistory,
  { payload }: AppraisedOffer,
  self: Thumbprint,
): { round: number; nonces: readonly string[] } {
  const nonce = run.nonces.find(({ payload: { by, round } }) => by === self && round === payload.round)
  return { round: payload.round, nonces: [nonce?.payload.nonce ?? payload.nonces[self] ?? ''] }
}

function revocationsBefore({ revocations }: ContractHistory, index: number): readonly RevocationFact[] {
  return revocations
    .filter((act) => act.index < index)
    .flatMap(({ payload: { by, from, subject } }): RevocationFact[] => {
      if (subject.kind === 'build') return [{ by, from, kind: 'build', value: subject.measurement }]
      return subject.kind === 'chip' ? [{ by, from, kind: 'chip', value: subject.chip }] : []
    })
}
