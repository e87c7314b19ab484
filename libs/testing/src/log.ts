import {
  fromBase64url,
  signingKeyFromSeed,
  toHex,
  type SigningKey,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import {
  addSignatures,
  cosign,
  encodeLeaf,
  leafHash,
  MerkleTree,
  runPseudonym,
  signCheckpoint,
  signerPseudonym,
  verifySignedCheckpoint,
  type LogLeaf,
} from '#libs/translog'
import { testOrigin, type Party } from './party.js'
import { seededBytes } from './random.js'

/** A log in memory that does whatever a test asks, and whose keys sign whatever it shows. */
export interface TestLog {
  readonly origin: string
  readonly key: SigningKey
  /** Signs Activations. */
  readonly coordinatorKey: SigningKey
  readonly size: () => number
  /** Appends a leaf for a statement and returns its index; the same statement again keeps its index. */
  append(type: StatementType, statement: Pick<Verified<unknown>, 'digest'>, names: LeafNames): number
  indexOf(digest: string): number | null
  /** The signed note of the newest tree, cosigned by these parties' daemon keys. */
  checkpoint(cosigners: readonly Party[]): Promise<{ size: number; root: string; note: string }>
  inclusion(digest: string, size: number): { index: number; size: number; proof: string[] }
}

/** Who and which run a leaf names, and under which contract's secret; null for what has none. */
export interface LeafNames {
  readonly secret: string | null
  readonly signer: string
  readonly run: string | null
}

/** The name under which a party cosigns. */
export function witnessName(origin: string, thumbprint: string): string {
  return `${origin}/witness/${thumbprint}`
}

export async function aLog(origin = testOrigin): Promise<TestLog> {
  const randomBytes = seededBytes(`log/${origin}`)
  const key = await signingKeyFromSeed(randomBytes(32))
  const coordinatorKey = await signingKeyFromSeed(randomBytes(32))
  const tree = new MerkleTree()
  const indexes = new Map<string, number>()
  return {
    origin,
    key,
    coordinatorKey,
    size: () => tree.size,
    indexOf: (digest) => indexes.get(digest) ?? null,
    append: (type, { digest }, names) => {
      const known = indexes.get(digest)
      if (known !== undefined) return known
      const index = tree.append(leafHash(encodeLeaf(leafOf(type, digest, names))))
      indexes.set(digest, index)
      return index
    },
    checkpoint: async (cosigners) => {
      const root = tree.root()
      const note = await signCheckpoint({ origin, size: tree.size, root }, key)
      const signed = await verifySignedCheckpoint(note, { origin, key: key.publicKey })
      const lines = await Promise.all(
        cosigners.map((party) =>
          cosign(signed, {
            name: witnessName(origin, party.thumbprint),
            key: party.daemon,
            timeSeconds: Math.floor(party.clock.now() / 1000),
          }),
        ),
      )
      return { size: tree.size, root: toHex(root), note: addSignatures(note, lines) }
    },
    inclusion: (digest, size) => {
      const index = indexes.get(digest)
      if (index === undefined || index >= size)
        throw new RangeError(`${digest} is not in a tree of ${size} leaves`)
      return { index, size, proof: tree.proveInclusion(index, size).map(toHex) }
    },
  }
}

/** The leaf of a statement. */
export function leafOf(type: StatementType, digest: string, { secret, signer, run }: LeafNames): LogLeaf {
  const key = secret === null ? null : fromBase64url(secret)
  return {
    version: 1,
    type,
    digest,
    signer: key === null ? null : signerPseudonym(key, signer),
    run: key === null || run === null ? null : runPseudonym(key, run),
  }
}
