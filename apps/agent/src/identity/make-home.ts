/** Makes a new agent: its keys, its first Identity, its store. What is there already is never overwritten. */
import { fromBase64url, signingKeyFromSeed, type SigningKey, type Verified } from '#libs/canonical'
import { sealingKeyPairFromSeed } from '#libs/envelope'
import type { Identity } from '#libs/protocol'
import type { AgentConfig } from '../config.js'
import { exists, writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { makeHome, type Home } from '../home.js'
import { encodeDaemonSecrets, encodeSeed, makeDaemonSecrets } from '../keys/key-ring.js'
import { sealFile, type ScryptCost, type SealedKind, type Unlock } from '../keys/sealed-file.js'
import { AgentStore } from '../store/agent-store.js'
import { spaces } from '../store/records.js'
import { makeIdentity } from './make-identity.js'

export interface NewAgent {
  readonly name: string
  readonly coordinator: string
  readonly log: AgentConfig['log']
  readonly passphrase: Unlock
  readonly daemonUnlock: Unlock
  readonly keyFile: string | undefined
  readonly recoveryFile: string
}

export interface MakingSurroundings {
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly scryptCost?: ScryptCost
}

/**
 * Makes the agent. The configuration is written last: without it there is no agent in the folder.
 * @throws AgentError `HOME_INVALID` where there is one already, `FILE_UNREADABLE`.
 */
export async function makeAgentHome(
  home: Home,
  plan: NewAgent,
  surroundings: MakingSurroundings,
): Promise<Verified<Identity>> {
  await expectEmpty(home, plan.recoveryFile)
  await makeHome(home)
  const { randomBytes } = surroundings
  const seeds = { consent: randomBytes(32), recovery: randomBytes(32) }
  const consent = await signingKeyFromSeed(seeds.consent)
  const secrets = makeDaemonSecrets(randomBytes)
  const identity = await firstIdentity(consent, seeds.recovery, secrets, plan, surroundings)
  const salt = randomBytes(32)
  const seal = async (kind: SealedKind, unlock: Unlock, secret: Uint8Array, path: string) => {
    const cost = surroundings.scryptCost === undefined ? {} : { cost: surroundings.scryptCost }
    const text = await sealFile(secret, {
      kind,
      party: consent.thumbprint,
      unlock,
      randomBytes,
      salt,
      ...cost,
    })
    await writeDurably(path, text, { replace: false })
  }
  await seal('recovery', plan.passphrase, encodeSeed(seeds.recovery), plan.recoveryFile)
  await seal('consent', plan.passphrase, encodeSeed(seeds.consent), home.consentKey)
  await seal('daemon', plan.daemonUnlock, encodeDaemonSecrets(secrets), home.daemonKey)
  await storeIdentity(home, fromBase64url(secrets.store), identity, randomBytes)
  const config: AgentConfig = {
    version: 1,
    name: plan.name,
    party: consent.thumbprint,
    coordinator: plan.coordinator,
    log: plan.log,
    ...(plan.keyFile === undefined ? {} : { keyFile: plan.keyFile }),
  }
  await writeDurably(home.config, `${JSON.stringify(config, null, 2)}\n`, { replace: false })
  return identity
}

async function expectEmpty(home: Home, recoveryFile: string): Promise<void> {
  for (const path of [home.config, home.consentKey, home.daemonKey, home.store, recoveryFile])
    if (await exists(path))
      throw new AgentError(
        'HOME_INVALID',
        `${path} exists already: nothing was made. Name another folder with --home, or move it away`,
      )
}

async function firstIdentity(
  consent: SigningKey,
  recoverySeed: Uint8Array,
  secrets: ReturnType<typeof makeDaemonSecrets>,
  plan: NewAgent,
  surroundings: MakingSurroundings,
): Promise<Verified<Identity>> {
  const [daemonSeed, sealingSeed] = [secrets.daemon[0], secrets.sealing[0]]
  if (daemonSeed === undefined || sealingSeed === undefined) throw new RangeError('a daemon has keys')
  const daemon = await signingKeyFromSeed(fromBase64url(daemonSeed))
  const sealing = await sealingKeyPairFromSeed(fromBase64url(sealingSeed))
  const recovery = await signingKeyFromSeed(recoverySeed)
  const keys = {
    name: plan.name,
    log: plan.log.origin,
    daemonKey: daemon.publicKey,
    sealingKey: sealing.publicKey,
    recovery: recovery.thumbprint,
  }
  return await makeIdentity(consent, keys, null, surroundings)
}

async function storeIdentity(
  home: Home,
  storeKey: Uint8Array,
  identity: Verified<Identity>,
  randomBytes: (length: number) => Uint8Array,
): Promise<void> {
  const store = await AgentStore.open(home.store, storeKey, randomBytes)
  try {
    const record = { statements: [identity.jws], ids: [identity.id] }
    await store.write(store.put(spaces.identities, identity.payload.by, record))
  } finally {
    await store.close()
  }
}
