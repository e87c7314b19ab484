/**
 * Tokens of Microsoft Azure Attestation for confidential VMs: SEV-SNP and TDX attested directly, and the guest's form, which
 * nests what the hardware says under `x-ms-isolation-tee`. Instances of the service share keys, so that only `iss` tells them
 * apart. Each claim is read at its own level only.
 */
import type { JsonValue } from '#libs/canonical'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { memberOf, objectIn, seenOf, textIn, type ForeignObject } from '../json/foreign-json.js'
import { guestType, hardwareOf, typeClaim } from './levels.js'
import { tcbRefusal } from '../token/tcb-refusal.js'
import { demandClaim } from '../token/demand-claim.js'
import { authenticateToken, type AuthenticToken, type TokenTrust } from '../token/authenticate-token.node.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'

const what = 'MAA token'

/** Authenticates a token. */
export function authenticateMaa(token: string, trust: TokenTrust): AuthenticToken {
  return authenticateToken(token, { what, algorithm: 'RS256' }, trust)
}

/** Judges a token under the strict policy for production. */
export function judgeMaa(token: string, trust: TokenTrust): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateMaa(token, trust),
    factsOf,
    demandProduction: ({ claims }) => {
      demandMaa(claims)
    },
  })
}

/**
 * Demands a confidential VM that the service found compliant, that cannot be debugged and does not migrate.
 * @throws AttestationError `WRONG_TYPE`, `IMAGE_NOT_PRODUCTION`, `DEBUG_ENABLED`, `MIGRATION_ALLOWED`, `RESERVED_BITS`,
 * `TCB_OUT_OF_DATE`, `TCB_NOT_UP_TO_DATE`, `REVOKED`, `MALFORMED`.
 */
export function demandMaa(token: ForeignObject): void {
  const { tee, claims } = hardwareOf(token)
  if (tee === null)
    throw refused('WRONG_TYPE', typeClaim, `it is ${seenOf(memberOf(token, typeClaim))}: no confidential VM`)
  if (tee === 'sevsnpvm') demandSnp(claims)
  else demandTdx(claims)
  demandGuest(token)
  demandClaim(
    claims,
    {
      claim: 'x-ms-compliance-status',
      expected: ['azure-compliant-cvm'],
      code: 'IMAGE_NOT_PRODUCTION',
    },
    what,
  )
}

function demandSnp(claims: ForeignObject): void {
  demandClaim(
    claims,
    { claim: 'x-ms-sevsnpvm-is-debuggable', expected: [false], code: 'DEBUG_ENABLED' },
    what,
  )
  demandClaim(
    claims,
    { claim: 'x-ms-sevsnpvm-migration-allowed', expected: [false], code: 'MIGRATION_ALLOWED' },
    what,
  )
}

function demandTdx(claims: ForeignObject): void {
  demandClaim(claims, { claim: 'dbgstat', expected: ['disabled'], code: 'DEBUG_ENABLED' }, what)
  demandClaim(claims, { claim: 'tdx_td_attributes_debug', expected: [false], code: 'DEBUG_ENABLED' }, what)
  if (memberOf(claims, 'tdx_td_attributes_migratable') === true)
    throw refused('MIGRATION_ALLOWED', 'tdx_td_attributes_migratable', 'it is true; expected false')
  demandAttributes(textIn(claims, 'tdx_td_attributes'))
  const status = memberOf(claims, 'attester_tcb_status')
  if (status === 'UpToDate') return
  throw refused(tcbRefusal(status), 'attester_tcb_status', `it is ${seenOf(status)}; expected UpToDate`)
}

// TDATTRIBUTES as the TD has them, least significant byte first: the first byte makes a TD debuggable.
const migratable = 1n << 29n
const defined = (1n << 27n) | (1n << 28n) | migratable | (1n << 30n) | (1n << 31n) | (1n << 63n)

function demandAttributes(hex: string | null): void {
  const field = 'tdx_td_attributes'
  if (hex === null || !/^[0-9a-fA-F]{16}$/.test(hex))
    throw refused('MALFORMED', field, 'it is not 8 bytes in hexadecimal')
  const bits = BigInt(`0x${(hex.match(/../g) ?? []).reverse().join('')}`)
  if ((bits & 0xffn) !== 0n) throw refused('DEBUG_ENABLED', field, `${hex} lets the TD be debugged`)
  if ((bits & migratable) !== 0n) throw refused('MIGRATION_ALLOWED', field, `${hex} lets the TD migrate`)
  if ((bits & ~defined) !== 0n) throw refused('RESERVED_BITS', field, `${hex} has reserved bits set`)
}

// What the guest's own boot log says, which only the nested form carries.
function demandGuest(token: ForeignObject): void {
  if (memberOf(token, typeClaim) !== guestType) return
  if (memberOf(token, 'x-ms-azurevm-bootdebug-enabled') === true)
    throw refused('DEBUG_ENABLED', 'x-ms-azurevm-bootdebug-enabled', 'it is true; expected false')
  if (memberOf(token, 'x-ms-azurevm-debuggersdisabled') === false)
    throw refused('DEBUG_ENABLED', 'x-ms-azurevm-debuggersdisabled', 'it is false; expected true')
}

function factsOf({
  algorithm,
  keyId,
  issuedAt,
  expiresAt,
  claims: token,
}: AuthenticToken): EvidenceVerdict['facts'] {
  const { tee, claims } = hardwareOf(token)
  const facts: Record<string, JsonValue> = {
    alg: algorithm,
    kid: keyId,
    iat: issuedAt,
    exp: expiresAt,
    attestation_type: textIn(token, typeClaim),
    tee,
    compliance: textIn(claims, 'x-ms-compliance-status'),
  }
  if (tee === null) return facts
  const [measurement, reportData] =
    tee === 'sevsnpvm'
      ? ['x-ms-sevsnpvm-launchmeasurement', 'x-ms-sevsnpvm-reportdata']
      : ['tdx_mrtd', 'tdx_report_data']
  return {
    ...facts,
    launch_measurement: textIn(claims, measurement),
    report_data: textIn(claims, reportData),
    user_data: textIn(objectIn(claims, 'x-ms-runtime'), 'user-data'),
    tcb_status: textIn(claims, 'attester_tcb_status'),
    // The guest's nonce, where it attested itself through the service's client.
    nonce: textIn(objectIn(objectIn(token, 'x-ms-runtime'), 'client-payload'), 'nonce'),
  }
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `${what}: ${field}: ${why}`, { stage: 'appraise', field })
}
