/** The tree of the leaves that were shown, and the checkpoints held against it. */
import { CodedError, toHex, utf8, type Digest, type Thumbprint } from '#libs/canonical'
import {
  findCosignature,
  leafHash,
  MerkleTree,
  parseLeaf,
  parseNote,
  verifySignedCheckpoint,
  type KnownLog,
  type LogLeaf,
} from '#libs/translog'
import { witnessName } from '../trust/log-follower.js'
import { broken, type FindingList } from './finding.js'
import type { Act, SeenCheckpoint } from './history.js'
import type { AuditAnchors } from './material.js'
import type { Identity } from '#libs/protocol'

/** The log as shown: what each leaf says, and where each statement stands. */
export interface ShownLog {
  /** Null where the bytes are no leaf. */
  readonly leaves: readonly (LogLeaf | null)[]
  /** The first place of the leaf that commits to a digest. */
  readonly placeOf: ReadonlyMap<Digest, number>
  readonly size: number
  readonly rootAt: (size: number) => string | null
}

/** Reads leaves and grows their tree; names what is no leaf, and what stands in the log twice. */
export function readLog(texts: readonly string[], findings: FindingList): ShownLog {
  const tree = new MerkleTree()
  const placeOf = new Map<Digest, number>()
  const leaves = texts.map((text, index) => {
    const bytes = utf8(text)
    tree.append(leafHash(bytes))
    const leaf = readLeaf(bytes, index, findings)
    if (leaf === null) return null
    const first = placeOf.get(leaf.digest)
    if (first === undefined) placeOf.set(leaf.digest, index)
    else
      findings.add(
        'log.once',
        broken(
          { index, type: leaf.type, id: leaf.digest },
          'each statement once in the log',
          `the statement of entry ${first} again`,
        ),
      )
    return leaf
  })
  const rootAt = (size: number) => (size > tree.size ? null : toHex(tree.root(size)))
  return { leaves, placeOf, size: tree.size, rootAt }
}

function readLeaf(bytes: Uint8Array, index: number, findings: FindingList): LogLeaf | null {
  try {
    return parseLeaf(bytes)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    findings.add('log.leaf', broken({ index, type: 'leaf', id: '' }, 'a leaf of the log', error.message))
    return null
  }
}

/** Holds the leaves that were shown against those that the auditor read itself, as far as both go. */
export function compareOwnView(
  { leaves, placeOf }: ShownLog,
  own: ReadonlyMap<Digest, number>,
  findings: FindingList,
): void {
  for (const [digest, index] of own) {
    const leaf = leaves[index]
    if (index >= leaves.length || leaf?.digest === digest) continue
    const place = { index, type: leaf?.type ?? 'leaf', id: leaf?.digest ?? '' } as const
    const seen = placeOf.get(digest)
    const elsewhere = seen === undefined ? 'it is not in the log shown' : `it stands at ${seen}`
    findings.add('log.ownView', broken(place, `the entry that this agent read there, ${digest}`, elsewhere))
  }
}

/** A witness with all its Identities, oldest first. */
export type Witnesses = ReadonlyMap<Thumbprint, readonly Act<Identity>[]>

/**
 * Verifies checkpoints: the log's signature on each, and the cosignatures of these witnesses under keys that may have
 * cosigned a tree of that size. Lines of others count for nothing.
 */
export async function readCheckpoints(
  shown: readonly string[],
  log: Pick<ShownLog, 'rootAt'>,
  { origin, logKey, seen: own }: Pick<AuditAnchors, 'origin' | 'logKey' | 'seen'>,
  witnesses: Witnesses,
  findings: FindingList,
): Promise<readonly SeenCheckpoint[]> {
  const seen: SeenCheckpoint[] = []
  for (const note of new Set([...own, ...shown])) {
    try {
      const { size, root } = await verifySignedCheckpoint(note, { origin, key: logKey } satisfies KnownLog)
      const expected = log.rootAt(size)
      const hex = toHex(root)
      const cosigners = await cosignersOf(note, { origin, size, root: hex }, witnesses, findings)
      seen.push({
        size,
        root: hex,
        onTree: expected === null ? null : expected === hex,
        own: own.includes(note),
        cosigners,
      })
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      findings.add(
        'checkpoint.signature',
        broken(
          { index: null, type: 'checkpoint', id: note.split('\n')[2] ?? '' },
          `a checkpoint of ${origin}, signed by its key`,
          error.message,
        ),
      )
    }
  }
  return seen.toSorted((a, b) => a.size - b.size)
}

async function cosignersOf(
  note: string,
  { origin, size, root }: { readonly origin: string; readonly size: number; readonly root: string },
  witnesses: Witnesses,
  findings: FindingList,
): Promise<ReadonlyMap<Thumbprint, number>> {
  const parsed = parseNote(note)
  const cosigners = new Map<Thumbprint, number>()
  for (const [party, links] of witnesses) {
    const name = witnessName(origin, party)
    if (!parsed.signatures.some((line) => line.name === name)) continue
    for (const { payload } of keysSince(links, size)) {
      if (!payload.delegations.includes('cosignature')) continue
      try {
        const found = await findCosignature(parsed, { name, key: payload.daemonKey })
        if (found !== undefined) cosigners.set(party, found.timeSeconds)
      } catch (error) {
        if (!(error instanceof CodedError)) throw error
        findings.add(
          'checkpoint.cosignature',
          broken({ index: null, type: 'checkpoint', id: root }, `a cosignature of ${party}`, error.message),
        )
      }
    }
  }
  return cosigners
}

// A key that was replaced before the tree had this size can have cosigned nothing of it.
function keysSince(links: readonly Act<Identity>[], size: number): readonly Act<Identity>[] {
  const inForce = links.findLastIndex(({ index }) => index < size)
  return links.slice(Math.max(0, inForce))
}
