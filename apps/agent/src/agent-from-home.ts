/** The composition root: an agent from the files of its home, over its own store or the one that its daemon holds. */
import { thumbprintOf, type SigningKey, type Verified } from '#libs/canonical'
import type { TrustedHardware } from '#libs/attestation'
import { CoordinatorClient } from '#libs/client'
import { verifyIdentityChain, type Identity } from '#libs/protocol'
import type { Agent, DaemonKeys } from './agent.js'
import { collateralSourceOf } from './collateral/fetching.js'
import { ControlClient } from './control/control-client.js'
import { readBounded } from './durable-file.js'
import { AgentError } from './errors.js'
import { expectHome, readConfig, readHouseRules, type Home } from './home.js'
import { daemonKeysOf, parseDaemonSecrets, type DaemonSecrets } from './keys/key-ring.js'
import { openFile, type ScryptCost, type Unlock } from './keys/sealed-file.js'
import { AgentStore } from './store/agent-store.js'
import { LevelStore } from './store/level-store.js'
import type { RawStore } from './store/raw-store.js'
import { spaces } from './store/records.js'

/** What an opened home takes from outside. */
export interface Surroundings {
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly signal: AbortSignal
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
  readonly hardware: TrustedHardware
  /** Tests alone. */
  readonly scryptCost?: ScryptCost
}

export interface OpenHome {
  readonly agent: Agent
  readonly secrets: DaemonSecrets
  /** the values as they lie on disk; the control server serves them */
  readonly raw: RawStore
  /** the daemon that holds the store, where there is one */
  readonly daemon: ControlClient | null
  close(): Promise<void>
}

/** How long a command waits for another command to be done with the store. */
const retries = 100
const retryMilliseconds = 50

/**
 * Opens the agent of a home.
 * @throws AgentError `HOME_INVALID`, `CONFIG_INVALID`, `KEY_STORE_LOCKED`, `KEY_STORE_MALFORMED`, `STORE_IN_USE`, `STORE_DAMAGED`.
 */
export async function openHome(
  home: Home,
  unlock: Unlock,
  surroundings: Surroundings,
  report: Agent['report'],
  options: { readonly alone?: boolean } = {},
): Promise<OpenHome> {
  await expectHome(home)
  const made = await readAgent(home, unlock, surroundings)
  const { raw, daemon } = await openStore(home, surroundings, options.alone === true)
  try {
    return { ...(await made(raw, surroundings.signal, report)), raw, daemon, close: () => raw.close() }
  } catch (error) {
    await raw.close()
    throw error
  }
}

/**
 * The agent of a home anew, with the keys and house rules that are now on disk, over a store that stays open: no command is
 * cut off, and nothing that was held in memory about the log is lost by a restart that is none.
 * @throws AgentError as {@link openHome}.
 */
export async function reopenAgent(
  home: Home,
  unlock: Unlock,
  surroundings: Surroundings,
  report: Agent['report'],
  raw: RawStore,
): Promise<Agent> {
  const made = await readAgent(home, unlock, surroundings)
  return (await made(raw, surroundings.signal, report)).agent
}

type MakeAgent = (
  raw: RawStore,
  signal: AbortSignal,
  report: Agent['report'],
) => Promise<{ readonly agent: Agent; readonly secrets: DaemonSecrets }>

async function readAgent(home: Home, unlock: Unlock, surroundings: Surroundings): Promise<MakeAgent> {
  const config = await readConfig(home)
  const secrets = await readDaemonSecrets(home, unlock, config.party, surroundings)
  const keys = await daemonKeysOf(secrets)
  const { now, randomBytes, hardware } = surroundings
  return async (raw, signal, report) => {
    const store = AgentStore.over(raw, keys.storeKey, randomBytes)
    const identity = await ownIdentity(store, config.party)
    const daemonKey = activeKey(keys.daemonKeys, identity)
    const client = new CoordinatorClient({
      url: config.coordinator,
      origin: config.log.origin,
      key: daemonKey,
      now,
      randomBytes,
      signal,
    })
    const daemonKeys: DaemonKeys = { party: config.party, identity, daemonKey, sealingKeys: keys.sealingKeys }
    const houseRules = await readHouseRules(home)
    return {
      agent: {
        config,
        keys: daemonKeys,
        store,
        client,
        houseRules,
        appraisal: {
          ...hardware,
          collateral: collateralSourceOf(config, home.collateral, { now, report, signal }),
        },
        now,
        randomBytes,
        report,
      },
      secrets,
    }
  }
}

async function readDaemonSecrets(
  home: Home,
  unlock: Unlock,
  party: string,
  { scryptCost }: Surroundings,
): Promise<DaemonSecrets> {
  const opened = await openFile(await readBounded(home.daemonKey, 262_144), {
    kind: 'daemon',
    unlock,
    where: home.daemonKey,
    ...(scryptCost === undefined ? {} : { minimumN: scryptCost.N }),
  })
  if (opened.party !== party)
    throw new AgentError(
      'KEY_STORE_MALFORMED',
      `${home.daemonKey} belongs to party ${opened.party}; ${home.config} is of ${party}: files of two homes are mixed`,
    )
  return parseDaemonSecrets(opened.secret)
}

async function openStore(
  home: Home,
  { wait }: Surroundings,
  alone: boolean,
): Promise<{ raw: RawStore; daemon: ControlClient | null }> {
  for (let attempt = 0; ; attempt++) {
    const daemon = await ControlClient.connect(home.socket)
    if (daemon !== null && !alone) {
      // A daemon of another version would be answered by closing; here it is told.
      await daemon.hello()
      return { raw: daemon, daemon }
    }
    if (daemon !== null) {
      const { pid, since } = await daemon.hello()
      await daemon.close()
      throw new AgentError(
        'STORE_IN_USE',
        `a daemon already runs on ${home.folder} (process ${pid}, since ${since})`,
      )
    }
    try {
      return { raw: await LevelStore.open(home.store), daemon: null }
    } catch (error) {
      // Another command is at work for a moment, or a daemon is about to listen.
      if (!(error instanceof AgentError) || error.code !== 'STORE_IN_USE' || attempt >= retries) throw error
      await wait(retryMilliseconds)
    }
  }
}

async function ownIdentity(store: AgentStore, party: string): Promise<Verified<Identity>> {
  const own = await store.get(spaces.identities, party)
  if (own === undefined)
    throw new AgentError('STORE_DAMAGED', "the store holds no Identity of this agent's own: restore a backup")
  return (await verifyIdentityChain(own.statements, party)).newest
}

/** The daemon key that the newest Identity names; a newer one waits until its Identity is recorded. */
function activeKey(keys: readonly SigningKey[], identity: Verified<Identity>): SigningKey {
  const named = thumbprintOf(identity.payload.daemonKey)
  const key = keys.find(({ thumbprint }) => thumbprint === named)
  if (key !== undefined) return key
  throw new AgentError(
    'KEY_STORE_MALFORMED',
    `daemon.key does not hold key ${named}, which the newest Identity names: restore a backup`,
  )
}
