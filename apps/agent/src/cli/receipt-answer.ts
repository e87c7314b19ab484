import type { RefusalReason } from '#libs/protocol'
import type { ReceiptVerdict } from '../trust/verify-receipt.js'

/** The checks of a receipt that failed, as reasons. */
export function failedReasons(verdict: ReceiptVerdict): readonly RefusalReason[] {
  return verdict.checks
    .filter(({ ok }) => !ok)
    .map(({ check, expected, seen }) => ({
      rule: check,
      expected,
      seen,
      who: 'nobody: keep receipt and checkpoint, and ask the operator of log and enclave',
      text: 'a check of the receipt failed',
    }))
}
