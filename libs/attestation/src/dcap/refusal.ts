import { AttestationError, type AttestationStage, type EvidenceRefusal } from '../errors.js'

/** A refusal of a quote or its collateral, naming the field. */
export function refusal(
  code: EvidenceRefusal,
  field: string,
  why: string,
  stage: AttestationStage = 'authenticate',
  cause?: unknown,
): AttestationError {
  return new AttestationError(code, `${field}: ${why}`, { stage, field, cause })
}
