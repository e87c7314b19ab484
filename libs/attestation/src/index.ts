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
export * from './collateral/ask.js'
export * from './collateral/collateral-files.js'
export * from './collateral/collateral-text.js'
export * from './collateral/gpu-manifests.js'
export * from './collateral/rollback.js'
export * from './collateral/source.js'
export * from './reference-values.js'
export * from './verifiers.js'
export * from './verify-enclave.js'
export * from './shown-evidence.js'
export { judgeEvidence, type EvidenceVerdict, type VerdictSteps } from './verdict.js'
export { judgeSnpReport } from './sev-snp/production.js'
export { readTcb, type Tcb } from './sev-snp/tcb.js'
export { sevSnpVerifierWith } from './sev-snp/verifier.js'
export { tdxVerifierWith } from './tdx/verifier.js'
export type { SnpEvidence } from './sev-snp/authenticate.js'
export {
  amdRoots,
  generationNames,
  generations,
  type AmdRoots,
  type Generation,
} from './sev-snp/generations.js'
export { certificateFingerprint } from './x509/pinned.js'
export { awsNitroRoots } from './nitro/authenticate.js'
export { nitroVerifierWith } from './nitro/verifier.js'
export { judgeNitroDocument, type NitroRules } from './nitro/production.js'
export type { QuoteFiles } from './dcap/files.js'
export { dcapCollateralNames, parseDcapCollateral, type DcapCollateralName } from './dcap/collateral.js'
export { intelRoots } from './dcap/roots.js'
export { judgeTdxQuote } from './tdx/production.js'
export { judgeSgxQuote } from './sgx/production.js'
export { judgeAzureSnp, judgeAzureTdx, type AzureRules } from './az-vtpm/production.js'
export { azureSnpVerifierWith, azureTdxVerifierWith } from './az-vtpm/verifier.js'
export type { AzureFiles } from './az-vtpm/evidence-forms.js'
export { keySetName } from './token/service-token.js'
export { parseKeySet, type KeySet } from './token/key-set.node.js'
export type { TokenTrust } from './token/authenticate-token.node.js'
export { judgeGpus, judgeManifests, type GpuEvidence, type GpuRequest } from './nvidia-gpu/production.js'
export { nvidiaDeviceRoots, nvidiaRimRoots } from './nvidia-gpu/roots.js'
export {
  nvidiaGpuVerifier,
  nvidiaGpuVerifierWith,
  type GpuVerifier,
  type NvidiaRoots,
  type ShownGpus,
} from './nvidia-gpu/verifier.js'
export { judgeNras, type NrasRequest } from './nras/production.js'
export { nrasIssuer } from './nras/authenticate.js'
export { judgeMaa } from './maa/production.js'
export {
  confidentialSpaceIssuer,
  judgeConfidentialSpace,
  type ConfidentialSpaceRequest,
} from './gcp-cs/production.js'
export { compositePart, type CompositePart } from './composite/parts.js'
export type { CompositeBinding } from './composite/binding.js'
export { judgeComposite, type CompositeRequest } from './composite/production.js'
export * from './verify-alone.js'
export { detectEvidence, inspectedKinds, maximumInspectedBytes } from './inspect/detect.js'
export type { DetectedEvidence, InspectedKind } from './inspect/detect.js'
export { inspectUnverified, type UnverifiedInspection } from './inspect/inspect.js'
export { proposeReference, type ProposedReference } from './inspect/propose-reference.js'
