/**
 * SGX and TDX quotes, versions 3, 4 and 5 (Intel SGX and TDX DCAP quoting library API, appendix A.3 to A.4).
 * Reads the layout and nothing else: what does not change it is checked once the signatures are, see
 * authenticate.ts.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import {
  enclaveReportLength,
  parseEnclaveReport,
  parseTdReport,
  tdReport10Length,
  tdReport15Length,
  type EnclaveReport,
  type TdReport,
} from './report.js'
import { refusal } from './refusal.js'

/** What a quote of each TEE states. */
export interface QuoteBodies {
  readonly sgx: EnclaveReport
  readonly tdx: TdReport
}

/** A TEE whose quotes are certified by Intel's quoting enclaves. */
export type QuotedTee = keyof QuoteBodies

/** A quote that anyone may have made. */
export interface Quote<Tee extends QuotedTee = QuotedTee> {
  readonly version: number
  /** 16 bytes. */
  readonly vendorId: Uint8Array
  /** Version 5 only: 1 SGX, 2 TD 1.0, 3 TD 1.5. */
  readonly bodyType: number | null
  readonly body: QuoteBodies[Tee]
  /** Header and body: what the attestation key signed. */
  readonly signed: Uint8Array
  /** r‖s. */
  readonly signature: Uint8Array
  /** x‖y on P-256. */
  readonly attestationKey: Uint8Array
  readonly quotingEnclave: QuotingEnclave
  /** PEM, leaf first. */
  readonly pckCertificates: Uint8Array
  /** Zero bytes after the signed length. */
  readonly paddingLength: number
}

/** How the quoting enclave vouches for the attestation key. */
export interface QuotingEnclave {
  readonly report: EnclaveReport
  /** The report's bytes: what the PCK signed. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
  readonly authenticationData: Uint8Array
}

const maximumQuoteLength = 1_048_576
const teeTypes: Readonly<Record<QuotedTee, number>> = { sgx: 0, tdx: 0x81 }
const ecdsaP256 = 2
const certificationTypes = { pckChain: 5, quotingEnclaveReport: 6 } as const
const bodies: { readonly [Tee in QuotedTee]: (bytes: Uint8Array) => QuoteBodies[Tee] } = {
  sgx: (bytes) => parseEnclaveReport(bytes, 'enclave report'),
  tdx: parseTdReport,
}
/** Lengths of version 5 bodies by type. */
const bodyTypes: Readonly<Record<number, readonly [tee: QuotedTee, length: number]>> = {
  1: ['sgx', enclaveReportLength],
  2: ['tdx', tdReport10Length],
  3: ['tdx', tdReport15Length],
}

/**
 * Reads a quote of one TEE. The quoting service fills a buffer of fixed size, so zero bytes may follow the
 * signed length.
 * @throws AttestationError `MALFORMED`, `WRONG_TYPE`, `ALGORITHM`, `TRAILING_DATA`.
 */
export function parseQuote<Tee extends QuotedTee>(bytes: Uint8Array, tee: Tee): Quote<Tee> {
  if (bytes.length > maximumQuoteLength)
    throw malformed('quote', `it has ${bytes.length} bytes; at most ${maximumQuoteLength}`)
  const reader = new ByteReader(bytes, 'quote')
  const version = reader.uintLe(2, 'version')
  if (version < 3 || version > 5) throw malformed('version', `it is ${version}; expected 3, 4 or 5`)
  const keyType = reader.uintLe(2, 'attestation key type')
  const teeType = reader.uintLe(4, 'TEE type')
  checkType({ version, keyType, teeType }, tee)
  reader.take(4, 'reserved')
  const vendorId = reader.take(16, 'quoting enclave vendor')
  reader.take(20, 'user data')

  const { bodyType, length } = version === 5 ? parseBodyType(reader, tee) : bodyOfVersion(tee)
  const body = bodies[tee](reader.take(length, 'body'))
  const signed = bytes.subarray(0, reader.offset)
  const signatureLength = reader.uintLe(4, 'signature length')
  const certified = parseSignature(reader.take(signatureLength, 'signature'), version)
  const padding = reader.take(reader.remaining, 'padding')
  if (padding.some((byte) => byte !== 0))
    throw refusal(
      'TRAILING_DATA',
      'quote',
      `${padding.length} bytes follow its signed length, not all zero`,
      'parse',
    )
  return { version, vendorId, bodyType, body, signed, ...certified, paddingLength: padding.length }
}

function checkType(
  { version, keyType, teeType }: Record<'version' | 'keyType' | 'teeType', number>,
  tee: QuotedTee,
): void {
  if (!Object.values(teeTypes).includes(teeType)) throw malformed('TEE type', `${teeType} is not known`)
  // Version 3 was made before there was a second TEE.
  if (version === 3 && teeType !== teeTypes.sgx)
    throw malformed('TEE type', `it is ${teeType} in a quote of version 3`)
  if (teeType !== teeTypes[tee])
    throw refusal('WRONG_TYPE', 'TEE type', `it is ${teeType}; expected ${teeTypes[tee]} (${tee})`, 'parse')
  if (keyType !== ecdsaP256)
    throw refusal('ALGORITHM', 'attestation key type', `it is ${keyType}; expected 2 (ECDSA P-256)`, 'parse')
}

function bodyOfVersion(tee: QuotedTee): { bodyType: null; length: number } {
  return { bodyType: null, length: tee === 'sgx' ? enclaveReportLength : tdReport10Length }
}

function parseBodyType(reader: ByteReader, tee: QuotedTee): { bodyType: number; length: number } {
  const bodyType = reader.uintLe(2, 'body type')
  const length = reader.uintLe(4, 'body length')
  const known = bodyTypes[bodyType]
  if (known === undefined) throw malformed('body type', `${bodyType} is not known`)
  if (known[0] !== tee)
    throw refusal('WRONG_TYPE', 'body type', `it is ${bodyType}, a body of ${known[0]}`, 'parse')
  if (known[1] !== length) throw malformed('body length', `it is ${length}; expected ${known[1]}`)
  return { bodyType, length }
}

type CertifiedSignature = Pick<Quote, 'signature' | 'attestationKey' | 'quotingEnclave' | 'pckCertificates'>

function parseSignature(bytes: Uint8Array, version: number): CertifiedSignature {
  const reader = new ByteReader(bytes, 'quote signature')
  const signature = reader.take(64, 'signature')
  const attestationKey = reader.take(64, 'attestation key')
  // From version 4 on, what vouches for the key is itself certification data.
  const certification =
    version === 3 ? reader : certificationData(reader, certificationTypes.quotingEnclaveReport)
  const signed = certification.take(enclaveReportLength, 'quoting enclave report')
  const reportSignature = certification.take(64, 'quoting enclave report signature')
  const authenticationLength = certification.uintLe(2, 'authentication data length')
  const authenticationData = certification.take(authenticationLength, 'authentication data')
  const chain = certificationData(certification, certificationTypes.pckChain)
  const pckCertificates = chain.take(chain.remaining, 'PCK certificates')
  certification.end()
  reader.end()
  return {
    signature,
    attestationKey,
    quotingEnclave: {
      report: parseEnclaveReport(signed, 'quoting enclave report'),
      signed,
      signature: reportSignature,
      authenticationData,
    },
    pckCertificates,
  }
}

// Types 1 to 4 and 7 name a certificate instead of holding it: there would be nothing to verify offline.
function certificationData(reader: ByteReader, expected: number): ByteReader {
  const type = reader.uintLe(2, 'certification data type')
  if (type !== expected) throw malformed('certification data type', `it is ${type}; expected ${expected}`)
  const length = reader.uintLe(4, 'certification data length')
  return new ByteReader(reader.take(length, 'certification data'), 'certification data')
}

function malformed(field: string, why: string): Error {
  return refusal('MALFORMED', field, why, 'parse')
}
