/** Which keys spoke for a party at which place of the log. */
import {
  CodedError,
  thumbprintOf,
  type PublicKey,
  type StatementType,
  type Thumbprint,
} from '#libs/canonical'
import {
  partyKey,
  statementRules,
  verifyIdentityChain,
  type Identity,
  type IdentityChainMessage,
} from '#libs/protocol'
import { broken, open, type FindingList } from './finding.js'
import type { Act } from './history.js'
import type { ShownLog } from './read-log.js'

/** A party's Identities at their places in the log, oldest first. */
export type PlacedIdentities = ReadonlyMap<Thumbprint, readonly Act<Identity>[]>

/** Verifies the Identities of parties link by link, and that the log has each of them, in their order. */
export async function readIdentities(
  messages: readonly IdentityChainMessage[],
  parties: readonly Thumbprint[],
  log: ShownLog,
  findings: FindingList,
): Promise<PlacedIdentities> {
  const placed = new Map<Thumbprint, readonly Act<Identity>[]>()
  for (const party of new Set(parties)) {
    const message = messages.find(({ thumbprint }) => thumbprint === party)
    placed.set(party, message === undefined ? [] : await readChain(message, log, findings))
    if (message === undefined)
      findings.add(
        'identity.chain',
        open(null, `the keys of ${party}`, 'no Identity of this party was shown'),
      )
  }
  return placed
}

async function readChain(
  { thumbprint, statements }: IdentityChainMessage,
  log: ShownLog,
  findings: FindingList,
): Promise<readonly Act<Identity>[]> {
  const place = { index: null, type: 'identity', id: thumbprint } as const
  try {
    const { links } = await verifyIdentityChain(statements, thumbprint)
    const placed: Act<Identity>[] = []
    for (const statement of links) {
      const { id, digest, payload } = statement
      const index = log.placeOf.get(digest)
      if (index === undefined) {
        findings.add('record.logged', broken({ ...place, id }, 'every Identity in the log', 'no such entry'))
        continue
      }
      const before = placed.at(-1)?.index ?? -1
      if (index < before)
        findings.add('identity.chain', broken({ ...place, index, id }, `a place after ${before}`, `${index}`))
      placed.push({ type: 'identity', index, id, payload, issuedAt: Date.parse(payload.issuedAt), statement })
    }
    return placed
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    findings.add(
      'identity.chain',
      broken(place, 'Identities under one consent key, each naming the one before', error.message),
    )
    return []
  }
}

/** The key by which a party may make a statement at a place, or why the one that signed may not. */
export type KeyAtPlace =
  { readonly key: PublicKey; readonly fault: string | null } | { readonly key: null; readonly fault: string }

const thumbprints = new WeakMap<PublicKey, Thumbprint>()

/**
 * Finds the key that signed among a party's Identities. It must be the one that the newest Identity before the place names for such an
 * act: a key that was replaced counts for nothing that comes after.
 */
export function keyAt(
  links: readonly Act<Identity>[],
  type: StatementType,
  kid: Thumbprint,
  index: number,
): KeyAtPlace {
  const named = ({ payload }: Act<Identity>) =>
    statementRules[type].authority.key === 'daemon' ? payload.daemonKey : payload.consentKey
  // A key may outlive a renewal of another one: where the log has it first is what counts.
  const link = links.find((candidate) => thumbprintOfKey(named(candidate)) === kid)
  if (link === undefined) return { key: null, fault: `a key ${kid} that no Identity of the party names` }
  const { payload } = link
  try {
    const key = partyKey(payload, type)
    const newest = links.findLast((candidate) => candidate.index < index)
    if (newest === undefined || link.index > index)
      return { key, fault: `a key that the log has only from entry ${link.index} on` }
    if (thumbprintOfKey(named(newest)) !== kid)
      return { key, fault: `a key that entry ${newest.index} replaced` }
    return { key: partyKey(newest.payload, type), fault: null }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return { key: null, fault: error.message }
  }
}

function thumbprintOfKey(key: PublicKey): Thumbprint {
  const known = thumbprints.get(key)
  if (known !== undefined) return known
  const thumbprint = thumbprintOf(key)
  thumbprints.set(key, thumbprint)
  return thumbprint
}
