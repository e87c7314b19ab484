import { CodedError } from '#libs/canonical'
import type { Check } from './checklist.js'

/** What can be wrong with evidence, with what it should show, or with who it is for. */
export type AttestationErrorCode =
  | 'EVIDENCE_MALFORMED'
  | 'EVIDENCE_TOO_LARGE'
  | 'OFFER_MALFORMED'
  | 'REFERENCE_VALUES_INVALID'
  | 'ENTRY_MISSING'
  | 'TEE_MISMATCH'
  | 'TEE_UNSUPPORTED'
  | 'SIMULATED_NOT_ALLOWED'
  | 'SIGNATURE_INVALID'
  | 'KEY_MISMATCH'
  | 'BINDING_MISMATCH'
  | 'MEASUREMENT_MISMATCH'
  | 'BUILD_MISMATCH'
  | 'GPU_MISMATCH'
  | 'EVIDENCE_TOO_OLD'
  | 'EVIDENCE_NOT_YET_VALID'

/** The step that said no, in the order in which they are taken. */
export type AttestationStage = 'parse' | 'authenticate' | 'bind' | 'appraise'

/** Where an {@link AttestationError} arose. */
export interface AttestationErrorOptions extends ErrorOptions {
  readonly stage: AttestationStage
  /** The wire name of the field or claim that was wrong. */
  readonly field: string
  /** What had been checked until then, the failed check last. */
  readonly checks?: readonly Check[]
}

/** Thrown by everything in `#libs/attestation`. Messages hold digests, measurements and times, never whole evidence. */
export class AttestationError extends CodedError<AttestationErrorCode> {
  readonly stage: AttestationStage
  readonly field: string
  readonly checks: readonly Check[]

  constructor(code: AttestationErrorCode, message: string, options: AttestationErrorOptions) {
    super(code, message, options)
    this.stage = options.stage
    this.field = options.field
    this.checks = options.checks ?? []
  }
}
