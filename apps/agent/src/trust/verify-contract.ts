/**
 * Which contract binds whom: read from signed bytes, never from what the coordinator says about them. A contract is active for
 * this agent only when every signatory's own signature verified against a pinned key, and the Activation is in the log in time.
 */
import {
  fromBase64url,
  statementDigest,
  unverifiedStatement,
  verifyStatement,
  type Digest,
  type PublicKey,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import {
  activate,
  labelOf,
  mayEnd,
  parseContract,
  verifySignature,
  verifySignatures,
  type ActiveContract,
  type Contract,
  type ContractPayload,
  type ContractStanding,
  type ContractTerms,
} from '#libs/contract'
import {
  activationKind,
  manifestKind,
  revocationKind,
  verifyPartyStatement,
  withdrawalKind,
  type Activation,
  type ContractView,
  type IdentityChain,
  type Manifest,
  type RecordedStatement,
  type Revocation,
  type Withdrawal,
} from '#libs/protocol'
import { signerPseudonym } from '#libs/translog'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'
import { pinnedParties, refreshIdentities } from './known-parties.js'
import { findLeaf, leavesUnder } from './log-follower.js'

/** A proposal as far as it is signed. */
export interface VerifiedProposal {
  readonly contract: Contract
  readonly terms: ContractTerms
  readonly signatures: readonly Verified<ContractPayload>[]
  /** labels of signatories that have not signed */
  readonly unsigned: readonly string[]
  /** labels of parties whose consent key this agent's people have not compared */
  readonly unpinned: readonly string[]
}

/** A contract in force, with everything recorded about it that is not about one run. Only {@link verifyActiveContract} makes one. */
export interface VerifiedContract {
  readonly id: Digest
  readonly terms: ContractTerms
  readonly contract: ActiveContract
  readonly activation: Verified<Activation>
  readonly standing: ContractStanding
  /** whether this agent's own people signed it: without that nothing is ever released under it */
  readonly ownSignature: boolean
  readonly dataOwners: readonly Thumbprint[]
  readonly logSecret: Uint8Array
  readonly manifests: readonly Verified<Manifest>[]
  readonly withdrawals: readonly Verified<Withdrawal>[]
  readonly revocations: readonly Verified<Revocation>[]
  readonly chains: ReadonlyMap<Thumbprint, IdentityChain>
  /** @throws AgentError `RUN_NOT_VERIFIED` for a key that no party of the contract has. */
  readonly chainOf: (party: Thumbprint) => IdentityChain
  /** the party's label in this contract, or the thumbprint of a stranger */
  readonly labelOf: (party: Thumbprint) => string
}

/**
 * Reads a proposal and verifies the signatures that are there.
 * @throws ContractError, ProtocolError, CanonicalError where something is not what it claims to be.
 */
export async function verifyProposal(agent: Agent, view: ContractView): Promise<VerifiedProposal> {
  const chains = await refreshIdentities(agent, view.identities)
  const contract = readContract(view)
  const signatures: Verified<ContractPayload>[] = []
  for (const { statement } of ofType(view, 'contract'))
    signatures.push(await verifySignature(contract, statement, consentKeys(chains)))
  const pins = await pinnedParties(agent)
  const { terms } = contract
  const signed = new Set(signatures.map(({ kid }) => kid))
  const key = (label: string) => terms.parties[label]?.key ?? ''
  return {
    contract,
    terms,
    signatures,
    unsigned: terms.governance.signatories.filter((label) => !signed.has(key(label))),
    unpinned: Object.keys(terms.parties).filter(
      (label) => key(label) !== agent.keys.party && !pins.has(key(label)),
    ),
  }
}

/**
 * Verifies that a contract is in force: all signatures, the Activation and its place in the log, pins of all signatories.
 * @throws AgentError `CONTRACT_NOT_VERIFIED`; ContractError, ProtocolError, CanonicalError.
 */
export async function verifyActiveContract(agent: Agent, view: ContractView): Promise<VerifiedContract> {
  const chains = await refreshIdentities(agent, view.identities)
  const contract = readContract(view)
  const { id, terms } = contract
  await expectPinned(agent, terms)
  const statements = ofType(view, 'contract').map(({ statement }) => statement)
  const signed = await verifySignatures(contract.payloadBytes, statements, consentKeys(chains))
  const [recorded] = ofType(view, 'activation')
  if (recorded === undefined) throw notVerified(id, 'an Activation', 'none')
  const activation = await verifyStatement(
    activationKind,
    recorded.statement,
    agent.config.log.coordinatorKey,
  )
  const active = activate(signed, {
    by: activation.payload.by,
    contract: activation.payload.contract,
    signatures: activation.payload.signatures,
    recordedAt: await recordedAt(agent, contract, activation),
  })
  const chainOf = (party: Thumbprint): IdentityChain => {
    const chain = chains.get(party)
    if (chain !== undefined && labelOf(terms, party) !== undefined) return chain
    throw new AgentError('RUN_NOT_VERIFIED', `${party || 'nobody'} is no party of contract ${id}`)
  }
  await expectNothingHidden(agent, terms, view)
  const revocations = await Promise.all(
    ofType(view, 'revocation').map(({ statement }) => byParty(revocationKind, statement, chainOf)),
  )
  return {
    id,
    terms,
    contract: active,
    activation,
    standing: standingOf(active, revocations),
    ownSignature: signed.signatures.some(({ kid }) => kid === agent.keys.party),
    dataOwners: ownersOf(terms),
    logSecret: fromBase64url(terms.log.secret),
    manifests: await Promise.all(
      ofType(view, 'manifest').map(({ statement }) => byParty(manifestKind, statement, chainOf)),
    ),
    withdrawals: await Promise.all(
      ofType(view, 'withdrawal').map(({ statement }) => byParty(withdrawalKind, statement, chainOf)),
    ),
    revocations,
    chains,
    chainOf,
    labelOf: (party) => labelOf(terms, party) ?? party,
  }
}

function readContract(view: ContractView): Contract {
  const [first] = ofType(view, 'contract')
  if (first === undefined) throw notVerified(view.id, 'a proposal', 'none')
  const contract = parseContract(payloadOf(first.statement))
  if (contract.id !== view.id) throw notVerified(view.id, `the contract of this id`, contract.id)
  return contract
}

// Everyone's key was compared by people before this agent signed; a party that signed nothing must be pinned as well.
async function expectPinned(agent: Agent, terms: ContractTerms): Promise<void> {
  const pins = await pinnedParties(agent)
  const unpinned = Object.entries(terms.parties).filter(
    ([, { key }]) => key !== agent.keys.party && !pins.has(key),
  )
  if (unpinned.length === 0) return
  const names = unpinned.map(([label, { key }]) => `${label} (${key})`).join(', ')
  throw new AgentError(
    'NOT_PINNED',
    `not pinned: ${names}. Compare the fingerprint with that party's people, then: sealroom pin LABEL THUMBPRINT`,
  )
}

/**
 * When the log had the Activation. A data owner takes the time at which it saw it there itself: the coordinator's word is no
 * proof. Others, who may come years later and release nothing, read that word.
 */
async function recordedAt(
  agent: Agent,
  { id, terms }: Contract,
  activation: Verified<Activation>,
): Promise<number> {
  if ((await findLeaf(agent, activation.digest)) === undefined)
    throw notVerified(id, 'its Activation in the log, as far as this agent has read it', 'no such entry')
  if (!ownersOf(terms).includes(agent.keys.party)) return Date.parse(activation.payload.issuedAt)
  const known = await agent.store.get(spaces.contracts, id)
  if (known !== undefined) return Date.parse(known.activationSeenAt)
  const now = agent.now()
  const record = { activation: activation.jws, activationSeenAt: new Date(now).toISOString() }
  await agent.store.write(agent.store.put(spaces.contracts, id, record))
  return now
}

const contractActs: readonly string[] = ['manifest', 'revocation', 'withdrawal']

/**
 * Holds what is shown of a contract against the log as far as this agent has read it. The log shows that a party acted: where the act itself
 * is not shown, somebody wants this agent to decide without it.
 * @throws AgentError `CONTRACT_NOT_VERIFIED`.
 */
export async function expectNothingHidden(
  agent: Agent,
  terms: ContractTerms,
  view: ContractView,
): Promise<void> {
  const shown = new Set(view.statements.map(({ statement }) => statementDigest(statement)))
  const secret = fromBase64url(terms.log.secret)
  for (const [label, { key }] of Object.entries(terms.parties))
    for (const { digest, type } of await leavesUnder(agent, 'signer', signerPseudonym(secret, key)))
      if (contractActs.includes(type) && !shown.has(digest))
        throw notVerified(
          view.id,
          `every act that the log names`,
          `no ${type} of ${label} with digest ${digest}`,
        )
}

function standingOf(active: ActiveContract, revocations: readonly Verified<Revocation>[]): ContractStanding {
  const endings = revocations
    .filter(({ payload }) => payload.subject.kind === 'contract' && mayEnd(active.terms, payload.by))
    .map(({ payload }) => ({ by: payload.by, from: Date.parse(payload.from) }))
    .toSorted((a, b) => a.from - b.from)
  return { activatedAt: active.activatedAt, supersededBy: null, ended: endings[0] ?? null }
}

function ownersOf(terms: ContractTerms): readonly Thumbprint[] {
  const labels = new Set(Object.values(terms.datasets).flatMap(({ owners }) => owners))
  return [...labels].flatMap((label) => terms.parties[label]?.key ?? [])
}

async function byParty<P extends { readonly by: string }>(
  kind: Parameters<typeof verifyPartyStatement<P>>[0],
  statement: string,
  chainOf: (party: Thumbprint) => IdentityChain,
): Promise<Verified<P>> {
  const { payload } = unverifiedStatement(statement)
  const by = typeof payload === 'object' && payload !== null && 'by' in payload ? payload['by'] : undefined
  return await verifyPartyStatement(kind, statement, chainOf(typeof by === 'string' ? by : ''), {
    newestOnly: false,
  })
}

function consentKeys(chains: ReadonlyMap<Thumbprint, IdentityChain>): ReadonlyMap<Thumbprint, PublicKey> {
  return new Map([...chains].map(([party, { newest }]) => [party, newest.payload.consentKey]))
}

function ofType(view: ContractView, type: RecordedStatement['type']): readonly RecordedStatement[] {
  return view.statements.filter((record) => record.type === type)
}

// The bytes are the ones that signatures cover; they are parsed before any of these is verified, by a strict parser.
function payloadOf(jws: string): Uint8Array {
  return fromBase64url(jws.split('.')[1] ?? '')
}

function notVerified(id: Digest, expected: string, seen: string): AgentError {
  return new AgentError('CONTRACT_NOT_VERIFIED', `contract ${id}: expected ${expected}; seen ${seen}`)
}
