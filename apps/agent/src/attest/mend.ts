/** How to mend what a verdict on evidence found: who has to do what. One line a code, and no code without one. */
import type { AttestationErrorCode } from '#libs/attestation'

const anew = 'take the evidence anew on the machine and hand it over unchanged'
const host = 'the operator of the machine has to change how it is set up'
const parties = 'the parties can amend the contract, or the operator can run what it names'

const mends: Readonly<Record<AttestationErrorCode, string>> = {
  MALFORMED: `${anew}; or name its kind with --kind`,
  WRONG_TYPE:
    'give evidence of the kind that the contract names, with the certificate of the key that signed',
  ALGORITHM: 'only hardware whose signatures use the algorithm of its kind is accepted',
  TRAILING_DATA: anew,
  QUOTE_MISSING: 'give the hardware’s quote beside the rest',
  COLLATERAL_MISSING: 'give the folder of collateral with --collateral, with a file of that name',
  COLLATERAL_MISMATCH: 'fetch the collateral anew, for this platform',
  KEY_UNKNOWN: 'configure the service’s key set of the day',
  CHAIN_UNTRUSTED: 'give the chain of the vendor’s own certificates; another root is never accepted',
  NOT_YET_VALID: 'check the time given with --at',
  EXPIRED: 'fetch certificates and collateral anew, or give the time of the evidence with --at',
  REVOKED: 'the vendor has withdrawn it: use another machine',
  WRONG_CHIP: 'give the certificate of the chip that made the report',
  TCB_MISMATCH: 'give the certificate for the firmware that the report names',
  SIGNATURE_INVALID: anew,
  QE_IDENTITY_MISMATCH: host,
  WRONG_ISSUER: 'give a token of the service that is configured',
  WRONG_AUDIENCE: 'ask the service for a token for this purpose',
  BINDING_MISMATCH: 'the evidence was made for something else: take it anew over what is asked for',
  GPU_COUNT: parties,
  RESULT_FALSE: 'the service itself refused the device: see its own reasons',
  MEASUREMENT_MISMATCH: `other code runs than the contract names: ${parties}`,
  DEBUG_ENABLED: 'start the guest without debugging; no contract can allow it',
  MIGRATION_ALLOWED: 'start the guest without migration; no contract can allow it',
  RESERVED_BITS: 'a newer version may know what these bits mean; until then they are refused',
  IMAGE_NOT_PRODUCTION: 'start a production image',
  POLICY: parties,
  TCB_OUT_OF_DATE: 'the operator has to update the firmware; waiving it is for the parties',
  TCB_NOT_UP_TO_DATE: 'the operator has to update or configure the platform; waiving it is for the parties',
  EVIDENCE_TOO_LARGE: 'give the evidence alone',
  OFFER_MALFORMED: anew,
  REFERENCE_VALUES_INVALID: 'correct the entry of the contract; `sealroom contract check` says where',
  ENTRY_MISSING: 'the contract has no entry of that number',
  TEE_MISMATCH: 'compare with an entry of the same kind of TEE',
  TEE_UNSUPPORTED: 'this version releases nothing to that kind of TEE',
  SIMULATED_NOT_ALLOWED: 'a contract that accepts the simulated TEE accepts nothing else',
  KEY_MISMATCH: parties,
  BUILD_MISMATCH: parties,
  GPU_MISMATCH: parties,
  EVIDENCE_TOO_OLD: anew,
  EVIDENCE_NOT_YET_VALID: 'check the clocks of both machines',
}

/** What to do about a refusal. */
export function mendOf(code: AttestationErrorCode): string {
  return mends[code]
}
