/**
 * Checks of RFC 9162 §2.1.3.2 and §2.1.4.2. They show that a root commits to a leaf, or extends another root; that the
 * root is the log's own is shown by its checkpoint, see verify-checkpoint.ts.
 */
import { equalBytes, toHex } from '#libs/canonical'
import { TranslogError } from './errors.js'
import { emptyRoot, expectCount, expectHash, nodeHash, type MerkleHash } from './merkle-hash.js'

/** A claim that a leaf stands at `index` of the tree of `size` leaves under `root`. */
export interface InclusionClaim {
  readonly leafHash: Uint8Array
  readonly index: number
  readonly size: number
  readonly root: Uint8Array
  /** From the leaf upwards. */
  readonly proof: readonly Uint8Array[]
}

/** A claim that the tree of `to` leaves begins with the tree of `from` leaves. */
export interface ConsistencyClaim {
  readonly from: number
  readonly fromRoot: Uint8Array
  readonly to: number
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * Verifies an inclusion proof.
 * @throws TranslogError `SIZE_INVALID` (no such leaf in such a tree), `HASH_MALFORMED`, `PROOF_MALFORMED` (too few or too
 * many hashes), `PROOF_INVALID` (it leads to another root).
 */
export function verifyInclusion(claim: InclusionClaim): void {
  const { index, size } = claim
  expectCount(size, 'tree size')
  if (expectCount(index, 'leaf index') >= size)
    throw new TranslogError('SIZE_INVALID', `leaf ${index} is not in a tree of ${size} leaves`)
  let hash = expectHash(claim.leafHash, 'leaf hash')
  // RFC 9162 §2.1.3.2: `node` climbs from the leaf, `last` from the last leaf of the tree.
  let [node, last] = [index, size - 1]
  for (const sibling of hashesOf(claim.proof)) {
    if (last === 0) throw wrongLength('inclusion', claim.proof)
    const right = isOdd(node) || node === last
    if (right) {
      hash = nodeHash(sibling, hash)
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[node, last] = [half(node), half(last)]
  }
  if (last !== 0) throw wrongLength('inclusion', claim.proof)
  expectRoot(hash, claim.root, `the proof of leaf ${index} in a tree of ${size}`)
}

/**
 * Verifies a consistency proof. Equal sizes need equal roots and no proof. From the empty tree nothing can be proven, since every
 * tree extends it (RFC 9162 §2.1.4 begins at one leaf): such a claim is refused, see {@link expectEmptyTree}.
 * @throws TranslogError `SIZE_INVALID` where `from` is larger than `to`, or zero and smaller, `HASH_MALFORMED`, `PROOF_MALFORMED`,
 * `PROOF_INVALID`.
 */
export function verifyConsistency(claim: ConsistencyClaim): void {
  const { from, to } = claim
  expectCount(to, 'newer tree size')
  if (expectCount(from, 'older tree size') > to)
    throw new TranslogError('SIZE_INVALID', `a tree of ${to} leaves cannot extend one of ${from}`)
  // Where nothing is computed from a root it must be a hash all the same.
  expectHash(claim.fromRoot, 'older root')
  expectHash(claim.toRoot, 'newer root')
  if (from === to) {
    if (from === 0) expectRoot(emptyRoot(), claim.fromRoot, 'the empty tree')
    expectRoot(claim.fromRoot, claim.toRoot, `the same tree of ${to}`)
    if (claim.proof.length !== 0) throw wrongLength('consistency', claim.proof)
    return
  }
  if (from === 0)
    throw new TranslogError('SIZE_INVALID', `nothing proves that a tree of ${to} extends the empty one`)
  const [fromRoot, toRoot] = rootsOf(claim)
  expectRoot(fromRoot, claim.fromRoot, `the proof's tree of ${from}`)
  expectRoot(toRoot, claim.toRoot, `the proof's tree of ${to}`)
}

/**
 * Checks that what is said to be the empty tree is it: all that can be checked of a tree that extends it.
 * @throws TranslogError `HASH_MALFORMED`, `PROOF_MALFORMED` where a proof came with it, `PROOF_INVALID`.
 */
export function expectEmptyTree(root: Uint8Array, proof: readonly Uint8Array[]): void {
  expectRoot(emptyRoot(), expectHash(root, 'older root'), 'the empty tree')
  if (proof.length !== 0) throw wrongLength('consistency', proof)
}

// RFC 9162 §2.1.4.2 steps 2 to 6: one walk computes both roots. 0 < from < to.
function rootsOf({ from, fromRoot, to, proof }: ConsistencyClaim): [MerkleHash, MerkleHash] {
  let [node, last] = [from - 1, to - 1]
  while (isOdd(node)) [node, last] = [half(node), half(last)]
  // Where the older tree is complete its root is the first node of the walk, and the proof leaves it out.
  const hashes = hashesOf(node === 0 ? [fromRoot, ...proof] : proof)
  const [first, ...rest] = hashes
  if (first === undefined) throw wrongLength('consistency', proof)
  let [older, newer] = [first, first]
  for (const hash of rest) {
    if (last === 0) throw wrongLength('consistency', proof)
    if (isOdd(node) || node === last) {
      older = nodeHash(hash, older)
      newer = nodeHash(hash, newer)
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else {
      newer = nodeHash(newer, hash)
    }
    ;[node, last] = [half(node), half(last)]
  }
  if (last !== 0) throw wrongLength('consistency', proof)
  return [older, newer]
}

function hashesOf(proof: readonly Uint8Array[]): MerkleHash[] {
  return proof.map((hash, i) => expectHash(hash, `proof hash ${i}`))
}

function expectRoot(seen: Uint8Array, expected: Uint8Array, what: string): void {
  if (!equalBytes(seen, expectHash(expected, 'root')))
    throw new TranslogError('PROOF_INVALID', `${what} has root ${toHex(seen)}; expected ${toHex(expected)}`)
}

function wrongLength(kind: string, proof: readonly Uint8Array[]): TranslogError {
  return new TranslogError(
    'PROOF_MALFORMED',
    `${proof.length} hashes are not an ${kind} proof between these sizes`,
  )
}

// Shifts would cut positions to 32 bits.
function half(position: number): number {
  return Math.floor(position / 2)
}

function isOdd(position: number): boolean {
  return position % 2 === 1
}
