/**
 * The runtime data of an Azure confidential VM: the attestation key of its vTPM, and how the VM was set up. Read only once its
 * hash was verified.
 */
import { z } from 'zod'
import { AttestationError } from '../errors.js'
import {
  expectObject,
  memberOf,
  objectIn,
  parseForeignJson,
  type ForeignObject,
} from '../json/foreign-json.js'

const base64url = z.string().regex(/^[A-Za-z0-9_-]{1,2000}$/)
const runtimeSchema = z.looseObject({
  keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })).max(16),
})
const attestationKeySchema = z.looseObject({ kty: z.literal('RSA'), n: base64url, e: base64url })
const attestationKeyId = 'HCLAkPub'

/** An RSA public key in base64url. */
export interface AttestationKey {
  readonly n: string
  readonly e: string
}

/** What the paravisor states of the VM. */
export interface RuntimeData {
  readonly attestationKey: AttestationKey
  /** Null: it does not say. */
  readonly secureBoot: boolean | null
  readonly console: boolean | null
}

/**
 * Reads the data: of its keys the one of the attestation key's name.
 * @throws AttestationError `MALFORMED`, `KEY_UNKNOWN`, `ALGORITHM`.
 */
export function parseRuntimeData(bytes: Uint8Array): RuntimeData {
  const json = parseForeignJson(bytes, 'runtime data')
  const runtime = runtimeSchema.safeParse(json)
  if (!runtime.success) throw refused('MALFORMED', 'it has no list of keys')
  const [key, ...more] = runtime.data.keys.filter(({ kid }) => kid === attestationKeyId)
  if (key === undefined || more.length > 0)
    throw refused('KEY_UNKNOWN', `${more.length + (key === undefined ? 0 : 1)} keys are ${attestationKeyId}`)
  const { success, data } = attestationKeySchema.safeParse(key)
  if (!success) throw refused('ALGORITHM', `${attestationKeyId} is no RSA key`)
  const configuration = objectIn(expectObject(json, 'runtime data'), 'vm-configuration')
  return {
    attestationKey: { n: data.n, e: data.e },
    secureBoot: flagIn(configuration, 'secure-boot'),
    console: flagIn(configuration, 'console-enabled'),
  }
}

function flagIn(configuration: ForeignObject, name: string): boolean | null {
  const value = memberOf(configuration, name)
  return typeof value === 'boolean' ? value : null
}

function refused(code: 'MALFORMED' | 'KEY_UNKNOWN' | 'ALGORITHM', why: string): AttestationError {
  return new AttestationError(code, `runtime data: ${why}`, { stage: 'authenticate', field: 'keys' })
}
