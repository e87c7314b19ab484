/**
 * New daemon or sealing keys under the same consent key. The keys are on disk before the Identity that names them is sent, and
 * the Identity is kept until the coordinator has recorded it, so that a crash between loses neither.
 */
import {
  fromBase64url,
  signingKeyFromSeed,
  toBase64url,
  type SigningKey,
  type Verified,
} from '#libs/canonical'
import { ClientError, CoordinatorClient } from '#libs/client'
import { sealingKeyPairFromSeed } from '#libs/envelope'
import { verifyIdentityChain, type Identity } from '#libs/protocol'
import type { Agent } from '../agent.js'
import { writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import type { Home } from '../home.js'
import { encodeDaemonSecrets, type DaemonSecrets } from '../keys/key-ring.js'
import { sealFile, type ScryptCost, type Unlock } from '../keys/sealed-file.js'
import { spaces } from '../store/records.js'
import { makeIdentity } from './make-identity.js'

/** Name of the Identity in the space `state` that was signed and is not yet known to be recorded. */
const pendingName = 'pendingIdentity'

export interface Renewal {
  readonly home: Home
  readonly secrets: DaemonSecrets
  readonly unlock: Unlock
  readonly daemon: boolean
  readonly sealing: boolean
  readonly scryptCost?: ScryptCost | undefined
}

/** Renews keys, or finishes a renewal that was interrupted. */
export async function renewIdentity(
  agent: Agent,
  consent: SigningKey,
  renewal: Renewal,
): Promise<Verified<Identity>> {
  return await agent.store.exclusively('identity', async () => {
    const pending = await agent.store.get(spaces.state, pendingName)
    if (pending !== undefined) return await publish(agent, pending, renewal.secrets)
    if (consent.thumbprint !== agent.keys.party)
      throw new AgentError(
        'KEY_STORE_MALFORMED',
        `consent.key is of party ${consent.thumbprint}; expected ${agent.keys.party}`,
      )
    const secrets = await writeNewSecrets(agent, renewal)
    const identity = await signNext(agent, consent, secrets)
    await agent.store.write(agent.store.put(spaces.state, pendingName, identity.jws))
    return await publish(agent, identity.jws, secrets)
  })
}

async function writeNewSecrets(
  agent: Agent,
  { home, secrets, unlock, scryptCost, ...which }: Renewal,
): Promise<DaemonSecrets> {
  const seed = () => toBase64url(agent.randomBytes(32))
  const next: DaemonSecrets = {
    ...secrets,
    daemon: which.daemon ? [seed(), ...secrets.daemon].slice(0, 100) : secrets.daemon,
    sealing: which.sealing ? [seed(), ...secrets.sealing].slice(0, 100) : secrets.sealing,
  }
  const cost = scryptCost === undefined ? {} : { cost: scryptCost }
  const options = {
    kind: 'daemon' as const,
    party: agent.keys.party,
    unlock,
    randomBytes: agent.randomBytes,
    ...cost,
  }
  await writeDurably(home.daemonKey, await sealFile(encodeDaemonSecrets(next), options), { replace: true })
  return next
}

async function signNext(
  agent: Agent,
  consent: SigningKey,
  secrets: DaemonSecrets,
): Promise<Verified<Identity>> {
  const { payload } = agent.keys.identity
  const daemon = await signingKeyFromSeed(fromBase64url(secrets.daemon[0] ?? ''))
  const sealing = await sealingKeyPairFromSeed(fromBase64url(secrets.sealing[0] ?? ''))
  const keys = {
    name: payload.name,
    log: payload.log,
    daemonKey: daemon.publicKey,
    sealingKey: sealing.publicKey,
    recovery: payload.recovery,
  }
  return await makeIdentity(consent, keys, agent.keys.identity, agent)
}

async function publish(agent: Agent, jws: string, secrets: DaemonSecrets): Promise<Verified<Identity>> {
  await record(agent, jws, secrets)
  const known = await agent.store.get(spaces.identities, agent.keys.party)
  const statements = [...(known?.statements ?? []).filter((statement) => statement !== jws), jws]
  const chain = await verifyIdentityChain(statements, agent.keys.party)
  await agent.store.write(
    agent.store.put(spaces.identities, agent.keys.party, {
      statements,
      ids: chain.links.map(({ id }) => id),
    }),
    agent.store.remove(spaces.state, pendingName),
  )
  return chain.newest
}

async function record(agent: Agent, jws: string, secrets: DaemonSecrets): Promise<void> {
  try {
    await agent.client.record(jws)
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'COORDINATOR_REFUSED') throw error
    // Where an earlier attempt was recorded and its answer lost, only the new key is still listened to.
    const key = await signingKeyFromSeed(fromBase64url(secrets.daemon[0] ?? ''))
    if (key.thumbprint === agent.keys.daemonKey.thumbprint) throw error
    await new CoordinatorClient({ ...agent.client.connection, key }).record(jws).catch(() => {
      throw error
    })
  }
}
