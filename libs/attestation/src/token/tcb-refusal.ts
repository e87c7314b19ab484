import type { AttestationErrorCode } from '../errors.js'

/** Which refusal a TCB status is that nobody accepts, by the words of the service. */
export function tcbRefusal(status: unknown): AttestationErrorCode {
  if (status === 'Revoked') return 'REVOKED'
  return status === 'OutOfDate' || status === 'OutOfDateConfigurationNeeded'
    ? 'TCB_OUT_OF_DATE'
    : 'TCB_NOT_UP_TO_DATE'
}
