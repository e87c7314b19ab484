/**
 * The verifiers of `az-snp-vtpm` and `az-tdx-vtpm` evidence: a document of HCL report, TPM quote and, on TDX, quote of the TD, with the
 * collateral of the hardware below. The nonce of the TPM quote binds it to an Offer.
 */
import { toHex } from '#libs/canonical'
import type { Checklist } from '../checklist.js'
import { intelRoots } from '../dcap/roots.js'
import { authenticEvidence, neededCollateral } from '../evidence.js'
import type { AuthenticEvidence, Evidence, EvidenceVerifier, VerifierContext } from '../evidence.js'
import { entryFor } from '../reference-values.js'
import { appraiseSnpClaims } from '../sev-snp/appraise.js'
import { snpClaimsOf, snpClaimsSchema } from '../sev-snp/claims.js'
import { amdRoots, type AmdRoots } from '../sev-snp/generations.js'
import { appraiseTdxClaims } from '../tdx/appraise.js'
import { tdxClaimsOf, tdxClaimsSchema } from '../tdx/claims.js'
import { appraiseGuest } from './appraise.js'
import { authenticateAzureSnp, authenticateAzureTdx } from './authenticate.js'
import { guestClaimsSchema, vtpmClaimsOf } from './claims.js'
import { readAzureFiles } from './evidence-forms.js'

/** A verifier of VMs on SEV-SNP that trusts these roots; AMD's own unless told otherwise. */
export function azureSnpVerifierWith(roots: AmdRoots): EvidenceVerifier {
  return {
    kind: 'az-snp-vtpm',
    authenticate: (evidence, context) =>
      new Promise((resolve) => {
        resolve(authenticateOnSnp(evidence, context, roots))
      }),
    appraise: ({ claims }, reference, { checklist }) => {
      const entry = entryFor(reference, 'az-snp-vtpm')
      appraiseSnpClaims(snpClaimsSchema.parse(claims['hardware']), entry, checklist)
      appraiseGuest(guestClaimsSchema.parse(claims), entry, checklist.ofClaims)
    },
  }
}

/** A verifier of VMs on TDX that trusts these roots, by SHA-256 of their DER; Intel's own unless told otherwise. */
export function azureTdxVerifierWith(roots: readonly string[]): EvidenceVerifier {
  return {
    kind: 'az-tdx-vtpm',
    authenticate: (evidence, context) =>
      new Promise((resolve) => {
        resolve(authenticateOnTdx(evidence, context, roots))
      }),
    appraise: ({ claims }, reference, { checklist }) => {
      const entry = entryFor(reference, 'az-tdx-vtpm')
      appraiseTdxClaims(tdxClaimsSchema.parse(claims['hardware']), entry, checklist)
      appraiseGuest(guestClaimsSchema.parse(claims), entry, checklist.ofClaims)
    },
  }
}

/** The verifier that trusts AMD. */
export const azureSnpVerifier = azureSnpVerifierWith(amdRoots)

/** The verifier that trusts Intel. */
export const azureTdxVerifier = azureTdxVerifierWith(intelRoots)

function authenticateOnSnp(
  evidence: Evidence,
  { now, checklist }: VerifierContext,
  roots: AmdRoots,
): AuthenticEvidence {
  const certificates = {
    // The document may hold the certificate of the key itself; the chain above it, and who is revoked, never.
    vek: evidence.collateral?.['vek'],
    chain: neededCollateral(evidence, 'chain'),
    crl: neededCollateral(evidence, 'crl'),
  }
  const trust = { at: now, roots, revocationList: 'demanded' } as const
  const vm = authenticateAzureSnp(readAzureFiles({ evidenceJson: evidence.bytes }), certificates, trust)
  const hardware = snpClaimsOf(vm.hardware)
  const { statement, claims } = vtpmClaimsOf(vm, hardware)
  noteSigner(
    checklist,
    `a ${hardware.generation} ${hardware.signingKey} certified until ${hardware.certificatesUntil}`,
  )
  return authenticEvidence({
    kind: 'az-snp-vtpm',
    reportData: statement.extraData,
    carriage: 'nonce',
    measurement: toHex(vm.hardware.report.measurement),
    chip: hardware.chipId,
    issuedAt: null,
    vouchedUntil: vm.hardware.vouchedUntil,
    claims,
  })
}

function authenticateOnTdx(
  { bytes, collateral }: Evidence,
  { now, checklist }: VerifierContext,
  roots: readonly string[],
): AuthenticEvidence {
  const document = readAzureFiles({ evidenceJson: bytes })
  const vm = authenticateAzureTdx(document, collateral ?? null, { at: now, roots })
  const hardware = tdxClaimsOf(vm.hardware)
  const { statement, claims } = vtpmClaimsOf(vm, hardware)
  noteSigner(
    checklist,
    `a platform of ${hardware.fmspc}, by collateral valid until ${hardware.collateralUntil}`,
  )
  return authenticEvidence({
    kind: 'az-tdx-vtpm',
    reportData: statement.extraData,
    carriage: 'nonce',
    measurement: hardware.mrTd,
    chip: vm.hardware.platform.ppid,
    issuedAt: null,
    vouchedUntil: vm.hardware.validUntil,
    claims,
  })
}

function noteSigner(checklist: Checklist, hardware: string): void {
  checklist.held({
    stage: 'authenticate',
    check: 'signature',
    expected: 'signed by a vTPM that the hardware vouches for',
    seen: `signed by the vTPM of an Azure VM; below it ${hardware}`,
  })
}
