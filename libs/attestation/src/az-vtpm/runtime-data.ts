/**
 * The runtime data of an Azure confidential VM: the attestation key of its vTPM. Read only once its hash was
 * verified.
 */
import { z } from 'zod'
import { AttestationError } from '../errors.js'
import { parseForeignJson } from '../json/foreign-json.js'

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

/**
 * The attestation key: the one key of its name.
 * @throws AttestationError `MALFORMED`, `KEY_UNKNOWN`, `ALGORITHM`.
 */
export function parseAttestationKey(runtimeData: Uint8Array): AttestationKey {
  const runtime = runtimeSchema.safeParse(parseForeignJson(runtimeData, 'runtime data'))
  if (!runtime.success) throw refused('MALFORMED', 'it has no list of keys')
  const [key, ...more] = runtime.data.keys.filter(({ kid }) => kid === attestationKeyId)
  if (key === undefined || more.length > 0)
    throw refused('KEY_UNKNOWN', `${more.length + (key === undefined ? 0 : 1)} keys are ${attestationKeyId}`)
  const { success, data } = attestationKeySchema.safeParse(key)
  if (!success) throw refused('ALGORITHM', `${attestationKeyId} is no RSA key`)
  return { n: data.n, e: data.e }
}

function refused(code: 'MALFORMED' | 'KEY_UNKNOWN' | 'ALGORITHM', why: string): AttestationError {
  return new AttestationError(code, `runtime data: ${why}`, { stage: 'authenticate', field: 'keys' })
}
