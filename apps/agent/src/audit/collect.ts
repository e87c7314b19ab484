/**
 * The record of a contract from a live coordinator: every leaf, the checkpoints that somebody cosigned, and all bodies that this
 * party is shown. Nothing is verified here; what is withheld shows as an entry without a body.
 */
import { CodedError, fromBase64url, statementDigest, utf8, type Digest } from '#libs/canonical'
import { ClientError } from '#libs/client'
import { parseContract, type Contract } from '#libs/contract'
import type { ContractView, RecordedStatement } from '#libs/protocol'
import { parseLeaf, runPseudonym, signerPseudonym, type LogLeaf } from '#libs/translog'
import type { Agent } from '../agent.js'
import { followLog } from '../trust/log-follower.js'
import type { AuditMaterial, ShownStatement } from './material.js'
import type { Progress } from './read-history.js'

const leavesPerRequest = 1000

/** Collects the record as it stands. @throws AgentError `LOG_MISBEHAVED` where the log is not what this agent saw before. */
export async function collectMaterial(
  agent: Agent,
  contract: Digest,
  progress: Progress,
): Promise<AuditMaterial> {
  const bodies = new Bodies()
  const contracts = await collectContracts(agent, contract, bodies)
  for (const { id } of contracts) await collectRuns(agent, id, bodies, progress)
  const { identities } = await agent.client.identities()
  // Leaves come last: what was recorded meanwhile is then an entry, and its body is asked for by itself.
  const { size, note } = await followLog(agent)
  const leaves = await collectLeaves(agent, size)
  await collectOthers(agent, contracts, leaves, bodies)
  const checkpoints = await collectCheckpoints(agent, size)
  return {
    contract,
    leaves,
    identities,
    statements: bodies.upTo(size),
    checkpoints: [...checkpoints, note],
    coordinatorKey: agent.config.log.coordinatorKey,
  }
}

class Bodies {
  private readonly byDigest = new Map<Digest, RecordedStatement>()

  add(shown: readonly RecordedStatement[]): void {
    for (const recorded of shown) this.byDigest.set(statementDigest(recorded.statement), recorded)
  }

  has(digest: Digest): boolean {
    return this.byDigest.has(digest)
  }

  /** Those that the log of this size can have: a later one belongs to a later audit. */
  upTo(size: number): readonly ShownStatement[] {
    return [...this.byDigest.values()]
      .filter(({ index }) => index === null || index < size)
      .map(({ type, statement, attachment }) => ({ type, statement, attachment }))
  }
}

async function collectContracts(agent: Agent, id: Digest, bodies: Bodies): Promise<readonly Contract[]> {
  const contracts: Contract[] = []
  for (let next: Digest | undefined = id; next !== undefined;) {
    const view: ContractView | null = await orNull(agent.client.contract(next), 'CONTRACT_UNKNOWN')
    const contract: Contract | null = view === null ? null : contractIn(view)
    // A party that joined by the amendment is not shown the contract before it.
    if (view === null || contract === null || contracts.some((known) => known.id === contract.id)) break
    bodies.add(view.statements)
    contracts.push(contract)
    next = contract.terms.governance.supersedes
  }
  return contracts
}

function contractIn({ statements }: ContractView): Contract | null {
  const shown = statements.find(({ type }) => type === 'contract')
  return shown === undefined ? null : parseContract(fromBase64url(shown.statement.split('.')[1] ?? ''))
}

async function collectRuns(
  agent: Agent,
  contract: Digest,
  bodies: Bodies,
  progress: Progress,
): Promise<void> {
  const { runs } = await agent.client.runs(contract)
  for (const [done, { id }] of runs.entries()) {
    bodies.add((await agent.client.run(id)).statements)
    progress(done + 1, runs.length)
  }
}

async function collectLeaves(agent: Agent, size: number): Promise<readonly string[]> {
  const leaves: string[] = []
  while (leaves.length < size) {
    const page = await agent.client.leaves(leaves.length, Math.min(size, leaves.length + leavesPerRequest))
    if (page.leaves.length === 0) break
    leaves.push(...page.leaves)
  }
  return leaves
}

async function collectCheckpoints(agent: Agent, size: number): Promise<readonly string[]> {
  const notes: string[] = []
  for (let after = 0; ;) {
    const { checkpoints } = await agent.client.cosignedCheckpoints(after)
    const last = checkpoints.at(-1)
    notes.push(...checkpoints.filter((checkpoint) => checkpoint.size <= size).map(({ note }) => note))
    if (last === undefined || last.size <= after || last.size >= size) return notes
    after = last.size
  }
}

/** Bodies of entries under these contracts' pseudonyms that no view held: of runs beyond the newest, and of what is new. */
async function collectOthers(
  agent: Agent,
  contracts: readonly Contract[],
  leaves: readonly string[],
  bodies: Bodies,
): Promise<void> {
  const signers = new Set(contracts.flatMap(pseudonymsOf))
  const runs = new Set<string>()
  for (const leaf of leaves.map(leafIn)) {
    if (leaf === null || bodies.has(leaf.digest)) continue
    if (!signers.has(leaf.signer ?? '') && !runs.has(leaf.run ?? '')) continue
    const recorded = await orNull(agent.client.statement(leaf.digest), 'STATEMENT_UNKNOWN')
    if (recorded === null) continue
    bodies.add([recorded])
    if (recorded.type !== 'run-request') continue
    // The view of a run also has what is not in the log: its Nonces.
    const view = await orNull(agent.client.run(recorded.id), 'RUN_UNKNOWN')
    bodies.add(view?.statements ?? [])
    for (const { terms } of contracts) runs.add(runPseudonym(fromBase64url(terms.log.secret), recorded.id))
  }
}

function pseudonymsOf({ terms: { parties, log } }: Contract): readonly string[] {
  const secret = fromBase64url(log.secret)
  return [...Object.values(parties).map(({ key }) => key), log.coordinator].map((key) =>
    signerPseudonym(secret, key),
  )
}

// What is no leaf is named by the audit; here there is only nothing to ask for.
function leafIn(text: string): LogLeaf | null {
  try {
    return parseLeaf(utf8(text))
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return null
  }
}

async function orNull<T>(answer: Promise<T>, unknown: string): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ClientError && error.problem?.code === unknown) return null
    throw error
  }
}
