/** The identity of Intel's quoting enclave (PCS API v4): which enclave may vouch for attestation keys. */
import { z } from 'zod'
import { fromHex, toHex } from '#libs/canonical'
import type { QuotedTee } from './quote.js'
import type { EnclaveReport } from './report.js'
import { refusal } from './refusal.js'
import { checkBelongs, hexBytes, isvLevels, jsonTime, parseSignedJson, svn16 } from './signed-json.js'
import { stateOf } from './tcb-info.js'
import type { TcbState } from './tcb-status.js'

const headerSchema = z.looseObject({
  id: z.string(),
  version: z.int(),
  issueDate: jsonTime,
  nextUpdate: jsonTime,
})

const qeIdentitySchema = headerSchema.extend({
  tcbEvaluationDataNumber: z.int().min(0),
  miscselect: hexBytes(4),
  miscselectMask: hexBytes(4),
  attributes: hexBytes(16),
  attributesMask: hexBytes(16),
  mrsigner: hexBytes(32),
  isvprodid: svn16,
  tcbLevels: isvLevels,
})

/** The identity as signed by Intel. */
export type QeIdentity = Readonly<z.infer<typeof qeIdentitySchema>>

const ids: Readonly<Record<QuotedTee, string>> = { sgx: 'QE', tdx: 'TD_QE' }

/**
 * Reads the identity of the quoting enclave of a TEE.
 * @throws AttestationError `COLLATERAL_MISMATCH`, `MALFORMED`.
 */
export function parseQeIdentity(bytes: Uint8Array, tee: QuotedTee): QeIdentity {
  const { id, version } = parseSignedJson(bytes, headerSchema, 'qe_identity')
  checkBelongs('qe_identity', { id: [id, ids[tee]], version: [version, 2] })
  return parseSignedJson(bytes, qeIdentitySchema, 'qe_identity')
}

/**
 * Checks that a report is of the enclave that Intel means, and gives the state of its SVN.
 * @throws AttestationError `QE_IDENTITY_MISMATCH`.
 */
export function quotingEnclaveState(identity: QeIdentity, report: EnclaveReport): TcbState {
  const { miscselect, miscselectMask, attributes, attributesMask, mrsigner, isvprodid, tcbLevels } = identity
  checkField('MRSIGNER', toHex(report.mrSigner), mrsigner)
  checkField('ISVPRODID', String(report.isvProdId), String(isvprodid))
  checkField('MISCSELECT', masked(report.miscSelect, miscselectMask), miscselect)
  checkField('ATTRIBUTES', masked(report.attributes, attributesMask), attributes)
  return stateOf(tcbLevels.find(({ tcb }) => tcb.isvsvn <= report.isvSvn))
}

/** Those bits that a mask in hexadecimal leaves, in hexadecimal. */
export function masked(bytes: Uint8Array, mask: string): string {
  const bits = fromHex(mask)
  return toHex(bytes.map((byte, n) => byte & (bits[n] ?? 0)))
}

function checkField(field: string, seen: string, expected: string): void {
  if (seen !== expected)
    throw refusal(
      'QE_IDENTITY_MISMATCH',
      'quoting enclave',
      `${field} is ${seen}; expected ${expected}: it is not Intel's quoting enclave`,
    )
}
