/**
 * What ties evidence to one Offer, and so to its keys, nonces, contract and run. Guards against evidence of a genuine
 * enclave being shown for somebody else's keys, and a GPU of another machine being shown beside a genuine CPU.
 */
import { canonicalBytes, digest, digest512, domains, equalBytes, fromHex, toHex } from '#libs/canonical'
import { parseBoundOffer, type BoundOffer } from './bound-offer.js'
import type { Checklist } from './checklist.js'
import { evidenceDigest, type AuthenticEvidence, type Evidence } from './evidence.js'
import { AttestationError } from './errors.js'

/** Report data of the CPU's evidence: SHA-512(tag ‖ payload bytes of the Offer), 64 bytes. */
export function offerReportData(offerPayload: Uint8Array): Uint8Array {
  return digest512(domains.offerBinding, offerPayload)
}

/**
 * The nonce by which evidence that holds no 64 bytes carries report data: SHA-256(tag ‖ report data), 32 bytes. A quote of a vTPM takes as many
 * as its largest digest has, which differs between them; tokens of services take short texts.
 */
export function evidenceNonce(reportData: Uint8Array): Uint8Array {
  return fromHex(digest(domains.evidenceNonce, reportData))
}

/**
 * Checks that authentic evidence carries report data, in the form of its kind.
 * @throws AttestationError `BINDING_MISMATCH`.
 */
export function checkReportData(
  { reportData, carriage }: AuthenticEvidence,
  asked: Uint8Array,
  checklist: Checklist,
): void {
  const expected = carriage === 'nonce' ? evidenceNonce(asked) : asked
  checklist.demand({
    stage: 'bind',
    check: 'reportData',
    expected: toHex(expected),
    seen: toHex(reportData),
    ok: equalBytes(expected, reportData),
    code: 'BINDING_MISMATCH',
  })
}

/**
 * The SPDM nonce of one GPU: SHA-256(tag ‖ canonical Offer with `gpuEvidence` null ‖ device index, 4 bytes big-endian).
 * The GPU's evidence is made before the Offer can name its digest, hence without it; the CPU's report then covers both.
 * @throws AttestationError `OFFER_MALFORMED`.
 */
export function gpuNonce(offerPayload: Uint8Array, device: number): Uint8Array {
  const { value } = parseBoundOffer(offerPayload)
  if (!Number.isInteger(device) || device < 0 || device > 63)
    throw new AttestationError('OFFER_MALFORMED', `no GPU device ${device}`, {
      stage: 'bind',
      field: 'gpuEvidence',
    })
  const withoutGpu = canonicalBytes({ ...value, gpuEvidence: null })
  return fromHex(digest(domains.gpuBinding, withoutGpu, Uint8Array.of(0, 0, 0, device)))
}

/**
 * Checks that authentic evidence was made over exactly this Offer.
 * @throws AttestationError `BINDING_MISMATCH`.
 */
export function checkOfferBinding(
  evidence: AuthenticEvidence,
  offer: BoundOffer,
  checklist: Checklist,
): void {
  checkReportData(evidence, offerReportData(offer.payload), checklist)
}

/**
 * Checks that the GPU evidence shown is what the Offer names, device by device.
 * @throws AttestationError `GPU_MISMATCH`.
 */
export function checkGpuDigests(evidence: Evidence, offer: BoundOffer, checklist: Checklist): void {
  const expected = (offer.gpuEvidence ?? []).join(' ')
  const seen = (evidence.gpu ?? []).map(evidenceDigest).join(' ')
  checklist.demand({
    stage: 'bind',
    check: 'gpuEvidence',
    expected: expected || 'none',
    seen: seen || 'none',
    ok: expected === seen,
    code: 'GPU_MISMATCH',
  })
}
