/** The facts on which the coordinator decides, each from what is recorded here. */
import type { Digest, Thumbprint, Verified } from '#libs/canonical'
import type { Facts, FactsOf, RequestFact } from '#libs/contract'
import type { RunRequest } from '#libs/protocol'
import { partKey, type ContractEntry } from '../contracts/contract-entry.js'
import type { IdentityBook } from '../parties/identity-book.js'
import type { RunBook } from './run-book.js'

/** The clear part of a request, as rules see it. */
export function requestFact(run: Digest, request: RunRequest): RequestFact {
  return {
    run,
    by: request.by,
    contract: request.contract,
    computation: request.computation,
    inputs: request.inputs,
    expiresAt: request.expiresAt,
    sealedTo: request.sealed.keys.map(({ party, identity }) => ({ party, identity })),
  }
}

/** The facts of `admit`. */
export function admissionFacts(
  { id, payload }: Verified<RunRequest>,
  entry: ContractEntry,
  now: number,
  books: { readonly identities: IdentityBook; readonly runs: RunBook },
): FactsOf<'admit'> {
  return {
    now,
    standing: entry.standing,
    request: requestFact(id, payload),
    versions: payload.inputs.map(({ dataset, owner }) => ({
      dataset,
      owner,
      ...versionOf(entry, owner, dataset, now),
    })),
    usage: { ...books.runs.usage(payload.contract, payload.computation), failuresAllowedMore: 0 },
    identitiesWhenRequested: newestIdentities(entry, books.identities),
  }
}

/** Newest Identity digests of a contract's parties; a party without one is left out, and rules that need it say so. */
export function newestIdentities(entry: ContractEntry, identities: IdentityBook): Facts['identities'] {
  const newest: Record<Thumbprint, Digest> = {}
  for (const party of entry.parties) {
    const id = identities.newestId(party)
    if (id !== undefined) newest[party] = id
  }
  return newest
}

function versionOf(entry: ContractEntry, owner: Thumbprint, dataset: string, now: number) {
  const manifests = entry.manifests.get(partKey(owner, dataset)) ?? []
  const withdrawals = entry.withdrawals.filter(
    ({ payload }) => payload.by === owner && payload.dataset === dataset && Date.parse(payload.from) <= now,
  )
  // A withdrawal of every version reaches the versions that there were; what is sealed afterwards is offered anew.
  const all = withdrawals.some(({ payload }) => payload.manifest === null)
  const named = withdrawals.flatMap(({ payload }) => payload.manifest ?? [])
  return { newest: manifests.at(-1)?.id ?? null, withdrawn: all ? ('all' as const) : named }
}
