/**
 * Proofs of transparency-dev/merkle (its folder testdata): a file of one case or of many. Inclusion has leafIdx, treeSize, root and
 * leafHash, consistency size1, size2, root1 and root2; both have proof and wantErr. Judged by the verifiers of `#libs/translog`.
 */
import { z } from 'zod'
import { hashLength, verifyConsistency, verifyInclusion } from '#libs/translog'
import type { NotUsed, VectorCase, VectorKind } from './kind.js'
import { base64Bytes, isRecord, readAs } from './reading.js'
import { verdictOf } from './verdict.js'

const described = {
  proof: z
    .array(base64Bytes)
    .nullable()
    .transform((hashes) => hashes ?? []),
  wantErr: z.boolean(),
  file: z.string().optional(),
  desc: z.string().optional(),
}
const inclusion = z.object({
  ...described,
  leafIdx: z.number(),
  treeSize: z.number(),
  root: base64Bytes,
  leafHash: base64Bytes,
})
const consistency = z.object({
  ...described,
  size1: z.number(),
  size2: z.number(),
  root1: base64Bytes,
  root2: base64Bytes,
})

export const merkle: VectorKind = {
  name: 'Merkle proofs (transparency-dev/merkle)',
  looksFor: 'JSON of {leafIdx, treeSize, … wantErr} or {size1, size2, … wantErr}, one object or an array',
  recognise({ json }) {
    const vectors: unknown[] = Array.isArray(json) ? json : [json]
    const [first] = vectors
    if (!isRecord(first)) return undefined
    const known = 'leafIdx' in first || 'size1' in first || ('wantErr' in first && 'proof' in first)
    if (!known) return undefined
    return { cases: () => casesOf(vectors) }
  },
}

function* casesOf(vectors: readonly unknown[]): Generator<VectorCase | NotUsed> {
  for (const [index, vector] of vectors.entries()) yield caseOf(vector, index)
}

function caseOf(vector: unknown, index: number): VectorCase | NotUsed {
  if (isRecord(vector) && 'leafIdx' in vector) return inclusionCase(vector, index)
  if (isRecord(vector) && 'size1' in vector) return consistencyCase(vector, index)
  return {
    notUsed: 'a proof that is neither of inclusion nor of consistency',
    why: 'the log proves leaves and older trees, no subtrees',
    cases: 1,
  }
}

function inclusionCase(value: unknown, index: number): VectorCase | NotUsed {
  const vector = readAs(inclusion, value, `inclusion case ${index}`)
  const { leafHash, root, proof } = vector
  const claim = { leafHash, index: vector.leafIdx, size: vector.treeSize, root, proof }
  return judged(vector, index, [claim.index, claim.size], [leafHash, root], () => {
    verifyInclusion(claim)
  })
}

function consistencyCase(value: unknown, index: number): VectorCase | NotUsed {
  const vector = readAs(consistency, value, `consistency case ${index}`)
  const { size1: from, size2: to, root1: fromRoot, root2: toRoot, proof } = vector
  return judged(vector, index, [from, to], [fromRoot, toRoot], () => {
    verifyConsistency({ from, fromRoot, to, toRoot, proof })
  })
}

function judged(
  { wantErr, file, desc }: { readonly wantErr: boolean; readonly file?: string; readonly desc?: string },
  index: number,
  counts: readonly number[],
  hashes: readonly Uint8Array[],
  verify: () => void,
): VectorCase | NotUsed {
  // Upstream's verifier compares roots of any length and counts beyond 2^53; ours refuses both, whoever sends them.
  if (!wantErr && hashes.some(({ length }) => length !== hashLength))
    return {
      notUsed: 'a root that is no SHA-256 hash',
      why: `the log has hashes of ${hashLength} bytes`,
      cases: 1,
    }
  if (!wantErr && !counts.every(Number.isSafeInteger))
    return { notUsed: 'a tree of 2^53 leaves or more', why: 'the log counts to 2^53 - 1', cases: 1 }
  return {
    id: file ?? desc ?? `case ${index}`,
    expected: wantErr ? 'refused' : 'accepted',
    see: () => verdictOf(verify),
  }
}
