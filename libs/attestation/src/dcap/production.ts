/** What the strict policy for production demands of a platform's firmware, whichever TEE runs on it. */
import { refusal } from './refusal.js'
import type { TcbState } from './tcb-status.js'

/**
 * Exactly UpToDate.
 * @throws AttestationError `TCB_OUT_OF_DATE`, `TCB_NOT_UP_TO_DATE`, `REVOKED`.
 */
export function demandUpToDate({ status, advisories }: TcbState): void {
  if (status === 'UpToDate') return
  const known = advisories.length === 0 ? '' : ` (${advisories.join(', ')})`
  const why = status === null ? 'it is below every level that Intel lists' : `it is ${status}${known}`
  throw refusal(tcbRefusal(status), 'TCB status', `${why}; expected UpToDate: update firmware`, 'appraise')
}

/** The code that a status other than UpToDate is refused with; null: below every level. */
export function tcbRefusal(
  status: Exclude<TcbState['status'], 'UpToDate'>,
): 'REVOKED' | 'TCB_OUT_OF_DATE' | 'TCB_NOT_UP_TO_DATE' {
  if (status === 'Revoked') return 'REVOKED'
  return status === null || status === 'OutOfDate' ? 'TCB_OUT_OF_DATE' : 'TCB_NOT_UP_TO_DATE'
}
