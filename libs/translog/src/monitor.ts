/**
 * Following a log: from the last state that one believed to a newer checkpoint, leaf by leaf, or an error that says how
 * the log misbehaved. What an agent does before it cosigns, and after every start.
 */
import { CodedError, equalBytes, toHex } from '#libs/canonical'
import { verifySignedCheckpoint, type KnownLog, type SignedCheckpoint } from './checkpoint.js'
import { TranslogError } from './errors.js'
import { Frontier } from './frontier.js'
import { parseLeaf, type LogLeaf } from './leaf.js'
import { leafHash, type MerkleHash } from './merkle-hash.js'
import { expectEmptyTree, verifyConsistency } from './verify.js'

/** What one knows of a log: all its leaves up to here were seen, and the last checkpoint was signed by it. */
export interface LogView {
  readonly frontier: Frontier
  /** Null before the first checkpoint; the frontier is empty then. */
  readonly checkpoint: SignedCheckpoint | null
}

/** The view of someone who has seen nothing yet. */
export const emptyView: LogView = Object.freeze({ frontier: Frontier.empty, checkpoint: null })

/** A newer view, and the leaves seen on the way; the first of them has index `from`. */
export interface Followed {
  readonly view: LogView
  readonly from: number
  readonly leaves: readonly LogLeaf[]
}

/**
 * Follows the log from a view to a newer checkpoint by the leaves between them, all of them, in order.
 * @param leaves - the bytes of the leaves from `view.frontier.size` up to `next.size`
 * @throws TranslogError `ROLLBACK` (the checkpoint is smaller than one seen), `FORK` (same size, other root: two signed
 * notes that prove it), `LEAVES_INCOMPLETE` (fetch the rest), `CONSISTENCY_BROKEN` (these leaves do not lead from the one
 * to the other), `LEAF_MALFORMED`, `ORIGIN_MISMATCH`.
 */
export function followLog(view: LogView, next: SignedCheckpoint, leaves: readonly Uint8Array[]): Followed {
  refuseRollbackAndFork(view, next)
  const from = view.frontier.size
  if (leaves.length !== next.size - from)
    throw new TranslogError(
      'LEAVES_INCOMPLETE',
      `got ${leaves.length} leaves; expected those from ${from} to ${next.size}`,
    )
  const frontier = view.frontier.extend(leaves.map(leafHash))
  if (!frontier.is(next.size, next.root))
    throw new TranslogError(
      'CONSISTENCY_BROKEN',
      `the leaves lead from ${from} to root ${toHex(frontier.root())}; the checkpoint of ${next.size} says ${toHex(next.root)}`,
      { notes: notesOf(view, next) },
    )
  return { view: { frontier, checkpoint: next }, from, leaves: leaves.map(parseLeaf) }
}

/**
 * Checks a checkpoint of the past, such as the one that a contract names, against one's own view.
 * @param proof - the log's consistency proof from the older checkpoint to the one of the view
 * @throws TranslogError `VIEW_TOO_OLD` where the view must first follow the log to there, `FORK`, `CONSISTENCY_BROKEN`,
 * `ORIGIN_MISMATCH`.
 */
export function agreeWithView(view: LogView, older: SignedCheckpoint, proof: readonly Uint8Array[]): void {
  const { checkpoint } = view
  if (checkpoint === null || checkpoint.size < older.size)
    throw new TranslogError(
      'VIEW_TOO_OLD',
      `the view ends at ${view.frontier.size}; the checkpoint is of ${older.size}`,
    )
  refuseFork(checkpoint, older)
  try {
    const { size: to, root: toRoot } = checkpoint
    if (older.size === 0) expectEmptyTree(older.root, proof)
    else verifyConsistency({ from: older.size, fromRoot: older.root, to, toRoot, proof })
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new TranslogError(
      'CONSISTENCY_BROKEN',
      `the log does not prove that its tree of ${checkpoint.size} extends the one of ${older.size}: ${cause.message}`,
      { cause, notes: [older.note, checkpoint.note] },
    )
  }
}

/** A view as it is kept: the frontier's bytes and the note. */
export interface StoredView {
  readonly frontier: Uint8Array
  readonly note: string | null
}

/** What to keep of a view, in one write. */
export function storeView({ frontier, checkpoint }: LogView): StoredView {
  return { frontier: frontier.serialize(), note: checkpoint?.note ?? null }
}

/**
 * Reads a stored view; frontier and checkpoint must be of one tree, and the checkpoint of this log.
 * @throws TranslogError `FRONTIER_MALFORMED`, `VIEW_MALFORMED`, and the codes of {@link verifySignedCheckpoint}.
 */
export async function loadView(stored: StoredView, log: KnownLog): Promise<LogView> {
  const frontier = Frontier.parse(stored.frontier)
  const checkpoint = stored.note === null ? null : await verifySignedCheckpoint(stored.note, log)
  if (!frontier.is(checkpoint?.size ?? 0, checkpoint?.root ?? Frontier.empty.root()))
    throw new TranslogError(
      'VIEW_MALFORMED',
      `a frontier of ${frontier.size} leaves is not that of the stored checkpoint`,
    )
  return { frontier, checkpoint }
}

function refuseRollbackAndFork(view: LogView, next: SignedCheckpoint): void {
  const { checkpoint } = view
  if (checkpoint === null) return
  if (next.size < checkpoint.size)
    throw new TranslogError(
      'ROLLBACK',
      `the log shows ${next.size} leaves; it has shown ${checkpoint.size} before`,
      { notes: [checkpoint.note, next.note] },
    )
  refuseFork(checkpoint, next)
}

function refuseFork(seen: SignedCheckpoint, shown: SignedCheckpoint): void {
  if (seen.origin !== shown.origin)
    throw new TranslogError(
      'ORIGIN_MISMATCH',
      `a checkpoint of ${shown.origin}; the view is of ${seen.origin}`,
    )
  if (seen.size === shown.size && !equalBytes(seen.root, shown.root))
    throw new TranslogError(
      'FORK',
      `the log signed two trees of ${seen.size} leaves: ${rootsOf(seen.root, shown.root)}`,
      {
        notes: [seen.note, shown.note],
      },
    )
}

function rootsOf(...roots: readonly MerkleHash[]): string {
  return roots.map(toHex).join(' and ')
}

function notesOf({ checkpoint }: LogView, next: SignedCheckpoint): readonly string[] {
  return checkpoint === null ? [next.note] : [checkpoint.note, next.note]
}
