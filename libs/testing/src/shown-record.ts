/** What the log's keeper shows of a made history, and how a test changes one statement of it. */
import {
  signStatement,
  toBase64url,
  toHex,
  utf8,
  type StatementKind,
  type StatementType,
} from '#libs/canonical'
import { statementKinds, statementRules } from '#libs/protocol'
import {
  addSignatures,
  cosign,
  encodeLeaf,
  leafHash,
  MerkleTree,
  signCheckpoint,
  verifySignedCheckpoint,
} from '#libs/translog'
import { leafOf, witnessName } from './log.js'
import type { MadeHistory, MadeStatement } from './history.js'

/** What the log's keeper shows of it. */
export interface ShownRecord {
  readonly leaves: string[]
  readonly identities: { thumbprint: string; statements: string[] }[]
  readonly statements: { type: StatementType; statement: string; attachment: string | null }[]
  readonly checkpoints: string[]
}

const leafTexts = new WeakMap<MadeStatement, string>()

function leafTextOf(made: MadeStatement): string {
  const known = leafTexts.get(made)
  if (known !== undefined) return known
  const { type, statement, names } = made
  const text = new TextDecoder().decode(encodeLeaf(leafOf(type, statement.digest, names)))
  leafTexts.set(made, text)
  return text
}

const trees = new WeakMap<MadeStatement, MerkleTree>()

/** The root over the first leaves. The tree of a growing list is kept under its first statement, so that each leaf is hashed once. */
export function rootOf(made: readonly MadeStatement[], size: number): string {
  const [first] = made
  if (first === undefined) throw new RangeError('no statements')
  const tree = trees.get(first) ?? new MerkleTree()
  trees.set(first, tree)
  const logged = made.filter((one) => one.logged)
  for (const one of logged.slice(tree.size, size)) tree.append(leafHash(utf8(leafTextOf(one))))
  return toHex(tree.root(size))
}

/**
 * Shows a history: leaves of the statements in the order given, bodies beside them, and the checkpoints signed over the tree that
 * these leaves make. `bodies` leaves out what is not to be shown; the leaf stays.
 */
export async function shownRecord(
  { log, parties, made, checkpoints }: MadeHistory,
  bodies: (made: MadeStatement) => boolean = () => true,
): Promise<ShownRecord> {
  const logged = made.filter((one) => one.logged)
  const leaves = logged.map(leafTextOf)
  const tree = MerkleTree.fromLeafHashes(leaves.map((leaf) => leafHash(utf8(leaf))))
  const notes: string[] = []
  for (const { size, cosigners } of checkpoints) {
    const at = Math.min(size, tree.size)
    const note = await signCheckpoint({ origin: log.origin, size: at, root: tree.root(at) }, log.key)
    const signed = await verifySignedCheckpoint(note, { origin: log.origin, key: log.key.publicKey })
    const lines = await Promise.all(
      cosigners.map((party) =>
        cosign(signed, {
          name: witnessName(log.origin, party.thumbprint),
          key: party.daemon,
          timeSeconds: Math.floor(party.clock.now() / 1000),
        }),
      ),
    )
    notes.push(lines.length === 0 ? note : addSignatures(note, lines))
  }
  return {
    leaves,
    identities: Object.values(parties).map(({ thumbprint, chain }) => ({
      thumbprint,
      statements: [...chain],
    })),
    statements: made
      .filter((one) => one.type !== 'identity' && bodies(one))
      .map(({ type, statement, attachment }) => ({
        type,
        statement: statement.jws,
        attachment: attachment === null ? null : toBase64url(attachment),
      })),
    checkpoints: notes,
  }
}

const partyKinds: Partial<Record<StatementType, StatementKind<unknown>>> = statementKinds

/** A party's statement of a history anew, with other fields and a salt of its own, signed by the same key. */
export async function resigned(
  { parties }: MadeHistory,
  made: MadeStatement,
  change: object,
): Promise<MadeStatement> {
  const kind = partyKinds[made.type]
  const party = Object.values(parties).find(({ thumbprint }) => thumbprint === made.names.signer)
  if (kind === undefined || party === undefined) throw new RangeError(`no party signs a ${made.type}`)
  const key = statementRules[made.type].authority.key === 'daemon' ? party.daemon : party.consent
  const payload = {
    ...(made.statement.payload as object),
    salt: toBase64url(party.randomBytes(32)),
    ...change,
  }
  return { ...made, statement: await signStatement(kind, payload, key) }
}
