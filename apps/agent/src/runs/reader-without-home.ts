/**
 * Reads a record on a machine where no agent lives. The keys are of the moment and speak for nobody; what is trusted is what a person
 * gave: the log's name and key, and the parties whose keys they compared.
 */
import { noCollateral, type TrustedHardware } from '#libs/attestation'
import { signingKeyFromSeed, type PublicKey, type Thumbprint } from '#libs/canonical'
import { CoordinatorClient } from '#libs/client'
import { generateSealingKeyPair } from '#libs/envelope'
import type { Agent } from '../agent.js'
import { strictHouseRules } from '../consent/house-rules.js'
import { makeIdentity } from '../identity/make-identity.js'
import { AgentStore } from '../store/agent-store.js'
import { MemoryStore } from '../store/memory-store.js'
import { spaces } from '../store/records.js'

export interface ReaderAnchors {
  readonly origin: string
  readonly logKey: PublicKey
  /** As the record shows it: it counts where its thumbprint is the one that the contract names. */
  readonly coordinatorKey: PublicKey
  readonly pinned: ReadonlyMap<Thumbprint, string>
}

export async function readerWithoutHome(
  { origin, logKey, coordinatorKey, pinned }: ReaderAnchors,
  { now, randomBytes, hardware }: Pick<Agent, 'now' | 'randomBytes'> & { readonly hardware: TrustedHardware },
): Promise<Agent> {
  const [consent, daemonKey] = await Promise.all([randomBytes(32), randomBytes(32)].map(signingKeyFromSeed))
  if (consent === undefined || daemonKey === undefined) throw new RangeError('two keys')
  const sealing = await generateSealingKeyPair(randomBytes)
  const party = consent.thumbprint
  const identity = await makeIdentity(
    consent,
    {
      log: origin,
      name: 'reader',
      daemonKey: daemonKey.publicKey,
      sealingKey: sealing.publicKey,
      recovery: party,
    },
    null,
    { now, randomBytes },
  )
  const store = AgentStore.over(new MemoryStore(), randomBytes(32), randomBytes)
  const pinnedAt = new Date(now()).toISOString()
  await store.write(...[...pinned].map(([key, label]) => store.put(spaces.pins, key, { label, pinnedAt })))
  // There is no coordinator: the address is nobody's, and whoever reads offline does not use it.
  const url = 'http://127.0.0.1:9'
  return {
    config: { version: 1, name: 'reader', party, coordinator: url, log: { origin, logKey, coordinatorKey } },
    keys: { party, identity, daemonKey, sealingKeys: [sealing] },
    store,
    client: new CoordinatorClient({
      url,
      origin,
      key: daemonKey,
      now,
      randomBytes,
      signal: AbortSignal.abort(),
    }),
    houseRules: strictHouseRules,
    // An earlier verdict is repeated with the collateral of its record.
    appraisal: { ...hardware, collateral: noCollateral },
    now,
    randomBytes,
    report: () => undefined,
  }
}
