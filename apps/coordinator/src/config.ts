/**
 * Configuration: flags first, then the environment, then safe defaults. All mistakes are told at once. Secrets are given as
 * paths, never as values.
 */
import { z } from 'zod'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { StartError } from './errors.js'

const seconds = z.coerce.number().min(0.05).max(86_400)
const count = z.coerce.number().int().min(1)
const yes = z.union([
  z.boolean(),
  z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1'),
])

/** Every setting: its environment variable, its meaning and its default. The README's table is made from it. */
export const settings = {
  dataFolder: {
    variable: 'SEALROOM_DATA',
    schema: z.string().min(1),
    about: 'folder for keys, blobs and the embedded database',
  },
  port: {
    variable: 'SEALROOM_PORT',
    schema: z.coerce.number().int().min(0).max(65_535),
    about: 'TCP port; 0 takes a free one',
  },
  host: {
    variable: 'SEALROOM_HOST',
    schema: z.string().min(1).default('127.0.0.1'),
    about: 'address to listen on',
  },
  origin: {
    variable: 'SEALROOM_ORIGIN',
    schema: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9._/:-]{0,148}[a-z0-9])?$/, 'expected a name like log.example.org/1'),
    about: 'name of the log; never changes',
  },
  behindTlsProxy: {
    variable: 'SEALROOM_BEHIND_TLS_PROXY',
    schema: yes.default(false),
    about: 'a proxy in front speaks TLS; allows a host off loopback',
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    schema: z
      .string()
      .regex(/^postgres(?:ql)?:\/\//, 'expected postgresql://…')
      .optional(),
    about: 'PostgreSQL; without it an embedded database in the data folder',
  },
  operatorTokenFile: {
    variable: 'SEALROOM_OPERATOR_TOKEN_FILE',
    schema: z.string().min(1).optional(),
    about: "file with the operator's token; made in the data folder by default",
  },
  enrolmentFile: {
    variable: 'SEALROOM_ENROLMENT_FILE',
    schema: z.string().min(1).optional(),
    about: 'file with the secret by which workers enrol; made in the data folder by default',
  },
  logLevel: {
    variable: 'SEALROOM_LOG_LEVEL',
    schema: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('warn'),
    about: 'what is written to standard error, as JSON lines',
  },
  nonceSeconds: {
    variable: 'SEALROOM_NONCE_SECONDS',
    schema: seconds.default(20),
    about: 'how long a round waits for every owner’s nonce',
  },
  offerSeconds: {
    variable: 'SEALROOM_OFFER_SECONDS',
    schema: seconds.default(30),
    about: 'how long a round waits for the Offer and its evidence',
  },
  workerSilentSeconds: {
    variable: 'SEALROOM_WORKER_SILENT_SECONDS',
    schema: seconds.default(45),
    about: 'a reserved worker that asks for nothing this long is lost',
  },
  outputKeysSeconds: {
    variable: 'SEALROOM_OUTPUT_KEYS_SECONDS',
    schema: seconds.default(60),
    about: 'how long a recorded Receipt waits for the output keys',
  },
  maximumRounds: {
    variable: 'SEALROOM_MAXIMUM_ROUNDS',
    schema: count.max(1000).default(10),
    about: 'rounds of one run before it ends as expired',
  },
  sweepMilliseconds: {
    variable: 'SEALROOM_SWEEP_MILLISECONDS',
    schema: count.max(60_000).default(200),
    about: 'how often deadlines are looked at',
  },
  maximumWaitSeconds: {
    variable: 'SEALROOM_MAXIMUM_WAIT_SECONDS',
    schema: seconds.default(30),
    about: 'longest wait of a long poll',
  },
  pingSeconds: {
    variable: 'SEALROOM_PING_SECONDS',
    schema: seconds.default(10),
    about: 'a WebSocket that does not answer a ping until the next is closed',
  },
  requestsPerSecond: {
    variable: 'SEALROOM_REQUESTS_PER_SECOND',
    schema: count.default(500),
    about: 'sustained rate of one caller',
  },
  uploadBytesPerParty: {
    variable: 'SEALROOM_UPLOAD_BYTES_PER_PARTY',
    schema: count.default(1024 ** 4),
    about: 'ciphertext that one party may keep here',
  },
  uploadBytesMaximum: {
    variable: 'SEALROOM_UPLOAD_BYTES_MAXIMUM',
    schema: count.default(64 * 1024 ** 3),
    about: 'largest single blob',
  },
  openUploadsPerParty: {
    variable: 'SEALROOM_OPEN_UPLOADS_PER_PARTY',
    schema: count.max(100_000).default(200),
    about: 'unfinished uploads of one party',
  },
} as const satisfies Record<string, Setting>

interface Setting {
  readonly variable: string
  readonly schema: z.ZodType
  readonly about: string
}

type Settings = typeof settings

/** The validated configuration. */
export type Config = Readonly<{ [Name in keyof Settings]: z.output<Settings[Name]['schema']> }>

/**
 * Reads flags and environment.
 * @throws StartError `CONFIG_INVALID` naming every setting that is wrong; `PLAIN_HTTP_OFF_LOOPBACK`.
 */
export function loadConfig(
  flags: Readonly<Partial<Record<keyof Settings, unknown>>>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const values: Record<string, unknown> = {}
  const mistakes: string[] = []
  for (const [name, { variable, schema }] of Object.entries(settings) as [keyof Settings, Setting][]) {
    const given = flags[name] ?? environment[variable]
    const parsed = schema.safeParse(given === '' ? undefined : given)
    if (parsed.success) values[name] = parsed.data
    else
      mistakes.push(
        given === undefined || given === ''
          ? `${flagOf(name)} (or ${variable}) is missing: ${settings[name].about}`
          : `${flagOf(name)} (or ${variable}): ${parsed.error.issues[0]?.message ?? 'not valid'}`,
      )
  }
  if (mistakes.length > 0) throw new StartError('CONFIG_INVALID', mistakes.join('\n'))
  const config = Object.freeze({
    ...values,
    dataFolder: resolve(String(values['dataFolder'])),
  }) as unknown as Config
  if (!isLoopbackAddress(config.host) && !config.behindTlsProxy)
    throw new StartError(
      'PLAIN_HTTP_OFF_LOOPBACK',
      `listening on ${config.host} would carry messages in the clear; use a loopback address, or --behind-tls-proxy where a proxy in front speaks TLS`,
    )
  return config
}

/** The settings that have a flag: all but the database's address, which holds a password. */
export function serveFlags(): readonly {
  readonly flag: string
  readonly takesValue: boolean
  readonly about: string
}[] {
  return (Object.keys(settings) as (keyof Settings)[])
    .filter((name) => name !== 'databaseUrl')
    .map((name) => ({
      flag: flagOf(name),
      takesValue: name !== 'behindTlsProxy',
      about: settings[name].about,
    }))
}

/** The settings as a Markdown table, for the README. */
export function settingsTable(): string {
  const rows = (Object.entries(settings) as [string, Setting][]).map(
    ([name, { variable, schema, about }]) => {
      const known = schema.safeParse(undefined)
      const byDefault =
        known.success && known.data !== undefined
          ? `\`${JSON.stringify(known.data).replaceAll('"', '')}\``
          : known.success
            ? ''
            : 'required'
      return `| ${name === 'databaseUrl' ? '' : `\`${flagOf(name)}\``} | \`${variable}\` | ${byDefault} | ${about} |`
    },
  )
  return ['| flag | variable | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

/** Whether an address can only be reached from this machine. */
export function isLoopbackAddress(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

function flagOf(name: string): string {
  const flags: Record<string, string> = { dataFolder: '--data' }
  return flags[name] ?? `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
