/** The facts on which the coordinator decides, each from what is recorded here. */
import { unverifiedStatement, type Digest, type Thumbprint, type Verified } from '#libs/canonical'
import type { Facts, FactsOf, RequestFact, VoteFact } from '#libs/contract'
import { approvalSchema, denialSchema, runRequestSchema, type RunRequest } from '#libs/protocol'
import { partKey, type ContractEntry } from '../contracts/contract-entry.js'
import type { IdentityBook } from '../parties/identity-book.js'
import { CoordinatorError } from '../errors.js'
import type { RunBook, RunEntry } from './run-book.js'

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

/** What the facts are taken from. */
export interface FactBooks {
  readonly identities: IdentityBook
  readonly runs: RunBook
}

/** The facts of `admit`. */
export function admissionFacts(
  { id, payload }: Pick<Verified<RunRequest>, 'id' | 'payload'>,
  entry: ContractEntry,
  now: number,
  books: FactBooks,
  requestedAt = Infinity,
): FactsOf<'admit'> {
  return {
    now,
    standing: entry.standing,
    request: requestFact(id, payload),
    versions: payload.inputs.map(({ dataset, owner }) => ({
      dataset,
      owner,
      newest: newestManifest(entry, owner, dataset, requestedAt),
      withdrawn: withdrawnVersions(entry, owner, dataset, now),
    })),
    usage: { ...books.runs.usage(payload.contract, payload.computation), failuresAllowedMore: 0 },
    identitiesWhenRequested: newestIdentities(entry, books.identities, requestedAt),
  }
}

/** The facts of `begin`: those of the admission as they stand now, and what approvers said. */
export function beginFacts(
  run: RunEntry,
  entry: ContractEntry,
  now: number,
  books: FactBooks,
): FactsOf<'begin'> {
  const requested = run.statements.find(({ type }) => type === 'run-request')
  const request = { id: run.run.id, payload: requestOf(run) }
  return {
    ...admissionFacts(request, entry, now, books, requested?.position),
    approvals: votes(run, 'approval'),
    denials: votes(run, 'denial'),
  }
}

/** The request of a run, from its recorded statement. */
export function requestOf({ run, statements }: RunEntry): RunRequest {
  const stored = statements.find(({ type }) => type === 'run-request')
  if (stored === undefined) throw new CoordinatorError('RUN_UNKNOWN', `run ${run.id} has no recorded request`)
  return runRequestSchema.parse(unverifiedStatement(stored.jws).payload)
}

function votes({ statements }: RunEntry, type: 'approval' | 'denial'): readonly VoteFact[] {
  const schema = type === 'approval' ? approvalSchema : denialSchema
  return statements
    .filter((stored) => stored.type === type)
    .map(({ jws }) => schema.parse(unverifiedStatement(jws).payload))
}

/** Newest Identity digests of a contract's parties; a party without one is left out, and rules that need it say so. */
function newestIdentities(
  entry: ContractEntry,
  identities: IdentityBook,
  before: number,
): Facts['identitiesWhenRequested'] {
  const newest: Record<Thumbprint, Digest> = {}
  for (const party of entry.parties) {
    const id = identities.newestId(party, before)
    if (id !== undefined) newest[party] = id
  }
  return newest
}

function newestManifest(
  entry: ContractEntry,
  owner: Thumbprint,
  dataset: string,
  before: number,
): Digest | null {
  const manifests = entry.manifests.get(partKey(owner, dataset)) ?? []
  return manifests.findLast(({ position }) => position < before)?.id ?? null
}

function withdrawnVersions(entry: ContractEntry, owner: Thumbprint, dataset: string, now: number) {
  const withdrawals = entry.withdrawals.filter(
    ({ payload }) => payload.by === owner && payload.dataset === dataset && Date.parse(payload.from) <= now,
  )
  if (withdrawals.some(({ payload }) => payload.manifest === null)) return 'all' as const
  return withdrawals.flatMap(({ payload }) => payload.manifest ?? [])
}
