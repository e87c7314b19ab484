/** Quotes of TDs and enclaves, in every form, byte by byte. */
import { createHash } from 'node:crypto'
import { concatBytes, fromHex } from '#libs/canonical'
import { signRaw } from './certificate-authority.js'
import type { QuoteForgery } from './fake-intel.js'
import { littleEndian } from './little-endian.js'

/** Offsets in the report of a TD. */
export const tdField = {
  teeTcbSvn: 0,
  mrSeam: 16,
  mrSignerSeam: 64,
  seamAttributes: 112,
  tdAttributes: 120,
  xfam: 128,
  mrTd: 136,
  mrConfigId: 184,
  mrOwner: 232,
  mrOwnerConfig: 280,
  rtmr0: 328,
  rtmr1: 376,
  rtmr2: 424,
  rtmr3: 472,
  reportData: 520,
  teeTcbSvn2: 584,
  mrServiceTd: 600,
} as const

/** Offsets in the report of an enclave. */
export const enclaveField = {
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
} as const

const vendor = '939a7233f79c4ca9940a0db3957f0607'
/** The signer of the quoting enclave. */
export const qeSigner = 'dc'.repeat(32)

/** A form of quote: TEE, version, and for TDs whether their report is 1.0 or 1.5. */
export type FakeQuoteForm = 'sgx v3' | 'sgx v4' | 'sgx v5' | 'td 1.0 v4' | 'td 1.0 v5' | 'td 1.5 v5'

/** The forms of quotes. */
export const fakeQuoteForms: readonly FakeQuoteForm[] = [
  'sgx v3',
  'sgx v4',
  'sgx v5',
  'td 1.0 v4',
  'td 1.0 v5',
  'td 1.5 v5',
]

/** Signs a quote as the draft says. */
export function makeQuote(forgery: QuoteForgery, pckChain: Uint8Array): Uint8Array {
  const { attestationKey, authenticationData, certificationTypes } = forgery
  const point = attestationKey.spki.subarray(-64)
  const qeReport = concatBytes(forgery.qeReport)
  if (forgery.namesKey)
    qeReport.set(createHash('sha256').update(point).update(authenticationData).digest(), 320)
  const certification = concatBytes(
    qeReport,
    signRaw(forgery.qeSigner, qeReport, 'sha256'),
    littleEndian(authenticationData.length, 2),
    authenticationData,
    certificationData(certificationTypes[1], pckChain),
  )
  const signed = concatBytes(forgery.header, forgery.bodyHeader, forgery.body)
  const signature = concatBytes(
    signRaw(forgery.attestationSigner, signed, 'sha256'),
    point,
    forgery.header[0] === 3 ? certification : certificationData(certificationTypes[0], certification),
  )
  return concatBytes(signed, littleEndian(signature.length, 4), signature, forgery.padding)
}

function certificationData(type: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(littleEndian(type, 2), littleEndian(bytes.length, 4), bytes)
}

/** The header of a quote. */
export function draftHeader(version: number, teeType: number): Uint8Array {
  return concatBytes(
    littleEndian(version, 2),
    littleEndian(2, 2),
    littleEndian(teeType, 4),
    new Uint8Array(4),
    fromHex(vendor),
    new Uint8Array(20),
  )
}

/** Type and length of a body, which version 5 has before it. */
export function draftBodyHeader(form: FakeQuoteForm, length: number): Uint8Array {
  const type = form.startsWith('sgx') ? 1 : form.startsWith('td 1.0') ? 2 : 3
  return concatBytes(littleEndian(type, 2), littleEndian(length, 4))
}

/** The report of a TD. */
export function draftTd(isLater: boolean): Uint8Array {
  const body = new Uint8Array(isLater ? 648 : 584)
  body.set([5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], tdField.teeTcbSvn)
  body.fill(0x5e, tdField.mrSeam, tdField.mrSeam + 48)
  body.set([0, 0, 0, 0x10], tdField.tdAttributes)
  body.set([0xe7, 0x02, 0x06], tdField.xfam)
  body.fill(0xd1, tdField.mrTd, tdField.mrTd + 48)
  body.fill(0xda, tdField.reportData, tdField.reportData + 64)
  return body
}

/** The report of an enclave. */
export function draftEnclave(): Uint8Array {
  const body = new Uint8Array(384)
  body.set([0x05], enclaveField.attributes)
  body.fill(0xe1, enclaveField.mrEnclave, enclaveField.mrEnclave + 32)
  body.fill(0xe2, enclaveField.mrSigner, enclaveField.mrSigner + 32)
  body.set([1], enclaveField.isvProdId)
  body.set([3], enclaveField.isvSvn)
  body.fill(0xda, enclaveField.reportData, enclaveField.reportData + 64)
  return body
}

/** The report of the quoting enclave. */
export function draftQuotingEnclave(): Uint8Array {
  const report = new Uint8Array(384)
  report.set([0x11, 0, 0, 0, 0, 0, 0, 0, 0xe7], enclaveField.attributes)
  report.set(fromHex(qeSigner), enclaveField.mrSigner)
  report.set([2], enclaveField.isvProdId)
  report.set([4], enclaveField.isvSvn)
  return report
}
