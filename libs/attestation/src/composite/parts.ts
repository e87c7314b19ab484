/** What a composite needs of its parts: each a verdict of its own verifier, and what the part carries that others can name. */
import type { EvidenceVerdict } from '../verdict.js'

/** One part: a CPU, its GPUs, or a service's result about them. */
export interface CompositePart {
  /** Unique within the composite. */
  readonly role: string
  readonly verdict: EvidenceVerdict
  /** What the code in a CPU's TEE put into its report, in hexadecimal; null for a part that has none. */
  readonly reportData: string | null
  /** Every nonce that the part was made for, in hexadecimal: of each GPU, of each token. */
  readonly nonces: readonly string[]
}

/** A part from its verdict: report data and nonces are facts of authentic evidence, and absent otherwise. */
export function compositePart(role: string, verdict: EvidenceVerdict): CompositePart {
  const { report_data: reportData, nonces, nonce, eat_nonce: tokenNonce } = verdict.facts
  const one = nonce ?? tokenNonce
  const all = Array.isArray(nonces) ? nonces : typeof one === 'string' ? [one] : []
  return {
    role,
    verdict,
    reportData: typeof reportData === 'string' ? reportData : null,
    // What is no text matches no nonce, and is kept for that.
    nonces: all.map((item) => (typeof item === 'string' ? item : '')),
  }
}
