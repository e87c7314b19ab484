/**
 * What a token of Google Confidential Space claims (token claims reference), read at each claim's own level, by names of this project. What is
 * absent is null, which no appraisal takes for safe where it is not.
 */
import { z } from 'zod'
import { fromHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { isForeignObject, memberOf, objectIn, textIn, type ForeignObject } from '../json/foreign-json.js'

const text = z.string().nullable()
const texts = z.array(z.string())

/** Claims of a token. */
export const confidentialSpaceClaimsSchema = z.object({
  /** One text, or nothing: a token for two audiences is for neither. */
  audience: text,
  hardware: text,
  software: text,
  debug: text,
  secureBoot: z.boolean(),
  supportAttributes: texts,
  imageVersion: z.number().nullable(),
  /** Null: not overridden. */
  cmdOverride: texts.nullable(),
  envOverride: z.record(z.string(), z.string()).nullable(),
  restartPolicy: text,
  /** Null: not said. */
  memoryMonitoring: z.boolean().nullable(),
  tcbStatus: text,
  project: text,
  serviceAccounts: texts,
})

/** See {@link confidentialSpaceClaimsSchema}. */
export type ConfidentialSpaceClaims = z.infer<typeof confidentialSpaceClaimsSchema>

/**
 * Reads the claims.
 * @throws AttestationError `MALFORMED` for overrides that are not what they must be: nothing of them may go unseen.
 */
export function readConfidentialSpace(token: ForeignObject): ConfidentialSpaceClaims {
  const submods = objectIn(token, 'submods')
  const space = objectIn(submods, 'confidential_space')
  const container = objectIn(submods, 'container')
  const monitoring = memberOf(objectIn(space, 'monitoring_enabled'), 'memory')
  return {
    audience: oneText(memberOf(token, 'aud')),
    hardware: textIn(token, 'hwmodel'),
    software: textIn(token, 'swname'),
    debug: textIn(token, 'dbgstat'),
    secureBoot: memberOf(token, 'secboot') === true,
    supportAttributes: textsIn(space, 'support_attributes') ?? [],
    imageVersion: versionIn(token),
    cmdOverride: textsIn(container, 'cmd_override'),
    envOverride: variablesIn(container, 'env_override'),
    restartPolicy: textIn(container, 'restart_policy'),
    memoryMonitoring: typeof monitoring === 'boolean' ? monitoring : null,
    tcbStatus: textIn(objectIn(token, 'tdx'), 'gcp_attester_tcb_status'),
    project: textIn(objectIn(submods, 'gce'), 'project_id'),
    serviceAccounts: textsIn(token, 'google_service_accounts') ?? [],
  }
}

/**
 * The digest of the workload's image, 32 bytes in hexadecimal.
 * @throws AttestationError `MALFORMED`.
 */
export function imageDigestOf(token: ForeignObject): string {
  const digest = textIn(objectIn(objectIn(token, 'submods'), 'container'), 'image_digest') ?? ''
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest.slice('sha256:'.length)
  throw refused('MALFORMED', 'image_digest', 'it is no SHA-256 digest of an image')
}

/**
 * The nonce that the workload gave: one, of 32 bytes in hexadecimal. A token with several would be evidence for several Offers.
 * @throws AttestationError `BINDING_MISMATCH`.
 */
export function nonceOf(token: ForeignObject): Uint8Array {
  const nonce = oneText(memberOf(token, 'eat_nonce'))
  if (nonce !== null && /^[0-9a-f]{64}$/.test(nonce)) return fromHex(nonce)
  throw refused('BINDING_MISMATCH', 'eat_nonce', 'it holds not exactly one nonce of 32 bytes in hexadecimal')
}

// Both `aud` and `eat_nonce` are text, or an array of texts.
function oneText(claim: unknown): string | null {
  const values: unknown[] = Array.isArray(claim) ? claim : [claim]
  const [value, ...more] = values
  return typeof value === 'string' && more.length === 0 ? value : null
}

function textsIn(claims: ForeignObject, name: string): string[] | null {
  const value = memberOf(claims, name)
  if (value === undefined || value === null) return null
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw refused('MALFORMED', name, 'it is no list of texts')
}

function variablesIn(claims: ForeignObject, name: string): Record<string, string> | null {
  const value = memberOf(claims, name)
  if (value === undefined || value === null) return null
  if (!isForeignObject(value)) throw refused('MALFORMED', name, 'it is no map of variables')
  const variables = Object.entries(value)
  const malformed = variables.find(([, setting]) => typeof setting !== 'string')
  if (malformed !== undefined) throw refused('MALFORMED', name, 'a variable in it is no text')
  return Object.fromEntries(variables) as Record<string, string>
}

function versionIn(token: ForeignObject): number | null {
  const version = oneText(memberOf(token, 'swversion'))
  return version !== null && /^\d{1,9}$/.test(version) ? Number(version) : null
}

function refused(code: 'MALFORMED' | 'BINDING_MISMATCH', field: string, why: string): AttestationError {
  return new AttestationError(code, `Confidential Space token: ${field}: ${why}`, { stage: 'parse', field })
}
