/**
 * Tokens of Google Confidential Space (token claims reference, OIDC form). Says which image ran on a production Confidential
 * Space; environment and arguments of the workload are claims as well, and an owner's policy must name what it accepts.
 */
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { memberOf, objectIn, seenOf, textIn, type ForeignObject } from '../json/foreign-json.js'
import { demandClaim, type ClaimDemand } from '../token/demand-claim.js'
import { authenticateToken, type AuthenticToken, type TokenTrust } from '../token/authenticate-token.node.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'

/** The `iss` of every Confidential Space token. */
export const confidentialSpaceIssuer = 'https://confidentialcomputing.googleapis.com'

/** What the caller asked the service for; null: it asked for nothing, and so nothing is proven of it. */
export interface ConfidentialSpaceRequest {
  readonly audience: string | null
  readonly nonce: string | null
}

const what = 'Confidential Space token'

/** Authenticates a token. */
export function authenticateConfidentialSpace(token: string, trust: TokenTrust): AuthenticToken {
  return authenticateToken(token, { what, algorithm: 'RS256' }, trust)
}

/** Judges a token under the strict policy for production. */
export function judgeConfidentialSpace(
  token: string,
  request: ConfidentialSpaceRequest,
  trust: TokenTrust,
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateConfidentialSpace(token, trust),
    factsOf,
    demandProduction: ({ claims }) => {
      demandConfidentialSpace(claims, request)
    },
  })
}

const demands: readonly ClaimDemand[] = [
  { claim: 'swname', expected: ['CONFIDENTIAL_SPACE'], code: 'IMAGE_NOT_PRODUCTION' },
  { claim: 'dbgstat', expected: ['disabled-since-boot'], code: 'DEBUG_ENABLED' },
  // GCP_SHIELDED_VM is no TEE: its memory is the host's to read.
  {
    claim: 'hwmodel',
    expected: ['GCP_AMD_SEV', 'GCP_AMD_SEV_ES', 'GCP_AMD_SEV_SNP', 'GCP_INTEL_TDX'],
    code: 'POLICY',
  },
  { claim: 'secboot', expected: [true], code: 'POLICY' },
]

/**
 * Demands a production image that was asked for with this audience and nonce.
 * @throws AttestationError `WRONG_AUDIENCE`, `BINDING_MISMATCH`, `DEBUG_ENABLED`, `IMAGE_NOT_PRODUCTION`, `POLICY`.
 */
export function demandConfidentialSpace(claims: ForeignObject, request: ConfidentialSpaceRequest): void {
  const { audience, nonce } = request
  if (audience !== null && !holds(claims, 'aud', audience))
    throw refused(
      'WRONG_AUDIENCE',
      'aud',
      `it is for ${seenOf(memberOf(claims, 'aud'))}; expected ${audience}`,
    )
  if (nonce !== null && !holds(claims, 'eat_nonce', nonce))
    throw refused('BINDING_MISMATCH', 'eat_nonce', 'it holds another nonce than the one asked for')
  for (const demand of demands) demandClaim(claims, demand, what)
  const attributes = memberOf(
    objectIn(objectIn(claims, 'submods'), 'confidential_space'),
    'support_attributes',
  )
  if (!Array.isArray(attributes) || !attributes.includes('STABLE'))
    throw refused('IMAGE_NOT_PRODUCTION', 'support_attributes', 'STABLE is not among them')
}

// Both `aud` and `eat_nonce` are text, or an array of texts.
function holds(claims: ForeignObject, name: string, value: string): boolean {
  const claim = memberOf(claims, name)
  return Array.isArray(claim) ? claim.includes(value) : claim === value
}

function factsOf({
  algorithm,
  keyId,
  issuedAt,
  expiresAt,
  claims,
}: AuthenticToken): EvidenceVerdict['facts'] {
  const submods = objectIn(claims, 'submods')
  return {
    alg: algorithm,
    kid: keyId,
    iat: issuedAt,
    exp: expiresAt,
    hwmodel: textIn(claims, 'hwmodel'),
    swname: textIn(claims, 'swname'),
    dbgstat: textIn(claims, 'dbgstat'),
    secboot: memberOf(claims, 'secboot') === true,
    eat_nonce: textsOf(memberOf(claims, 'eat_nonce')),
    support_attributes: textsOf(memberOf(objectIn(submods, 'confidential_space'), 'support_attributes')),
    image_digest: textIn(objectIn(submods, 'container'), 'image_digest'),
  }
}

function textsOf(value: unknown): string | string[] | null {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : null
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `${what}: ${field}: ${why}`, { stage: 'appraise', field })
}
