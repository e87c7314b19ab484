export * from './binding.js'
export { parseBoundOffer, type BoundOffer } from './bound-offer.js'
export { Checklist, type Check, type Demand } from './checklist.js'
export * from './errors.js'
export {
  collateralDigest,
  evidenceDigest,
  evidenceKinds,
  type AppraisedEnclave,
  type AuthenticEvidence,
  type Collateral,
  type Evidence,
  type EvidenceKind,
  type EvidenceVerifier,
  type VerifierContext,
} from './evidence.js'
export * from './reference-values.js'
export * from './verifiers.js'
export * from './verify-enclave.js'
export { judgeEvidence, type EvidenceVerdict, type VerdictSteps } from './verdict.js'
export { judgeSnpReport } from './sev-snp/production.js'
export type { SnpEvidence } from './sev-snp/authenticate.js'
export { amdRoots, generations, type AmdRoots, type Generation } from './sev-snp/generations.js'
export { certificateFingerprint } from './x509/pinned.js'
export { awsNitroRoots } from './nitro/authenticate.js'
export { judgeNitroDocument, type NitroRules } from './nitro/production.js'
export type { QuoteFiles } from './dcap/files.js'
export { dcapCollateralNames, parseDcapCollateral, type DcapCollateralName } from './dcap/collateral.js'
export { intelRoots } from './dcap/roots.js'
export { judgeTdxQuote } from './tdx/production.js'
export { judgeSgxQuote } from './sgx/production.js'
export { judgeAzureSnp, judgeAzureTdx, type AzureRules } from './az-vtpm/production.js'
export type { AzureFiles } from './az-vtpm/evidence-forms.js'
