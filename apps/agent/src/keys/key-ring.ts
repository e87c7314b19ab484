/** The secrets inside an agent's sealed files, and the keys they become. */
import { z } from 'zod'
import {
  canonicalBytes,
  fromBase64url,
  parseCanonical,
  signingKeyFromSeed,
  toBase64url,
  type SigningKey,
} from '#libs/canonical'
import { sealingKeyPairFromSeed, type SealingKeyPair } from '#libs/envelope'
import { bytesSchema } from '#libs/protocol'
import { AgentError } from '../errors.js'

const seedSchema = bytesSchema(32)

/** Of the daemon's seeds the newest comes first; older sealing keys still open what was sealed to them. */
const daemonSecretsSchema = z.strictObject({
  daemon: z.array(seedSchema).min(1).max(100),
  sealing: z.array(seedSchema).min(1).max(100),
  store: seedSchema,
})

const singleSchema = z.strictObject({ seed: seedSchema })

/** Seeds, in base64url. Never logged. */
export type DaemonSecrets = z.infer<typeof daemonSecretsSchema>

/** Fresh secrets for a daemon. */
export function makeDaemonSecrets(randomBytes: (length: number) => Uint8Array): DaemonSecrets {
  const seed = () => toBase64url(randomBytes(32))
  return { daemon: [seed()], sealing: [seed()], store: seed() }
}

export function encodeDaemonSecrets(secrets: DaemonSecrets): Uint8Array {
  return canonicalBytes(secrets)
}

/** @throws AgentError `KEY_STORE_MALFORMED`. */
export function parseDaemonSecrets(bytes: Uint8Array): DaemonSecrets {
  return parsedAs(daemonSecretsSchema, bytes)
}

/** One seed, as consent and recovery files hold it. */
export function encodeSeed(seed: Uint8Array): Uint8Array {
  return canonicalBytes({ seed: toBase64url(seed) })
}

/**
 * The signing key of a consent or recovery file.
 * @throws AgentError `KEY_STORE_MALFORMED`.
 */
export async function signingKeyIn(bytes: Uint8Array): Promise<SigningKey> {
  return await signingKeyFromSeed(fromBase64url(parsedAs(singleSchema, bytes).seed))
}

/** The keys of a daemon's secrets, the newest first. */
export async function daemonKeysOf(secrets: DaemonSecrets): Promise<{
  readonly daemonKeys: readonly SigningKey[]
  readonly sealingKeys: readonly SealingKeyPair[]
  readonly storeKey: Uint8Array
}> {
  return {
    daemonKeys: await Promise.all(secrets.daemon.map((seed) => signingKeyFromSeed(fromBase64url(seed)))),
    sealingKeys: await Promise.all(
      secrets.sealing.map((seed) => sealingKeyPairFromSeed(fromBase64url(seed))),
    ),
    storeKey: fromBase64url(secrets.store),
  }
}

function parsedAs<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  const secrets = schema.safeParse(parseCanonical(bytes))
  if (secrets.success) return secrets.data
  // Nothing of what was read is told: it is secret.
  throw new AgentError(
    'KEY_STORE_MALFORMED',
    'an opened key file does not hold the keys that it should: restore a backup',
  )
}
