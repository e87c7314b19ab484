/**
 * What the worker is asked to do, verified from signed bytes: the contract by every signatory, its Activation, the request, the
 * inputs it names. Says nothing about whether the run may begin: `decide` does, when the log's proofs are there too.
 */
import {
  digest,
  domains,
  fromBase64url,
  payloadBytes,
  thumbprintOf,
  unverifiedStatement,
  verifyStatement,
  type Digest,
  type PublicKey,
  type StatementKind,
  type StatementType,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import {
  computationOf,
  contractKind,
  offerIdentities,
  verifySignatures,
  type ComputationTerms,
  type SignedContract,
} from '#libs/contract'
import {
  activationKind,
  manifestKind,
  runRequestKind,
  verifyIdentityChain,
  verifyPartyStatement,
  type Activation,
  type Assignment,
  type ContractView,
  type IdentityChain,
  type LogInfo,
  type Manifest,
  type RecordedStatement,
  type RunRequest,
  type RunView,
} from '#libs/protocol'
import { EnclaveError } from './errors.js'

/** One owner's part of one dataset, in the version that the request names. */
export interface JobInput {
  readonly dataset: string
  readonly owner: Thumbprint
  readonly manifest: Verified<Manifest>
}

/** A run that is what its contract, its requester and its owners signed. Only {@link verifyJob} makes one. */
export interface Job {
  readonly contract: SignedContract
  readonly activation: Verified<Activation>
  /** Of every party and every witness. */
  readonly identities: ReadonlyMap<Thumbprint, IdentityChain>
  readonly run: Digest
  readonly request: Verified<RunRequest>
  /** Ciphertext of the digest that the request names. */
  readonly sealedPart: Uint8Array
  readonly computation: ComputationTerms
  /** The data owners of the run, each once. */
  readonly owners: readonly Thumbprint[]
  readonly inputs: readonly JobInput[]
  readonly view: ContractView
}

/**
 * Verifies an assignment.
 * @throws EnclaveError `ASSIGNMENT_INVALID`, `ACTIVATION_INVALID`, `IDENTITY_UNKNOWN`; ContractError for a contract that is not
 * signed by exactly its signatories; ProtocolError and CanonicalError for statements that are not what they claim.
 */
export async function verifyJob({ run, contract: view }: Assignment, log: LogInfo): Promise<Job> {
  const identities = await verifyIdentities(view)
  const contract = await verifyContract(view, identities)
  expectIdentities(contract, identities)
  if (run.contract !== contract.id)
    throw invalid(`run ${run.id} is of contract ${run.contract}; expected ${contract.id}`)
  const activation = await verifyActivation(contract, view, log)
  const request = await verifyRequest(contract, run, identities)
  const computation = computationOf(contract.terms, request.payload.computation)
  if (computation === undefined)
    throw invalid(`the contract has no computation ${request.payload.computation}`)
  return {
    contract,
    activation,
    identities,
    run: run.id,
    request,
    sealedPart: sealedPartOf(request, run),
    computation,
    owners: [...new Set(request.payload.inputs.map(({ owner }) => owner))],
    inputs: await Promise.all(
      request.payload.inputs.map((input) => verifyInput(input, contract, view, identities)),
    ),
    view,
  }
}

/** The newest Identities of a party. @throws EnclaveError `IDENTITY_UNKNOWN`. */
export function chainOf(
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
  party: Thumbprint,
): IdentityChain {
  const chain = identities.get(party)
  if (chain === undefined) throw new EnclaveError('IDENTITY_UNKNOWN', `no Identity of ${party} was shown`)
  return chain
}

/** Verifies a statement by the party that it says it is by, under that party's newest Identity. */
export async function verifyByParty<P extends { readonly by: string }>(
  kind: StatementKind<P>,
  jws: string,
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
): Promise<Verified<P>> {
  return await verifyPartyStatement(kind, jws, chainOf(identities, claimedParty(jws)), { newestOnly: true })
}

/** Statements of a type among those recorded. */
export function ofType(
  statements: readonly RecordedStatement[],
  type: StatementType,
): readonly RecordedStatement[] {
  return statements.filter((statement) => statement.type === type)
}

async function verifyIdentities(view: ContractView): Promise<ReadonlyMap<Thumbprint, IdentityChain>> {
  const chains = await Promise.all(
    view.identities.map(({ thumbprint, statements }) => verifyIdentityChain(statements, thumbprint)),
  )
  return new Map(chains.map((chain) => [chain.thumbprint, chain]))
}

async function verifyContract(
  view: ContractView,
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
): Promise<SignedContract> {
  const signatures = ofType(view.statements, 'contract').map(({ statement }) => statement)
  const [first] = signatures
  if (first === undefined) throw invalid('the assignment holds no contract')
  // Which keys these are is said by the contract itself; that they are the right people's was compared by whoever pinned them.
  const keys = new Map(
    [...identities].map(([thumbprint, chain]) => [thumbprint, chain.newest.payload.consentKey]),
  )
  const contract = await verifySignatures(await contractBytes(first, keys), signatures, keys)
  if (contract.id !== view.id) throw invalid(`contract ${contract.id} was shown as ${view.id}`)
  return contract
}

async function contractBytes(jws: string, keys: ReadonlyMap<Thumbprint, PublicKey>): Promise<Uint8Array> {
  const { kid } = unverifiedStatement(jws)
  const key = keys.get(kid)
  if (key === undefined)
    throw new EnclaveError(
      'IDENTITY_UNKNOWN',
      `the contract is signed by ${kid}, of whom no Identity was shown`,
    )
  return payloadBytes(await verifyStatement(contractKind, jws, key))
}

function expectIdentities(
  { terms }: SignedContract,
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
): void {
  for (const party of offerIdentities(terms)) chainOf(identities, party)
}

async function verifyActivation(
  contract: SignedContract,
  view: ContractView,
  log: LogInfo,
): Promise<Verified<Activation>> {
  const { origin, coordinator } = contract.terms.log
  if (log.origin !== origin || thumbprintOf(log.coordinatorKey) !== coordinator)
    throw new EnclaveError(
      'ACTIVATION_INVALID',
      `the contract is for log ${origin} and coordinator ${coordinator}; this one is another`,
    )
  const [recorded, ...more] = ofType(view.statements, 'activation')
  if (recorded === undefined || more.length > 0)
    throw new EnclaveError(
      'ACTIVATION_INVALID',
      `${more.length === 0 ? 'no' : 'more than one'} Activation of ${contract.id} was shown`,
    )
  return await verifyStatement(activationKind, recorded.statement, log.coordinatorKey)
}

async function verifyRequest(
  contract: SignedContract,
  run: RunView,
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
): Promise<Verified<RunRequest>> {
  const [recorded, ...more] = ofType(run.statements, 'run-request')
  if (recorded === undefined || more.length > 0) throw invalid(`run ${run.id} must have one request`)
  const request = await verifyByParty(runRequestKind, recorded.statement, identities)
  if (request.id !== run.id) throw invalid(`request ${request.id} was shown as that of run ${run.id}`)
  if (request.payload.contract !== contract.id)
    throw invalid(`the request is under contract ${request.payload.contract}; expected ${contract.id}`)
  return request
}

function sealedPartOf(request: Verified<RunRequest>, run: RunView): Uint8Array {
  const { sealed } = request.payload
  const bytes = fromBase64url(ofType(run.statements, 'run-request')[0]?.attachment ?? '')
  const seen = digest(domains.ciphertext, bytes)
  if (bytes.length !== sealed.size || seen !== sealed.digest)
    throw invalid(`the sealed part of the request has digest ${seen}; expected ${sealed.digest}`)
  return bytes
}

// A Manifest that an owner signed under an earlier Identity still counts: the owner itself says which version it releases.
async function verifyInput(
  input: { readonly dataset: string; readonly owner: Thumbprint; readonly manifest: Digest },
  contract: SignedContract,
  view: ContractView,
  identities: ReadonlyMap<Thumbprint, IdentityChain>,
): Promise<JobInput> {
  const recorded = ofType(view.statements, 'manifest').find(({ id }) => id === input.manifest)
  if (recorded === undefined) throw invalid(`no manifest ${input.manifest} was shown`)
  const chain = chainOf(identities, input.owner)
  const manifest = await verifyPartyStatement(manifestKind, recorded.statement, chain, { newestOnly: false })
  const { contract: named, dataset } = manifest.payload
  if (manifest.id !== input.manifest || named !== contract.id || dataset !== input.dataset)
    throw invalid(
      `manifest ${manifest.id} is not version ${input.manifest} of ${input.dataset} under contract ${contract.id}`,
    )
  return { dataset: input.dataset, owner: input.owner, manifest }
}

/** Who a statement says it is by, before anything of it is verified. */
export function claimedParty(jws: string): Thumbprint {
  const { payload } = unverifiedStatement(jws)
  const by = typeof payload === 'object' && payload !== null && 'by' in payload ? payload['by'] : undefined
  if (typeof by === 'string') return by
  throw invalid('a statement says not by whom it is')
}

function invalid(message: string): EnclaveError {
  return new EnclaveError('ASSIGNMENT_INVALID', message)
}
