import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError, toHex, utf8 } from '#libs/canonical'
import { slow } from '#libs/testing'
import { TranslogError, type TranslogErrorCode } from './errors.js'
import { Frontier, rootOf } from './frontier.js'
import { emptyRoot, leafHash, nodeHash, type MerkleHash } from './merkle-hash.js'
import { MerkleTree } from './merkle-tree.js'
import { proveRoot } from './prove.js'
import { verifyConsistency, verifyInclusion } from './verify.js'

const leaves = Array.from({ length: 300 }, (_, i) => utf8(`leaf ${i}`))
const hashes = leaves.map(leafHash)
const tree = MerkleTree.fromLeafHashes(hashes)
const roots = Array.from({ length: 301 }, (_, size) => tree.root(size))

// RFC 6962 §2.1 word for word, with another SHA-256, as the second opinion.
function naiveRoot(items: readonly Uint8Array[]): string {
  const [only] = items
  if (only === undefined) return createHash('sha256').digest('hex')
  if (items.length === 1) return createHash('sha256').update(Uint8Array.of(0)).update(only).digest('hex')
  let split = 1
  while (split * 2 < items.length) split *= 2
  const [left, right] = [naiveRoot(items.slice(0, split)), naiveRoot(items.slice(split))]
  return createHash('sha256')
    .update(Uint8Array.of(1))
    .update(Buffer.from(left + right, 'hex'))
    .digest('hex')
}

// RFC 6962 §2.1.1 word for word.
function naivePath(index: number, items: readonly Uint8Array[]): string[] {
  if (items.length === 1) return []
  let split = 1
  while (split * 2 < items.length) split *= 2
  return index < split
    ? [...naivePath(index, items.slice(0, split)), naiveRoot(items.slice(split))]
    : [...naivePath(index - split, items.slice(split)), naiveRoot(items.slice(0, split))]
}

// RFC 6962 §2.1.2 word for word.
function naiveSubproof(from: number, items: readonly Uint8Array[], known: boolean): string[] {
  if (from === items.length) return known ? [] : [naiveRoot(items)]
  let split = 1
  while (split * 2 < items.length) split *= 2
  return from <= split
    ? [...naiveSubproof(from, items.slice(0, split), known), naiveRoot(items.slice(split))]
    : [...naiveSubproof(from - split, items.slice(split), false), naiveRoot(items.slice(0, split))]
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    if (!(error instanceof TranslogError)) throw error
    return error.code
  }
}

describe('the tree of RFC 6962', () => {
  it('has the root of the naive recursion for every size up to 300', () => {
    for (let size = 0; size <= 300; size++) {
      const expected = naiveRoot(leaves.slice(0, size))
      expect(toHex(tree.root(size))).toBe(expected)
      expect(toHex(rootOf(hashes.slice(0, size)))).toBe(expected)
    }
  })

  it('has the empty hash as the root of no leaves', () => {
    expect(new MerkleTree().root()).toEqual(emptyRoot())
    expect(Frontier.empty.root()).toEqual(emptyRoot())
  })

  it('tells a leaf from a node', () => {
    const [left, right] = [hashes[0]!, hashes[1]!]
    expect(toHex(leafHash(new Uint8Array([...left, ...right])))).not.toBe(toHex(nodeHash(left, right)))
  })

  it('asks for few nodes and finds the right ones in a tree of nearly 2^48 leaves', () => {
    const asked: [number, number][] = []
    proveRoot(
      (level, index) => {
        asked.push([level, index])
        return leafHash(utf8(`${level}/${index}`))
      },
      2 ** 48 - 1,
    )
    expect(asked).toHaveLength(48)
    expect(asked[0]).toEqual([47, 0])
    expect(
      asked.every(([level, index]) => Number.isSafeInteger(index) && (index + 1) * 2 ** level <= 2 ** 48),
    ).toBe(true)
  })

  it('keeps old roots and proofs while it grows', () => {
    const growing = new MerkleTree()
    hashes.forEach((hash, i) => {
      expect(growing.append(hash)).toBe(i)
      expect(growing.root()).toEqual(roots[i + 1])
      expect(growing.root(i)).toEqual(roots[i])
    })
    expect(growing.leafHash(17)).toEqual(hashes[17])
  })

  it('refuses what is not there', () => {
    expect(codeOf(() => tree.root(301))).toBe('SIZE_INVALID')
    expect(codeOf(() => tree.root(-1))).toBe('SIZE_INVALID')
    expect(codeOf(() => tree.root(1.5))).toBe('SIZE_INVALID')
    expect(codeOf(() => tree.leafHash(300))).toBe('SIZE_INVALID')
    expect(codeOf(() => tree.proveInclusion(5, 5))).toBe('SIZE_INVALID')
    expect(codeOf(() => tree.proveConsistency(6, 5))).toBe('SIZE_INVALID')
    expect(codeOf(() => new MerkleTree().append(new Uint8Array(31)))).toBe('HASH_MALFORMED')
  })
})

describe('inclusion proofs', () => {
  it('verify for every leaf of every tree up to 257, as the RFC has them', () => {
    const largest = 257
    for (let size = 1; size <= largest; size++)
      for (let index = 0; index < size; index++) {
        const proof = tree.proveInclusion(index, size)
        verifyInclusion({ leafHash: hashes[index]!, index, size, root: roots[size]!, proof })
        if (size <= 40 || slow) expect(proof.map(toHex)).toEqual(naivePath(index, leaves.slice(0, size)))
      }
  })

  it('fit no other leaf, index, size or root, for every leaf of every small tree', () => {
    for (let size = 1; size <= (slow ? 40 : 20); size++)
      for (let index = 0; index < size; index++) {
        const base = {
          leafHash: hashes[index]!,
          index,
          size,
          root: roots[size]!,
          proof: tree.proveInclusion(index, size),
        }
        for (let other = 0; other < size + 5; other++) {
          if (other !== index) {
            expect(
              codeOf(() => {
                verifyInclusion({ ...base, index: other })
              }),
            ).toBeDefined()
            expect(
              codeOf(() => {
                verifyInclusion({ ...base, leafHash: hashes[other]! })
              }),
            ).toBe('PROOF_INVALID')
          }
          if (other !== size)
            expect(
              codeOf(() => {
                verifyInclusion({ ...base, root: roots[other]! })
              }),
            ).toBe('PROOF_INVALID')
        }
      }
  })

  type Claim = Parameters<typeof verifyInclusion>[0]
  const base: Claim = {
    leafHash: hashes[5]!,
    index: 5,
    size: 11,
    root: roots[11]!,
    proof: tree.proveInclusion(5, 11),
  }
  const mutations: [string, Partial<Claim>, TranslogErrorCode][] = [
    ['a hash too few', { proof: base.proof.slice(1) }, 'PROOF_MALFORMED'],
    ['a hash too many', { proof: [...base.proof, hashes[0]!] }, 'PROOF_MALFORMED'],
    ['no hashes', { proof: [] }, 'PROOF_MALFORMED'],
    ['a hash of 31 bytes', { proof: [base.proof[0]!.slice(1), ...base.proof.slice(1)] }, 'HASH_MALFORMED'],
    ['hashes in another order', { proof: [...base.proof].reverse() }, 'PROOF_INVALID'],
    ['a leaf outside the tree', { index: 11 }, 'SIZE_INVALID'],
    ['a negative index', { index: -1 }, 'SIZE_INVALID'],
    ['an index that is no integer', { index: 5.5 }, 'SIZE_INVALID'],
    ['an index that is not a number', { index: Number.NaN }, 'SIZE_INVALID'],
    ['a size beyond 2^53', { size: 2 ** 53 }, 'SIZE_INVALID'],
    ['an empty tree', { size: 0, index: 0 }, 'SIZE_INVALID'],
    ['a root of 0 bytes', { root: new Uint8Array() }, 'HASH_MALFORMED'],
    ['a leaf hash of 33 bytes', { leafHash: new Uint8Array(33) }, 'HASH_MALFORMED'],
    ['another root', { root: roots[12]! }, 'PROOF_INVALID'],
  ]
  it.each(mutations)('are refused with %s', (_name, mutation, code) => {
    expect(
      codeOf(() => {
        verifyInclusion(base)
      }),
    ).toBeUndefined()
    expect(
      codeOf(() => {
        verifyInclusion({ ...base, ...mutation })
      }),
    ).toBe(code)
  })

  it('fail when one bit of one hash differs', () => {
    base.proof.forEach((hash, i) => {
      const flipped = Uint8Array.from(hash)
      flipped[i % 32]! ^= 1 << (i % 8)
      const proof = base.proof.map((kept, j) => (j === i ? flipped : kept))
      expect(
        codeOf(() => {
          verifyInclusion({ ...base, proof })
        }),
      ).toBe('PROOF_INVALID')
    })
  })
})

describe('consistency proofs', () => {
  it('verify for every pair of sizes up to 130, as the RFC has them', () => {
    const largest = slow ? 260 : 130
    for (let to = 0; to <= largest; to++)
      for (let from = to === 0 ? 0 : 1; from <= to; from++) {
        const proof = tree.proveConsistency(from, to)
        verifyConsistency({ from, fromRoot: roots[from]!, to, toRoot: roots[to]!, proof })
        if (from > 0 && to <= 40)
          expect(proof.map(toHex)).toEqual(naiveSubproof(from, leaves.slice(0, to), true))
      }
  })

  it('fit no other sizes or roots, for every pair up to 20', () => {
    for (let to = 1; to <= 20; to++)
      for (let from = 1; from < to; from++) {
        const proof = tree.proveConsistency(from, to)
        const base = { from, fromRoot: roots[from]!, to, toRoot: roots[to]!, proof }
        for (let other = 0; other <= 22; other++) {
          if (other !== from)
            expect(
              codeOf(() => {
                verifyConsistency({ ...base, fromRoot: roots[other]! })
              }),
            ).toBe('PROOF_INVALID')
          if (other !== to)
            expect(
              codeOf(() => {
                verifyConsistency({ ...base, toRoot: roots[other]! })
              }),
            ).toBe('PROOF_INVALID')
          if (other !== from)
            expect(
              codeOf(() => {
                verifyConsistency({ ...base, from: other })
              }),
            ).toBeDefined()
        }
      }
  })

  type Claim = Parameters<typeof verifyConsistency>[0]
  const base: Claim = {
    from: 6,
    fromRoot: roots[6]!,
    to: 13,
    toRoot: roots[13]!,
    proof: tree.proveConsistency(6, 13),
  }
  const rewritten = MerkleTree.fromLeafHashes(
    hashes.slice(0, 13).map((hash, i) => (i === 2 ? hashes[99]! : hash)),
  )
  const mutations: [string, Partial<Claim>, TranslogErrorCode][] = [
    ['a hash too few', { proof: base.proof.slice(0, -1) }, 'PROOF_MALFORMED'],
    ['a hash too many', { proof: [...base.proof, hashes[0]!] }, 'PROOF_MALFORMED'],
    ['no hashes', { proof: [] }, 'PROOF_MALFORMED'],
    ['sizes the wrong way round', { from: 13, to: 6 }, 'SIZE_INVALID'],
    ['a size that is no integer', { from: 6.5 }, 'SIZE_INVALID'],
    ['a proof for equal sizes', { to: 6, toRoot: roots[6]! }, 'PROOF_MALFORMED'],
    ['equal sizes with other roots', { to: 6, proof: [] }, 'PROOF_INVALID'],
    ['the empty tree, which proves nothing', { from: 0, fromRoot: emptyRoot(), proof: [] }, 'SIZE_INVALID'],
    ['a proof from the empty tree', { from: 0, fromRoot: emptyRoot() }, 'SIZE_INVALID'],
    ['an empty tree with the root of another', { from: 0, proof: [] }, 'SIZE_INVALID'],
    [
      'two empty trees with the root of another',
      { from: 0, to: 0, toRoot: roots[6]!, proof: [] },
      'PROOF_INVALID',
    ],
    ['roots of 31 bytes', { fromRoot: roots[6]!.slice(1) }, 'HASH_MALFORMED'],
    [
      'an empty tree and a newer root of 12 bytes',
      { from: 0, fromRoot: emptyRoot(), toRoot: roots[13]!.slice(20), proof: [] },
      'HASH_MALFORMED',
    ],
    [
      'a log that rewrote a leaf',
      { toRoot: rewritten.root(), proof: rewritten.proveConsistency(6) },
      'PROOF_INVALID',
    ],
  ]
  it.each(mutations)('are refused with %s', (_name, mutation, code) => {
    expect(
      codeOf(() => {
        verifyConsistency(base)
      }),
    ).toBeUndefined()
    expect(
      codeOf(() => {
        verifyConsistency({ ...base, ...mutation })
      }),
    ).toBe(code)
  })

  it('never let anything but a TranslogError out, whatever a peer sends', () => {
    const hash = fc.uint8Array({ minLength: 30, maxLength: 33 })
    const count = fc.oneof(fc.nat(70), fc.double(), fc.maxSafeInteger())
    const claim = fc.record({
      from: count,
      fromRoot: hash,
      to: count,
      toRoot: hash,
      proof: fc.array(hash, { maxLength: 9 }),
    })
    fc.assert(
      fc.property(claim, (foreign) => {
        const code = codeOf(() => {
          verifyConsistency(foreign)
        })
        return foreign.from === foreign.to || code !== undefined
      }),
      { numRuns: slow ? 50_000 : 3_000 },
    )
  })
})

describe('a frontier', () => {
  it('reaches the root of the tree however the leaves are cut into steps', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40), { maxLength: 12 }), (steps) => {
        let frontier = Frontier.empty
        for (const step of steps) {
          const from = frontier.size
          frontier = Frontier.parse(frontier.extend(hashes.slice(from, from + step)).serialize())
        }
        return frontier.is(frontier.size, roots[frontier.size]!)
      }),
      { numRuns: slow ? 5_000 : 300 },
    )
  })

  it('stays as it was when a step fails', () => {
    const frontier = Frontier.empty.extend(hashes.slice(0, 7))
    expect(codeOf(() => frontier.extend([hashes[7]!, new Uint8Array(3)]))).toBe('HASH_MALFORMED')
    expect(frontier.is(7, roots[7]!)).toBe(true)
    expect(frontier.extend([hashes[7]!]).is(8, roots[8]!)).toBe(true)
    expect(frontier.is(7, roots[7]!)).toBe(true)
  })

  it('reads back exactly what it wrote, and nothing that is shorter or longer', () => {
    for (let size = 0; size <= 70; size++) {
      const bytes = Frontier.empty.extend(hashes.slice(0, size)).serialize()
      expect(Frontier.parse(bytes).serialize()).toEqual(bytes)
      for (const wrong of [bytes.slice(0, -1), bytes.slice(1), new Uint8Array([...bytes, 0])])
        expect(codeOf(() => Frontier.parse(wrong))).toBe('FRONTIER_MALFORMED')
    }
    expect(codeOf(() => Frontier.parse(new Uint8Array(8).fill(0xff)))).toBe('FRONTIER_MALFORMED')
  })

  it('reads from the middle of a larger buffer', () => {
    const bytes = Frontier.empty.extend(hashes.slice(0, 5)).serialize()
    const padded = new Uint8Array(bytes.length + 20)
    padded.set(bytes, 10)
    expect(Frontier.parse(padded.subarray(10, 10 + bytes.length)).is(5, roots[5]!)).toBe(true)
  })

  it('never lets anything but a coded error out of its parser', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          return toHex(Frontier.parse(bytes).serialize()) === toHex(bytes)
        } catch (error) {
          return error instanceof CodedError
        }
      }),
      { numRuns: slow ? 50_000 : 2_000 },
    )
  })
})

describe('a hash column', () => {
  it('is read by copy, so nobody can change the tree through a proof', () => {
    const own = MerkleTree.fromLeafHashes(hashes.slice(0, 4))
    const before = toHex(own.root())
    for (const hash of own.proveInclusion(1)) hash.fill(0)
    own.leafHash(0).fill(0)
    const root: MerkleHash = own.root()
    root.fill(0)
    expect(toHex(own.root())).toBe(before)
  })
})
