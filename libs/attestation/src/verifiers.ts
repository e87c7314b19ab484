import { evidenceKinds, type EvidenceKind, type EvidenceVerifier } from './evidence.js'
import { azureSnpVerifier, azureTdxVerifier } from './az-vtpm/verifier.js'
import { AttestationError } from './errors.js'
import { confidentialSpaceVerifier } from './gcp-cs/verifier.js'
import { maaSnpVerifier, maaTdxVerifier } from './maa/verifier.js'
import { nitroVerifier } from './nitro/verifier.js'
import { sevSnpVerifier } from './sev-snp/verifier.js'
import { simulatedVerifier } from './simulated/verifier.js'
import { tdxVerifier } from './tdx/verifier.js'

/** The verifiers on whose word a key may be released. A new TEE adds its line here, once its way to a release has been attacked. */
export const evidenceVerifiers: readonly EvidenceVerifier[] = [
  simulatedVerifier,
  sevSnpVerifier,
  tdxVerifier,
  nitroVerifier,
  azureSnpVerifier,
  azureTdxVerifier,
  maaSnpVerifier,
  maaTdxVerifier,
  confidentialSpaceVerifier,
]

/**
 * The verifier of a kind of evidence.
 * @throws AttestationError `TEE_UNSUPPORTED`: contracts may name the TEE, and nothing is released to it.
 */
export function verifierOf(kind: EvidenceKind, verifiers = evidenceVerifiers): EvidenceVerifier {
  const verifier = verifiers.find((candidate) => candidate.kind === kind)
  if (verifier !== undefined) return verifier
  const known = verifiers.map((candidate) => candidate.kind).join(', ')
  const reason = evidenceKinds.includes(kind)
    ? 'this version cannot verify its evidence yet'
    : 'there is no such TEE'
  throw new AttestationError(
    'TEE_UNSUPPORTED',
    `evidence of ${kind} is refused: ${reason}; it verifies ${known}`,
    {
      stage: 'authenticate',
      field: 'kind',
    },
  )
}
