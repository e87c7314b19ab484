/**
 * Whether the service's result is the one that was asked for, and true in every part. Each claim is demanded at its own level;
 * one that is absent is as good as false.
 */
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { memberOf, textIn } from '../json/foreign-json.js'
import type { TokenTrust } from '../token/authenticate-token.node.js'
import { demandClaim, type ClaimDemand } from '../token/demand-claim.js'
import { judgeEvidence, type EvidenceVerdict } from '../verdict.js'
import {
  authenticateNras,
  certificateStatus,
  holdsNonce,
  type AuthenticNrasBundle,
  type NrasDevice,
  type NrasVersion,
} from './authenticate.js'

/** What the caller asked the service for; null: it asked for nothing, and so nothing is proven of it. */
export interface NrasRequest {
  /** Hexadecimal. */
  readonly nonce: string | null
  /** How many GPUs must be there. */
  readonly gpus: number | null
}

/** Judges a bundle under the strict policy for production. */
export function judgeNras(
  bytes: Uint8Array,
  request: NrasRequest,
  trust: TokenTrust,
): Promise<EvidenceVerdict> {
  return judgeEvidence({
    authenticate: () => authenticateNras(bytes, trust),
    factsOf: factsOfNras,
    demandProduction: (bundle) => {
      demandNras(bundle, request)
    },
  })
}

const prefix = 'x-nvidia-gpu-'
const trueInAll = [
  'arch-check',
  'attestation-report-parsed',
  'attestation-report-nonce-match',
  'attestation-report-signature-verified',
  'driver-rim-fetched',
  'driver-rim-schema-validated',
  'driver-rim-signature-verified',
  'driver-rim-measurements-available',
  'vbios-rim-fetched',
  'vbios-rim-schema-validated',
  'vbios-rim-signature-verified',
  'vbios-rim-measurements-available',
  'vbios-index-no-conflict',
] as const
const trueIn: Readonly<Record<NrasVersion, readonly string[]>> = {
  '2.0': [
    ...trueInAll,
    'attestation-report-cert-chain-validated',
    'driver-rim-cert-validated',
    'vbios-rim-cert-validated',
  ],
  '3.0': [
    ...trueInAll,
    'attestation-report-cert-chain-fwid-match',
    'driver-rim-version-match',
    'vbios-rim-version-match',
  ],
}
const chains = ['attestation-report-cert-chain', 'driver-rim-cert-chain', 'vbios-rim-cert-chain'] as const

/**
 * Demands a true result for every GPU, for this nonce and this many GPUs.
 * @throws AttestationError `RESULT_FALSE`, `GPU_COUNT`, `BINDING_MISMATCH`, `DEBUG_ENABLED`, `WRONG_TYPE`, `REVOKED`, `EXPIRED`,
 * `POLICY`.
 */
export function demandNras(bundle: AuthenticNrasBundle, { nonce, gpus }: NrasRequest): void {
  const { overall, devices, version } = bundle
  if (memberOf(overall.claims, 'x-nvidia-overall-att-result') !== true)
    throw refused('RESULT_FALSE', 'x-nvidia-overall-att-result', 'it is not true')
  if (devices.length === 0 || (gpus !== null && devices.length !== gpus))
    throw refused(
      'GPU_COUNT',
      'submods',
      `it is about ${devices.length} GPUs; expected ${gpus ?? 'at least 1'}`,
    )
  // Tokens of one bundle answer one request, whichever it was.
  const expected = nonce ?? textIn(overall.claims, 'eat_nonce')
  if (expected === null || !holdsNonce(bundle, expected))
    throw refused('BINDING_MISMATCH', 'eat_nonce', 'a token holds another nonce than the one asked for')
  for (const device of devices) demandDevice(device, version)
}

function demandDevice(device: NrasDevice, version: NrasVersion): void {
  const { name, token } = device
  const what = `NRAS token of ${name}`
  const results: ClaimDemand[] = trueIn[version].map((claim) => ({
    claim: `${prefix}${claim}`,
    expected: [true],
    code: 'RESULT_FALSE',
  }))
  const demands: readonly ClaimDemand[] = [
    { claim: 'dbgstat', expected: ['disabled'], code: 'DEBUG_ENABLED' },
    { claim: 'secboot', expected: [true], code: 'POLICY' },
    { claim: 'measres', expected: ['success'], code: 'RESULT_FALSE' },
    ...results,
  ]
  for (const demand of demands) demandClaim(token.claims, demand, what)
  // GH100, GB100, …: GPUs. LS10 is a switch.
  if (!/^G[A-Z]\d{3}\b/.test(textIn(token.claims, 'hwmodel') ?? ''))
    throw refused('WRONG_TYPE', name, 'hwmodel names no GPU')
  if (version === '3.0') for (const chain of chains) demandChain(device, `${prefix}${chain}`)
}

function demandChain(device: NrasDevice, chain: string): void {
  const { status, ocsp } = certificateStatus(device, chain)
  if (ocsp === 'revoked') throw refused('REVOKED', chain, 'a certificate is revoked or on hold')
  if (status === 'expired') throw refused('EXPIRED', chain, 'a certificate has expired')
  if (status !== 'valid' || ocsp !== 'good')
    throw refused('RESULT_FALSE', chain, `${status ?? 'absent'}, ${ocsp ?? 'absent'}; expected valid, good`)
}

/** What a bundle says, the first device for all. */
export function factsOfNras({ version, overall, devices }: AuthenticNrasBundle): EvidenceVerdict['facts'] {
  const first = devices[0]?.token.claims ?? {}
  return {
    alg: overall.algorithm,
    overall: memberOf(overall.claims, 'x-nvidia-overall-att-result') === true,
    version,
    eat_nonce: textIn(overall.claims, 'eat_nonce'),
    nonces: [overall, ...devices.map(({ token }) => token)].map(({ claims }) => textIn(claims, 'eat_nonce')),
    iat: overall.issuedAt,
    exp: overall.expiresAt,
    gpus: devices.length,
    hwmodel: textIn(first, 'hwmodel'),
    driver: textIn(first, `${prefix}driver-version`),
    vbios: textIn(first, `${prefix}vbios-version`),
    measres: textIn(first, 'measres'),
  }
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `NRAS bundle: ${field}: ${why}`, { stage: 'appraise', field })
}
