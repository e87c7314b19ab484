/** The folder in which an agent lives: which file stands where, and how they are read. */
import { chmod, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { agentConfigSchema, type AgentConfig } from './config.js'
import { houseRulesSchema, strictHouseRules, type HouseRules } from './consent/house-rules.js'
import { exists, readBounded, reasonOf } from './durable-file.js'
import { AgentError } from './errors.js'

export interface Home {
  readonly folder: string
  readonly config: string
  readonly houseRules: string
  readonly consentKey: string
  readonly daemonKey: string
  readonly store: string
  readonly socket: string
  /** sealed segments that are on their way to the coordinator */
  readonly outbox: string
  /** certificates and lists that evidence of hardware needs; one file for what one piece of evidence asks for */
  readonly collateral: string
}

/** Paths below a home. */
export function homeAt(folder: string): Home {
  return {
    folder,
    config: join(folder, 'config.json'),
    houseRules: join(folder, 'house-rules.json'),
    consentKey: join(folder, 'consent.key'),
    daemonKey: join(folder, 'daemon.key'),
    store: join(folder, 'store'),
    socket: join(folder, 'control.sock'),
    outbox: join(folder, 'outbox'),
    collateral: join(folder, 'collateral'),
  }
}

/**
 * Makes the folder, for its owner alone.
 * @throws AgentError `HOME_INVALID`.
 */
export async function makeHome(home: Home): Promise<void> {
  try {
    await mkdir(home.folder, { recursive: true, mode: 0o700 })
    await chmod(home.folder, 0o700)
  } catch (cause) {
    throw new AgentError('HOME_INVALID', `${home.folder} cannot be made: ${reasonOf(cause)}`, { cause })
  }
}

/**
 * Refuses a home that others on this machine can look into.
 * @throws AgentError `HOME_INVALID`.
 */
export async function expectHome(home: Home): Promise<void> {
  if (!(await exists(home.config)))
    throw new AgentError(
      'HOME_INVALID',
      `${home.folder} holds no agent: make one with \`sealroom init\`, or name another folder with --home`,
    )
  const { mode } = await stat(home.folder)
  if ((mode & 0o077) !== 0)
    throw new AgentError(
      'HOME_INVALID',
      `${home.folder} must be open to its owner alone (mode 0700); seen 0${(mode & 0o777).toString(8)}. Mend: chmod 700 ${home.folder}`,
    )
}

/** @throws AgentError `CONFIG_INVALID`. */
export async function readConfig(home: Home): Promise<AgentConfig> {
  return await readJson(home.config, agentConfigSchema)
}

/** The house rules of a home; without a file the strict ones hold. */
export async function readHouseRules(home: Home): Promise<HouseRules> {
  return (await exists(home.houseRules))
    ? await readJson(home.houseRules, houseRulesSchema)
    : strictHouseRules
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await readBounded(path, 1_000_000))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new AgentError(
      'CONFIG_INVALID',
      `${path} is not JSON: ${cause instanceof Error ? cause.message : ''}`,
      { cause },
    )
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
  throw new AgentError('CONFIG_INVALID', `${path} is not as it must be: ${issues.join('; ')}`)
}
