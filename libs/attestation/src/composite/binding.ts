/**
 * What binds the parts of a composite. A CPU's report data that holds the digest of GPU evidence says that the code in the TEE
 * saw exactly this evidence: without it a GPU of another machine can be relayed, since equal nonces alone do not prove one host.
 */
import { concatBytes, fromHex, toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { sha256Hex } from '../x509/signature.node.js'
import type { CompositePart } from './parts.js'

/** One binding that must hold. */
export type CompositeBinding =
  | {
      readonly type: 'report-data'
      readonly role: string
      /** Report data is the SHA-256 of these, joined. */
      readonly sha256Of: readonly Uint8Array[]
      /** Follows the digest, before zeros. */
      readonly followedBy: Uint8Array | null
    }
  | {
      readonly type: 'part-nonce'
      /** Every nonce of this part is the composite's. */
      readonly role: string
    }

const reportDataLength = 64

/**
 * Demands that a binding holds.
 * @throws AttestationError `BINDING_MISMATCH`.
 */
export function demandBinding(
  parts: readonly CompositePart[],
  binding: CompositeBinding,
  nonce: Uint8Array,
): void {
  const { role } = binding
  const part = parts.find((candidate) => candidate.role === role)
  if (part === undefined) throw mismatch(role, 'there is no such part')
  if (binding.type === 'part-nonce') {
    const expected = toHex(nonce)
    if (part.nonces.length === 0 || part.nonces.some((seen) => seen !== expected))
      throw mismatch(role, `its nonces are ${part.nonces.join(', ') || 'absent'}; expected ${expected}`)
    return
  }
  const expected = expectedReportData(binding.sha256Of, binding.followedBy)
  if (part.reportData !== expected)
    throw mismatch(role, `report data is ${part.reportData ?? 'absent'}; expected ${expected}`)
}

function expectedReportData(sha256Of: readonly Uint8Array[], followedBy: Uint8Array | null): string {
  const bound = concatBytes(fromHex(sha256Hex(...sha256Of)), followedBy ?? new Uint8Array())
  if (bound.length > reportDataLength)
    throw mismatch('report data', `${bound.length} bytes are to be in ${reportDataLength}`)
  return toHex(concatBytes(bound, new Uint8Array(reportDataLength - bound.length)))
}

function mismatch(field: string, why: string): AttestationError {
  return new AttestationError('BINDING_MISMATCH', `composite: ${field}: ${why}`, { stage: 'bind', field })
}
