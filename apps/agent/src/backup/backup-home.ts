/**
 * An agent in one file, sealed under a passphrase: configuration, house rules, keys, and every record of its store. Guards what
 * is in it; says nothing about how old it is, which is why a restored agent first learns from the log what it has done since.
 */
import { fromUtf8, canonicalBytes, fromBase64url, parseCanonical, toBase64url } from '#libs/canonical'
import { z } from 'zod'
import { agentConfigSchema } from '../config.js'
import { houseRulesSchema } from '../consent/house-rules.js'
import { readBounded, writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { makeHome, readHouseRules, type Home } from '../home.js'
import type { OpenHome } from '../agent-from-home.js'
import { encodeDaemonSecrets, parseDaemonSecrets } from '../keys/key-ring.js'
import { openFile, sealFile, type ScryptCost, type Unlock } from '../keys/sealed-file.js'
import { AgentStore, type Change } from '../store/agent-store.js'
import { LevelStore } from '../store/level-store.js'
import { spaces } from '../store/records.js'

const contentSchema = z.strictObject({
  version: z.literal(1),
  madeAt: z.string(),
  config: agentConfigSchema,
  houseRules: houseRulesSchema,
  /** as it lies on disk: under its own passphrase */
  consentKey: z.string(),
  daemonSecrets: z.string(),
  store: z.array(z.tuple([z.string(), z.string()])),
})

const maximumBackupBytes = 2 ** 28
const writesAtOnce = 1000

export interface BackupSurroundings {
  readonly now: () => number
  readonly randomBytes: (length: number) => Uint8Array
  readonly scryptCost?: ScryptCost
}

/** The text of a backup. */
export async function makeBackup(
  home: Home,
  open: OpenHome,
  unlock: Unlock,
  surroundings: BackupSurroundings,
): Promise<string> {
  const store: [string, string][] = []
  for (const { name } of Object.values(spaces))
    for await (const [key, value] of open.raw.entries(`${name}!`, `${name}!\uffff`))
      store.push([key, toBase64url(value)])
  const content: z.input<typeof contentSchema> = {
    version: 1,
    madeAt: new Date(surroundings.now()).toISOString(),
    config: open.agent.config,
    houseRules: await readHouseRules(home),
    consentKey: fromUtf8(await readBounded(home.consentKey, 4096)),
    daemonSecrets: toBase64url(encodeDaemonSecrets(open.secrets)),
    store,
  }
  const cost = surroundings.scryptCost === undefined ? {} : { cost: surroundings.scryptCost }
  return await sealFile(canonicalBytes(content), {
    kind: 'backup',
    party: open.agent.keys.party,
    unlock,
    randomBytes: surroundings.randomBytes,
    ...cost,
  })
}

export interface Restoring {
  readonly backup: Unlock
  /** what the daemon's keys are sealed under from now on */
  readonly daemonUnlock: Unlock
  readonly keyFile: string | undefined
}

/**
 * Makes a home from a backup, and marks it as restored. The configuration is written last.
 * @throws AgentError `KEY_STORE_LOCKED`, `KEY_STORE_MALFORMED`, `HOME_INVALID`.
 */
export async function restoreBackup(
  home: Home,
  bytes: Uint8Array,
  { backup, daemonUnlock, keyFile }: Restoring,
  surroundings: BackupSurroundings,
): Promise<{ readonly party: string; readonly madeAt: string }> {
  const { scryptCost, randomBytes } = surroundings
  const minimumN = scryptCost === undefined ? {} : { minimumN: scryptCost.N }
  const { secret, party } = await openFile(bytes, {
    kind: 'backup',
    unlock: backup,
    where: 'the backup',
    ...minimumN,
  })
  const content = readContent(secret)
  await makeHome(home)
  const daemonSecrets = fromBase64url(content.daemonSecrets)
  const storeKey = fromBase64url(parseDaemonSecrets(daemonSecrets).store)
  await restoreStore(home, content.store, storeKey, randomBytes)
  const cost = scryptCost === undefined ? {} : { cost: scryptCost }
  const daemonKey = await sealFile(daemonSecrets, {
    kind: 'daemon',
    party,
    unlock: daemonUnlock,
    randomBytes,
    ...cost,
  })
  await writeDurably(home.daemonKey, daemonKey, { replace: false })
  await writeDurably(home.consentKey, content.consentKey, { replace: false })
  await writeDurably(home.houseRules, `${JSON.stringify(content.houseRules, null, 2)}\n`, { replace: false })
  const { version, name, coordinator, log } = content.config
  const written = { version, name, party, coordinator, log, ...(keyFile === undefined ? {} : { keyFile }) }
  await writeDurably(home.config, `${JSON.stringify(written, null, 2)}\n`, { replace: false })
  return { party, madeAt: content.madeAt }
}

function readContent(secret: Uint8Array): z.infer<typeof contentSchema> {
  const content = contentSchema.safeParse(parseCanonical(secret))
  if (content.success) return content.data
  const fields = content.error.issues.slice(0, 3).map(({ path }) => path.slice(0, 2).join('.') || 'the whole')
  throw new AgentError(
    'KEY_STORE_MALFORMED',
    `the backup does not hold what this version restores (${fields.join(', ')})`,
  )
}

async function restoreStore(
  home: Home,
  entries: readonly (readonly [string, string])[],
  storeKey: Uint8Array,
  randomBytes: (length: number) => Uint8Array,
): Promise<void> {
  const raw = await LevelStore.open(home.store)
  try {
    for (let at = 0; at < entries.length; at += writesAtOnce)
      await raw.batch(
        entries.slice(at, at + writesAtOnce).map(([key, value]) => ({ key, value: fromBase64url(value) })),
      )
    await markRestored(AgentStore.over(raw, storeKey, randomBytes))
  } finally {
    await raw.close()
  }
}

/** Says in a store that it comes from a backup: it may remember less than this agent did. */
export async function markRestored(store: AgentStore): Promise<void> {
  // Until it has caught up with the log it accepts, spends and releases nothing; a sole owner gives a count by hand.
  await store.write(store.put(spaces.state, 'restored', 'uncounted'), ...(await closeSpentRuns(store)))
}

// Whether a key was released after the backup is not in it, so a run that was spent on gets none any more.
async function closeSpentRuns(store: AgentStore): Promise<readonly Change[]> {
  const spent = new Set((await store.list(spaces.spends)).map(([key]) => key.split('/')[0]))
  return (await store.list(spaces.runs))
    .filter(([run, { outcome }]) => spent.has(run) && outcome === null)
    .map(([run, record]) => store.put(spaces.runs, run, { ...record, adopted: true }))
}

/** Reads a backup file. */
export async function readBackup(path: string): Promise<Uint8Array> {
  return await readBounded(path, maximumBackupBytes)
}
