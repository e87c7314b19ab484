/**
 * The verifiers of `maa-snp` and `maa-tdx` evidence: tokens of Microsoft Azure Attestation in compact form, with the key set of the service as
 * collateral. Who believes them believes the service; see reference.ts for what a contract must say of it.
 */
import { AttestationError } from '../errors.js'
import { authenticEvidence } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { memberOf, seenOf, textIn, type ForeignObject } from '../json/foreign-json.js'
import { entryFor } from '../reference-values.js'
import { authenticateServiceToken } from '../token/service-token.js'
import { appraiseMaaSnp, appraiseMaaTdx } from './appraise.js'
import { carriedReportData } from './binding.js'
import { readMaaSnp, readMaaTdx } from './claims.js'
import { hardwareOf, isGuestToken, typeClaim } from './levels.js'

/** Tokens about SEV-SNP. */
export const maaSnpVerifier: EvidenceVerifier = {
  kind: 'maa-snp',
  authenticate: (evidence, context) =>
    new Promise((resolve) => {
      resolve(authenticate(evidence, context))
    }),
  appraise: ({ claims }, reference, { checklist }) => {
    appraiseMaaSnp(claims, entryFor(reference, 'maa-snp'), checklist)
  },
}

/** Tokens about TDX. */
export const maaTdxVerifier: EvidenceVerifier = {
  kind: 'maa-tdx',
  authenticate: (evidence, context) =>
    new Promise((resolve) => {
      resolve(authenticate(evidence, context))
    }),
  appraise: ({ claims }, reference, { checklist }) => {
    appraiseMaaTdx(claims, entryFor(reference, 'maa-tdx'), checklist)
  },
}

function authenticate(evidence: Evidence, context: VerifierContext): AuthenticEvidence {
  const { token, signer, issuedAt, vouchedUntil } = authenticateServiceToken(evidence, 'MAA token', context)
  const { kind } = evidence
  const { tee, claims: level } = hardwareOf(token.claims)
  const { hardware, measurement, chip } = readHardware(kind, tee, level)
  return authenticEvidence({
    kind,
    ...carriedReportData(token.claims),
    measurement,
    chip,
    issuedAt,
    vouchedUntil,
    claims: {
      ...signer,
      type: textIn(token.claims, typeClaim) ?? '',
      policyHash: textIn(token.claims, 'x-ms-policy-hash'),
      compliance: textIn(level, 'x-ms-compliance-status'),
      guest: isGuestToken(token.claims) ? guestOf(token.claims) : null,
      hardware,
    },
  })
}

function readHardware(
  kind: Evidence['kind'],
  tee: ReturnType<typeof hardwareOf>['tee'],
  level: ForeignObject,
) {
  if (kind === 'maa-snp' && tee === 'sevsnpvm') {
    const hardware = readMaaSnp(level)
    return { hardware, measurement: hardware.measurement, chip: hardware.chipId }
  }
  if (kind === 'maa-tdx' && tee === 'tdxvm') {
    const hardware = readMaaTdx(level)
    return { hardware, measurement: hardware.mrTd, chip: null }
  }
  throw new AttestationError(
    'WRONG_TYPE',
    `MAA token: ${typeClaim} of the hardware is ${seenOf(memberOf(level, typeClaim))}; the evidence is said to be ${kind}`,
    { stage: 'authenticate', field: typeClaim },
  )
}

function guestOf(token: ForeignObject) {
  const flag = (name: string): boolean | null => {
    const value = memberOf(token, name)
    return typeof value === 'boolean' ? value : null
  }
  return {
    secureBoot: flag('secureboot'),
    bootDebug: flag('x-ms-azurevm-bootdebug-enabled'),
    debuggersDisabled: flag('x-ms-azurevm-debuggersdisabled'),
  }
}
