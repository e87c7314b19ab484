/**
 * Whether NVIDIA's service signed a bundle. Guards every token, and that the overall token names exactly the devices whose
 * tokens are there, by digest. Says nothing about the result: a signed result may be false.
 */
import { utf8 } from '#libs/canonical'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { expectObject, isForeignObject, memberOf, objectIn, seenOf, textIn } from '../json/foreign-json.js'
import { authenticateToken, type AuthenticToken, type TokenTrust } from '../token/authenticate-token.node.js'
import { sha256Hex } from '../x509/signature.node.js'
import { parseNrasBundle } from './bundle.js'

/** The `iss` of every token of NVIDIA's service. */
export const nrasIssuer = 'https://nras.attestation.nvidia.com'

/** Versions of the claims: 2.0 of API v3, 3.0 of API v4. */
export type NrasVersion = '2.0' | '3.0'

/** A device that the service judged. */
export interface NrasDevice {
  readonly name: string
  readonly token: AuthenticToken
}

declare const authentic: unique symbol

/** A bundle that the service signed. */
export interface AuthenticNrasBundle {
  readonly [authentic]: true
  readonly version: NrasVersion
  readonly overall: AuthenticToken
  /** By number of the device. */
  readonly devices: readonly NrasDevice[]
}

/**
 * Authenticates a bundle.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`, `KEY_UNKNOWN`, `SIGNATURE_INVALID`, `WRONG_ISSUER`, `NOT_YET_VALID`,
 * `EXPIRED`, `WRONG_TYPE`, `BINDING_MISMATCH`.
 */
export function authenticateNras(bytes: Uint8Array, trust: TokenTrust): AuthenticNrasBundle {
  const bundle = parseNrasBundle(bytes)
  const overall = authenticateToken(bundle.overall, { what: 'NRAS overall token', algorithm: 'ES384' }, trust)
  const subject = textIn(overall.claims, 'sub')
  if (subject !== 'NVIDIA-PLATFORM-ATTESTATION')
    throw refused('WRONG_TYPE', 'sub', `it is ${seenOf(subject)}: no overall result of a platform`)
  const version = textIn(overall.claims, 'x-nvidia-ver')
  if (version !== '2.0' && version !== '3.0')
    throw refused('MALFORMED', 'x-nvidia-ver', `it is ${seenOf(version)}; versions 2.0 and 3.0 are known`)

  const submods = memberOf(overall.claims, 'submods')
  const named = Object.keys(expectObject(submods, 'NRAS overall token: submods'))
  for (const name of named)
    if (!/^GPU-(?:0|[1-9]\d{0,2})$/.test(name))
      throw refused('WRONG_TYPE', 'submods', `${seenOf(name)} is no GPU`)
  const missing = named.find((name) => !bundle.devices.has(name))
  if (missing !== undefined) throw refused('BINDING_MISMATCH', missing, 'it has a digest and no token')
  const devices = [...bundle.devices].map(([name, text]) => {
    checkDigest(name, text, isForeignObject(submods) ? memberOf(submods, name) : undefined)
    return {
      name,
      token: authenticateToken(text, { what: `NRAS token of ${name}`, algorithm: 'ES384' }, trust),
    }
  })
  devices.sort((a, b) => numberOf(a.name) - numberOf(b.name))
  const authenticBundle: Omit<AuthenticNrasBundle, typeof authentic> = { version, overall, devices }
  return Object.freeze(authenticBundle) as AuthenticNrasBundle
}

// ["DIGEST", ["SHA-256", hexadecimal of the token in compact form]]
function checkDigest(name: string, text: string, submod: unknown): void {
  if (submod === undefined) throw refused('BINDING_MISMATCH', seenOf(name), 'it has a token and no digest')
  const [kind, digest] = Array.isArray(submod) ? (submod as unknown[]) : []
  const [hash, value] = Array.isArray(digest) ? (digest as unknown[]) : []
  if (kind !== 'DIGEST') throw refused('MALFORMED', name, 'its submod is no digest')
  if (hash !== 'SHA-256') throw refused('ALGORITHM', name, `its digest is ${seenOf(hash)}; expected SHA-256`)
  const seen = sha256Hex(utf8(text))
  if (value !== seen)
    throw refused(
      'BINDING_MISMATCH',
      name,
      `its token has digest ${seen}; the overall token says ${seenOf(value)}`,
    )
}

function numberOf(name: string): number {
  return Number(name.slice('GPU-'.length))
}

/** Whether every token holds this nonce, in hexadecimal. */
export function holdsNonce({ overall, devices }: AuthenticNrasBundle, nonce: string): boolean {
  return [overall, ...devices.map(({ token }) => token)].every(
    ({ claims }) => textIn(claims, 'eat_nonce') === nonce,
  )
}

/** The certificate status of a chain in claims of version 3.0. */
export function certificateStatus(
  { token }: NrasDevice,
  chain: string,
): { readonly status: string | null; readonly ocsp: string | null } {
  const claims = objectIn(token.claims, chain)
  return { status: textIn(claims, 'x-nvidia-cert-status'), ocsp: textIn(claims, 'x-nvidia-cert-ocsp-status') }
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `NRAS bundle: ${field}: ${why}`, { stage: 'authenticate', field })
}
