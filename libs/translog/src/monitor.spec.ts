import { describe, expect, it } from 'vitest'
import { signingKeyFromSeed, utf8 } from '#libs/canonical'
import { signCheckpoint, verifySignedCheckpoint, type KnownLog, type SignedCheckpoint } from './checkpoint.js'
import { TranslogError, type TranslogErrorCode } from './errors.js'
import { encodeLeaf, type LogLeaf } from './leaf.js'
import { leafHash } from './merkle-hash.js'
import { MerkleTree } from './merkle-tree.js'
import { agreeWithView, emptyView, followLog, loadView, storeView, type LogView } from './monitor.js'

const key = await signingKeyFromSeed(new Uint8Array(32).fill(1))
const otherKey = await signingKeyFromSeed(new Uint8Array(32).fill(2))
const log: KnownLog = { origin: 'log.example.org/1', key: key.publicKey }

const leafAt = (i: number): LogLeaf => ({
  version: 1,
  type: 'spend',
  digest: i.toString(16).padStart(64, '0'),
  signer: null,
  run: null,
})
const leaves = Array.from({ length: 40 }, (_, i) => encodeLeaf(leafAt(i)))
const tree = MerkleTree.fromLeafHashes(leaves.map(leafHash))
/** What the log shows to somebody else: from leaf 10 on it is another log. */
const forked = leaves.map((leaf, i) => (i === 10 ? encodeLeaf(leafAt(999)) : leaf))
const forkedTree = MerkleTree.fromLeafHashes(forked.map(leafHash))

async function checkpointOf(of: MerkleTree, size: number, origin = log.origin): Promise<SignedCheckpoint> {
  const note = await signCheckpoint({ origin, size, root: of.root(size) }, key)
  return verifySignedCheckpoint(note, { origin, key: key.publicKey })
}

const checkpoints = await Promise.all(Array.from({ length: 41 }, (_, size) => checkpointOf(tree, size)))
const at = (size: number): LogView => followLog(emptyView, checkpoints[size]!, leaves.slice(0, size)).view

function failure(act: () => unknown): TranslogError {
  try {
    act()
  } catch (error) {
    if (error instanceof TranslogError) return error
    throw error
  }
  throw new Error('was not refused')
}

describe('followLog', () => {
  it('goes from any view to any later checkpoint and hands out every leaf on the way', () => {
    for (let from = 0; from <= 20; from++)
      for (let to = from; to <= 20; to++) {
        const followed = followLog(at(from), checkpoints[to]!, leaves.slice(from, to))
        expect(followed.from).toBe(from)
        expect(followed.leaves).toEqual(Array.from({ length: to - from }, (_, i) => leafAt(from + i)))
        expect(followed.view.frontier.is(to, tree.root(to))).toBe(true)
        expect(followed.view.checkpoint?.size).toBe(to)
      }
  })

  const swapped = [leaves[13]!, leaves[12]!, ...leaves.slice(14, 20)]
  const cases: [
    string,
    () => Promise<SignedCheckpoint> | SignedCheckpoint,
    Uint8Array[],
    TranslogErrorCode,
    number,
  ][] = [
    ['a smaller log', () => checkpoints[11]!, [], 'ROLLBACK', 2],
    ['an empty log', () => checkpoints[0]!, [], 'ROLLBACK', 2],
    ['another tree of the same size', () => checkpointOf(forkedTree, 12), [], 'FORK', 2],
    [
      'a larger tree on another past',
      () => checkpointOf(forkedTree, 20),
      forked.slice(12, 20),
      'CONSISTENCY_BROKEN',
      2,
    ],
    [
      'leaves that are not those signed',
      () => checkpoints[20]!,
      forked.slice(12, 19).concat(forked[5]!),
      'CONSISTENCY_BROKEN',
      2,
    ],
    ['leaves in another order', () => checkpoints[20]!, swapped, 'CONSISTENCY_BROKEN', 2],
    ['a leaf too few', () => checkpoints[20]!, leaves.slice(12, 19), 'LEAVES_INCOMPLETE', 0],
    ['a leaf too many', () => checkpoints[20]!, leaves.slice(12, 21), 'LEAVES_INCOMPLETE', 0],
    [
      'a checkpoint of another log',
      () => checkpointOf(tree, 20, 'other.example'),
      leaves.slice(12, 20),
      'ORIGIN_MISMATCH',
      0,
    ],
  ]
  it.each(cases)(
    'refuses %s, and shows the notes that contradict each other',
    async (_name, make, given, code, notes) => {
      const next = await make()
      const view = at(12)
      const error = failure(() => followLog(view, next, given))
      expect(error.code).toBe(code)
      expect(error.notes).toHaveLength(notes)
      if (notes === 2) expect(error.notes).toEqual([view.checkpoint?.note, next.note])
      expect(view).toEqual(at(12))
    },
  )

  it('refuses a leaf that is no record, though the log signed it', async () => {
    const junk = MerkleTree.fromLeafHashes([leafHash(leaves[0]!), leafHash(utf8('junk'))])
    const next = await checkpointOf(junk, 2)
    expect(failure(() => followLog(at(1), next, [utf8('junk')])).code).toBe('LEAF_MALFORMED')
  })
})

describe('agreeWithView', () => {
  it('accepts every checkpoint of the past with its proof', () => {
    for (let size = 0; size <= 12; size++)
      agreeWithView(at(12), checkpoints[size]!, tree.proveConsistency(size, 12))
  })

  const cases: [
    string,
    () => Promise<SignedCheckpoint> | SignedCheckpoint,
    () => Uint8Array[],
    TranslogErrorCode,
  ][] = [
    ['a checkpoint beyond the view', () => checkpoints[13]!, () => [], 'VIEW_TOO_OLD'],
    ['another tree of the same size', () => checkpointOf(forkedTree, 12), () => [], 'FORK'],
    [
      'another past',
      () => checkpointOf(forkedTree, 11),
      () => tree.proveConsistency(11, 12),
      'CONSISTENCY_BROKEN',
    ],
    ['no proof', () => checkpoints[7]!, () => [], 'CONSISTENCY_BROKEN'],
    [
      'the proof of another size',
      () => checkpoints[7]!,
      () => tree.proveConsistency(6, 12),
      'CONSISTENCY_BROKEN',
    ],
    ['another log', () => checkpointOf(tree, 12, 'other.example'), () => [], 'ORIGIN_MISMATCH'],
  ]
  it.each(cases)('refuses %s', async (_name, make, proof, code) => {
    const older = await make()
    expect(
      failure(() => {
        agreeWithView(at(12), older, proof())
      }).code,
    ).toBe(code)
  })

  it('needs a view', () => {
    expect(
      failure(() => {
        agreeWithView(emptyView, checkpoints[0]!, [])
      }).code,
    ).toBe('VIEW_TOO_OLD')
  })
})

describe('a stored view', () => {
  it('is the same after it was read back, and goes on from there', async () => {
    for (const size of [0, 1, 12, 40]) {
      const view = await loadView(storeView(at(size)), log)
      expect(view.frontier.serialize()).toEqual(at(size).frontier.serialize())
      expect(view.checkpoint).toEqual(checkpoints[size])
      expect(followLog(view, checkpoints[40]!, leaves.slice(size)).view.frontier.size).toBe(40)
    }
    expect(await loadView(storeView(emptyView), log)).toEqual(emptyView)
  })

  it('is refused where frontier and checkpoint are not of one tree, or of another log', async () => {
    const stored = storeView(at(12))
    const wrong: [Parameters<typeof loadView>[0], KnownLog, TranslogErrorCode][] = [
      [{ ...stored, frontier: at(11).frontier.serialize() }, log, 'VIEW_MALFORMED'],
      [{ ...stored, note: checkpoints[13]!.note }, log, 'VIEW_MALFORMED'],
      [{ ...stored, note: null }, log, 'VIEW_MALFORMED'],
      [{ ...stored, frontier: stored.frontier.slice(1) }, log, 'FRONTIER_MALFORMED'],
      [{ ...stored, note: stored.note!.replace('\n12\n', '\n11\n') }, log, 'LOG_SIGNATURE_INVALID'],
      [stored, { ...log, key: otherKey.publicKey }, 'LOG_SIGNATURE_MISSING'],
      [stored, { ...log, origin: 'other.example' }, 'ORIGIN_MISMATCH'],
    ]
    for (const [bad, known, code] of wrong) await expect(loadView(bad, known)).rejects.toMatchObject({ code })
  })
})
