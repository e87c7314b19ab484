/**
 * Whether an NVIDIA GPU made a report. Guards form, chain to a pinned root, signature, and that the key belongs to the firmware
 * that the report names. Says nothing about whether measurements are good, see golden-values.ts, nor about revocation, which
 * NVIDIA answers by OCSP.
 */
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import type { Certificate } from '../x509/certificate.js'
import { verifyChain } from '../x509/chain.node.js'
import { isRawEcdsa } from '../x509/signature.node.js'
import type { GpuElement } from './evidence-file.js'
import { firmwareIdsOf } from './firmware-id.js'
import { parseOpaque, type OpaqueFields } from './opaque.js'
import { parseMeasurements, parseSpdmFrame, type Measurements } from './spdm.js'

/** Whose devices are believed, and when. */
export interface GpuTrust {
  /** In milliseconds. */
  readonly at: number
  /** SHA-256 fingerprints. */
  readonly deviceRoots: readonly string[]
}

declare const authentic: unique symbol

/** A report that a GPU of NVIDIA made. */
export interface AuthenticGpuReport {
  readonly [authentic]: true
  /** What it was asked with. */
  readonly requestNonce: Uint8Array
  readonly measurements: Measurements
  readonly opaque: OpaqueFields
  /** Common name of the certificate whose key signed. */
  readonly leafName: string
  /** Subject of that certificate, with the device's serial number: two reports of one device are equal here. */
  readonly device: string
}

const algorithms = ['ecdsa-sha384'] as const

/**
 * Authenticates the report of one GPU.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `ALGORITHM`, `CHAIN_UNTRUSTED`, `NOT_YET_VALID`, `EXPIRED`,
 * `WRONG_TYPE`, `SIGNATURE_INVALID`, `BINDING_MISMATCH`.
 */
export function authenticateGpuReport(element: GpuElement, trust: GpuTrust): AuthenticGpuReport {
  const frame = parseSpdmFrame(element.report)
  const [leaf, ...issuers] = element.chain
  verifyChain(leaf, issuers, { at: trust.at, roots: trust.deviceRoots, algorithms, what: 'GPU certificate' })
  const leafName = checkLeaf(leaf)
  if (!isRawEcdsa(frame, leaf.publicKey, { curve: 'P-384', hash: 'sha384' }, 'SPDM report'))
    throw refused('SIGNATURE_INVALID', 'signature', `the key of ${leafName} did not make it`)
  const opaque = parseOpaque(frame.opaque)
  const measurements = parseMeasurements(frame)
  checkFirmware(opaque, leaf)
  const { requestNonce } = frame
  const report: Omit<AuthenticGpuReport, typeof authentic> = {
    requestNonce,
    measurements,
    opaque,
    leafName,
    device: leaf.subject.encoded,
  }
  return Object.freeze(report) as AuthenticGpuReport
}

// Switches have the same root. GH100, GB100, GB202, …: the names of GPUs begin with G.
function checkLeaf({ subject, basicConstraints, keyUsage }: Certificate): string {
  const name = subject.commonName ?? ''
  if (!/^G[A-Z]\d{3} /.test(name)) throw refused('WRONG_TYPE', 'certificate', `${name} is no GPU`)
  if (basicConstraints.isAuthority || (keyUsage !== null && !keyUsage.includes('digitalSignature')))
    throw refused('CHAIN_UNTRUSTED', 'certificate', `${name} may not sign reports`)
  return name
}

// Firmware of before 2024 states no id.
function checkFirmware({ firmwareId }: OpaqueFields, leaf: Certificate): void {
  if (firmwareId !== null && !firmwareIdsOf(leaf).includes(firmwareId))
    throw refused('BINDING_MISMATCH', 'FWID', `${firmwareId} is not the firmware that the certificate is for`)
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `GPU report: ${field}: ${why}`, { stage: 'authenticate', field })
}
