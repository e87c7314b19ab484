/**
 * Under which keys a contract's witnesses may have cosigned. A party that renewed its daemon key since has cosigned older
 * checkpoints with the key before; a key that was replaced before there was anything to cosign counts for nothing.
 */
import type { PublicKey, Thumbprint } from '#libs/canonical'
import { findCosignature, parseNote } from '#libs/translog'
import type { Agent } from '../agent.js'
import { findLeaf, witnessName } from './log-follower.js'
import type { VerifiedContract } from './verify-contract.js'

/** A witness by the name and key under which it cosigned a note, or where it did not, under its newest key. */
export interface WitnessKey {
  readonly name: string
  readonly key: PublicKey
}

/**
 * The witnesses of a note that holds the log's entry `index`.
 * @throws TranslogError `NOTE_MALFORMED`, `COSIGNATURE_INVALID`.
 */
export async function witnessKeys(
  agent: Agent,
  contract: VerifiedContract,
  parties: readonly Thumbprint[],
  note: string,
  index: number,
): Promise<readonly WitnessKey[]> {
  const parsed = parseNote(note)
  return await Promise.all(
    parties.map(async (party) => {
      const name = witnessName(contract.terms.log.origin, party)
      const keys = await keysSince(agent, contract, party, index)
      for (const key of keys)
        if ((await findCosignature(parsed, { name, key })) !== undefined) return { name, key }
      return { name, key: contract.chainOf(party).newest.payload.daemonKey }
    }),
  )
}

/** The daemon keys of a party from the one that counted when an entry was recorded, the newest first. */
async function keysSince(
  agent: Agent,
  contract: VerifiedContract,
  party: Thumbprint,
  index: number,
): Promise<readonly PublicKey[]> {
  const keys: PublicKey[] = []
  for (const link of contract.chainOf(party).links.toReversed()) {
    keys.push(link.payload.daemonKey)
    const recordedAt = (await findLeaf(agent, link.digest))?.index
    if (recordedAt !== undefined && recordedAt < index) break
  }
  return keys
}
