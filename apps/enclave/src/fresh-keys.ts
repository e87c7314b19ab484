/**
 * The keys of one round: made in the enclave, never outside it, used for one Offer. They are made ahead of time, so that a round does
 * not wait for them; which run they will serve is not known then.
 */
import { signingKeyFromSeed, type SigningKey } from '#libs/canonical'
import { generateSealingKeyPair, type SealingKeyPair } from '#libs/envelope'

export interface FreshKeys {
  /** Opens what data owners release to this Offer. */
  readonly sealing: SealingKeyPair
  /** Signs Offer, Evidence, Start, Receipt and OutputKeys. */
  readonly receipt: SigningKey
}

/** Gives fresh keys, each pair once. The first are made at once, further ones when they are asked for. */
export function freshKeys(randomBytes: (length: number) => Uint8Array): () => Promise<FreshKeys> {
  let ahead: Promise<FreshKeys> | null = makeKeys(randomBytes)
  // A failure shows to whoever takes the keys; until then nobody listens.
  ahead.catch(() => undefined)
  return () => {
    const taken = ahead ?? makeKeys(randomBytes)
    ahead = null
    return taken
  }
}

async function makeKeys(randomBytes: (length: number) => Uint8Array): Promise<FreshKeys> {
  const [sealing, receipt] = await Promise.all([
    generateSealingKeyPair(randomBytes),
    signingKeyFromSeed(randomBytes(32)),
  ])
  return { sealing, receipt }
}
