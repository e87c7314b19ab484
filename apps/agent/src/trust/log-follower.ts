/**
 * This agent's own view of the log. It reads every leaf up to each checkpoint, so that it sees every record of its own and
 * no two trees can be shown to it. A log that misbehaves is an error from then on, with the signed notes that prove it.
 */
import { fromBase64url, fromHex, toBase64url, toHex, utf8, type Digest } from '#libs/canonical'
import {
  agreeWithView,
  cosign,
  emptyView,
  followLog as followLeaves,
  formatNote,
  loadView,
  parseNote,
  storeView,
  TranslogError,
  verifySignedCheckpoint,
  type Followed,
  type KnownLog,
  type LogView,
  type NoteSignature,
  type SignedCheckpoint,
} from '#libs/translog'
import type { Agent } from '../agent.js'
import { AgentError } from '../errors.js'
import { spaces, type LeafIndexRecord, type LeafRecord } from '../store/records.js'

const leavesPerRequest = 1000

/**
 * Follows the log to its newest checkpoint, or at least to the one of `size`; answers the checkpoint that it then stands at.
 * @throws AgentError `LOG_MISBEHAVED` where the log forked, rolled back, or shows leaves that do not lead to its root.
 */
export async function followLog(agent: Agent, size?: number): Promise<SignedCheckpoint> {
  // One step at a time, over all processes of this agent: the next one starts from where the last one ended.
  return await agent.store.exclusively('log', () => advance(agent, size))
}

/** The checkpoint up to which this agent has read the log, or null before the first. */
export async function seenCheckpoint(agent: Agent): Promise<SignedCheckpoint | null> {
  return (await logView(agent)).checkpoint
}

/** This agent's view, for checks of older checkpoints against it. */
export async function logView(agent: Agent): Promise<LogView> {
  const stored = await agent.store.get(spaces.log, 'view')
  if (stored === undefined) return emptyView
  return await loadView({ frontier: fromBase64url(stored.frontier), note: stored.note }, knownLog(agent))
}

/**
 * Checks that a checkpoint, which others may have cosigned, is of the tree that this agent follows. The view may have moved on
 * since; then the log must prove that this older checkpoint was on the way.
 * @throws TranslogError `VIEW_TOO_OLD`, `FORK`, `CONSISTENCY_BROKEN`.
 */
export async function expectOnTheWay(agent: Agent, checkpoint: SignedCheckpoint): Promise<void> {
  const view = await logView(agent)
  const { proof } = await agent.client.consistency(checkpoint.size, view.checkpoint?.size ?? 0)
  agreeWithView(view, checkpoint, proof.map(fromHex))
}

/** The leaf of a statement, as far as this agent has read the log. */
export async function findLeaf(agent: Agent, digest: Digest): Promise<LeafRecord | undefined> {
  return await agent.store.get(spaces.leaves, digest)
}

/** What a signer, or whoever in a run, has in the log under a pseudonym, in its order; from an index on. */
export async function leavesUnder(
  agent: Agent,
  kind: 'signer' | 'run',
  pseudonym: Digest,
  from = 0,
): Promise<readonly (LeafIndexRecord & { readonly index: number })[]> {
  const found = await agent.store.list(spaces.leafIndex, `${kind}/${pseudonym}/`, placeOf(from))
  return found.map(([key, leaf]) => ({ ...leaf, index: Number(key.slice(key.lastIndexOf('/') + 1)) }))
}

// Equal in width, so that their order as text is their order in the log.
function placeOf(index: number): string {
  return String(index).padStart(12, '0')
}

/** The name under which a party cosigns. */
export function witnessName(origin: string, party: string): string {
  return `${origin}/witness/${party}`
}

/** Cosigns the checkpoint that this agent has followed the log to, and sends the line. */
export async function cosignSeen(agent: Agent): Promise<void> {
  const checkpoint = await seenCheckpoint(agent)
  if (checkpoint === null) return
  const line = await cosign(checkpoint, {
    name: witnessName(checkpoint.origin, agent.keys.party),
    key: agent.keys.daemonKey,
    timeSeconds: Math.floor(agent.now() / 1000),
  })
  await agent.client.cosign({
    size: checkpoint.size,
    root: toHex(checkpoint.root),
    line: lineOf(checkpoint, line),
  })
}

// The signature line of a note, without its newline.
function lineOf({ note }: SignedCheckpoint, line: NoteSignature): string {
  return (
    formatNote({ body: parseNote(note).body, signatures: [line] })
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  )
}

function knownLog(agent: Agent): KnownLog {
  const { origin, logKey } = agent.config.log
  return { origin, key: logKey }
}

async function advance(agent: Agent, size?: number): Promise<SignedCheckpoint> {
  const view = await logView(agent)
  const seen = view.checkpoint
  if (seen !== null && size !== undefined && seen.size >= size) return seen
  const { note } = await (size === undefined ? agent.client.checkpoint() : agent.client.checkpointAt(size))
  const next = await verifySignedCheckpoint(note, knownLog(agent))
  const leaves = await fetchLeaves(agent, view.frontier.size, next.size)
  const followed = expectHonest(() => followLeaves(view, next, leaves))
  if (seen?.size === next.size) return seen
  await keep(agent, followed)
  return next
}

async function keep(agent: Agent, followed: Followed): Promise<void> {
  const { frontier, note } = storeView(followed.view)
  const leaves = followed.leaves.flatMap(({ digest, type, signer, run }, offset) => {
    const index = followed.from + offset
    const place = placeOf(index)
    const under = (kind: 'signer' | 'run', pseudonym: string | null) =>
      pseudonym === null
        ? []
        : [agent.store.put(spaces.leafIndex, `${kind}/${pseudonym}/${place}`, { digest, type })]
    return [
      agent.store.put(spaces.leaves, digest, { index, type, signer, run }),
      ...under('signer', signer),
      ...under('run', run),
    ]
  })
  await agent.store.write(
    agent.store.put(spaces.log, 'view', { frontier: toBase64url(frontier), note }),
    ...leaves,
  )
}

async function fetchLeaves(agent: Agent, from: number, to: number): Promise<Uint8Array[]> {
  const leaves: Uint8Array[] = []
  while (from + leaves.length < to) {
    const begin = from + leaves.length
    const page = await agent.client.leaves(begin, Math.min(begin + leavesPerRequest, to))
    if (page.leaves.length === 0) break
    leaves.push(...page.leaves.map(utf8))
  }
  return leaves.slice(0, to - from)
}

function expectHonest<T>(check: () => T): T {
  try {
    return check()
  } catch (cause) {
    if (!(cause instanceof TranslogError)) throw cause
    throw new AgentError('LOG_MISBEHAVED', `the log is not what it was: ${cause.message}`, { cause })
  }
}
