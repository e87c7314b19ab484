import { CodedError } from '#libs/canonical'
import type { Check } from './checklist.js'

/**
 * Why evidence itself is not believed: its form, signatures, chain, collateral, binding, or what it says of the machine.
 * The order of checks is each verifier's own, so that evidence wrong in two ways may be refused for either.
 */
export type EvidenceRefusal =
  /** Cannot be parsed: wrong length, unknown version, a reserved field that is set. */
  | 'MALFORMED'
  /** Well-formed, and not evidence of this kind. */
  | 'WRONG_TYPE'
  /** A signature algorithm or type of key that is not on the list. */
  | 'ALGORITHM'
  | 'TRAILING_DATA'
  | 'QUOTE_MISSING'
  | 'COLLATERAL_MISSING'
  /** Collateral of another platform, type or version. */
  | 'COLLATERAL_MISMATCH'
  /** The keys configured lack the one that signed. */
  | 'KEY_UNKNOWN'
  | 'CHAIN_UNTRUSTED'
  | 'NOT_YET_VALID'
  | 'EXPIRED'
  | 'REVOKED'
  | 'WRONG_CHIP'
  /** The certificate is for another TCB than the report states. */
  | 'TCB_MISMATCH'
  | 'SIGNATURE_INVALID'
  | 'QE_IDENTITY_MISMATCH'
  | 'WRONG_ISSUER'
  | 'WRONG_AUDIENCE'
  /** Nonce, report data, digest or key are not those asked for. */
  | 'BINDING_MISMATCH'
  | 'GPU_COUNT'
  | 'RESULT_FALSE'
  | 'MEASUREMENT_MISMATCH'
  | 'DEBUG_ENABLED'
  | 'MIGRATION_ALLOWED'
  | 'RESERVED_BITS'
  | 'IMAGE_NOT_PRODUCTION'
  /** A value that the owners' reference values do not accept. */
  | 'POLICY'
  | 'TCB_OUT_OF_DATE'
  | 'TCB_NOT_UP_TO_DATE'

/** What can be wrong with evidence, with what it should show, or with who it is for. */
export type AttestationErrorCode =
  | EvidenceRefusal
  | 'EVIDENCE_TOO_LARGE'
  | 'OFFER_MALFORMED'
  | 'REFERENCE_VALUES_INVALID'
  | 'ENTRY_MISSING'
  | 'TEE_MISMATCH'
  | 'TEE_UNSUPPORTED'
  | 'SIMULATED_NOT_ALLOWED'
  | 'KEY_MISMATCH'
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
