/**
 * Evidence that is a token of an attestation service, with the service's key set as collateral `jwks`. Guards the signature and the times; which
 * issuer and which of its keys are believed, the contract says, and the appraisal compares.
 */
import { z } from 'zod'
import { CodedError, fromUtf8, type JsonValue } from '#libs/canonical'
import type { Checklist, ClaimDemand } from '../checklist.js'
import { AttestationError } from '../errors.js'
import { neededCollateral, type Evidence, type VerifierContext } from '../evidence.js'
import { authenticateTokenOfAnyIssuer, type AuthenticToken } from './authenticate-token.node.js'
import { parseKeySet } from './key-set.node.js'
import { demandSigningKey, namesOf } from './signing-key.node.js'

/** The claims about whose token it is. */
export const signerClaimsSchema = z.looseObject({
  issuer: z.string(),
  signingKey: z.strictObject({
    thumbprint: z.string(),
    certifiers: z.array(z.string()),
    refusedCertificates: z.string().nullable(),
    certifiedUntil: z.number().nullable(),
  }),
})

/** A token with what a verdict needs to know of its signer and its times. */
export interface ServiceToken {
  readonly token: AuthenticToken
  readonly signer: Readonly<Record<string, JsonValue>>
  /** In milliseconds. */
  readonly issuedAt: number
  readonly vouchedUntil: number
}

/**
 * Authenticates a token under the keys that came with it.
 * @throws AttestationError as `authenticateToken`; `COLLATERAL_MISSING`.
 */
export function authenticateServiceToken(
  evidence: Evidence,
  what: string,
  { now, checklist }: VerifierContext,
): ServiceToken {
  const keys = parseKeySet(neededCollateral(evidence, keySetName))
  const text = tokenText(evidence.bytes, what)
  const token = authenticateTokenOfAnyIssuer(text, { what, algorithm: 'RS256' }, { at: now, keys })
  const names = namesOf(token.signer, now)
  noteSigner(checklist, token, names.thumbprint)
  return {
    token,
    signer: { issuer: token.issuer, signingKey: { ...names, certifiers: [...names.certifiers] } },
    issuedAt: token.issuedAt * 1000,
    vouchedUntil: Math.min(token.expiresAt * 1000, names.certifiedUntil ?? Infinity),
  }
}

/** The one name of a key set among collateral. */
export const keySetName = 'jwks'

/**
 * Demands the issuer and the key that a contract names.
 * @throws AttestationError `WRONG_ISSUER`, `KEY_UNKNOWN`.
 */
export function demandSigner(
  claims: Readonly<Record<string, JsonValue>>,
  expected: { readonly issuer: string; readonly keys: readonly string[] },
  demand: ClaimDemand,
): void {
  const { issuer, signingKey } = signerClaimsSchema.parse(claims)
  demand('iss', expected.issuer, issuer, issuer === expected.issuer, 'WRONG_ISSUER')
  demandSigningKey(signingKey, expected.keys, demand)
}

// Whether that key is the service's is compared with the contract, after the binding.
function noteSigner(checklist: Checklist, { issuer, expiresAt }: AuthenticToken, thumbprint: string): void {
  const until = new Date(expiresAt * 1000).toISOString()
  checklist.held({
    stage: 'authenticate',
    check: 'signature',
    expected: 'signed by a key of the key set that was shown',
    seen: `signed as ${issuer} by the key ${thumbprint}, valid until ${until}`,
  })
}

/**
 * The text of a token.
 * @throws AttestationError `MALFORMED`.
 */
export function tokenText(bytes: Uint8Array, what: string): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new AttestationError('MALFORMED', `${what}: it is no text`, { stage: 'parse', field: what, cause })
  }
}
