/**
 * The attestation document of an AWS Nitro enclave (AWS, "Verifying the root of trust"): a map in a COSE_Sign1 message. Anyone
 * may have made it; see authenticate.ts.
 */
import { parseCbor, type CborMap, type CborValue } from '../cbor/cbor-reader.js'
import { AttestationError } from '../errors.js'

/** What a document says, read and not verified. */
export interface NitroDocument {
  readonly moduleId: string
  /** In milliseconds. */
  readonly timestamp: number
  /** SHA-384 measurements by number. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  readonly publicKey: Uint8Array | null
  readonly userData: Uint8Array | null
  readonly nonce: Uint8Array | null
}

/** The certificates that stand within a document, in DER. */
export interface NitroCertificates {
  readonly leaf: Uint8Array
  /** The root first. */
  readonly bundle: readonly Uint8Array[]
}

const what = 'Nitro document'
const fields: readonly (number | string)[] = [
  'module_id',
  'digest',
  'timestamp',
  'pcrs',
  'certificate',
  'cabundle',
  'public_key',
  'user_data',
  'nonce',
]
const pcrCount = 32
const pcrLength = 48
const maximumCertificates = 16
const latestTime = 8.64e15

/**
 * Reads the payload as a map, and no field of it yet.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseNitroPayload(payload: Uint8Array): CborMap {
  const value = parseCbor(payload, what)
  if (!(value instanceof Map)) throw malformed('payload', 'it is no map')
  return value as CborMap
}

/** Reads the certificates, since without them nothing can be verified. */
export function parseNitroCertificates(payload: CborMap): NitroCertificates {
  const bundle = payload.get('cabundle')
  if (!Array.isArray(bundle) || bundle.length === 0 || bundle.length > maximumCertificates)
    throw malformed('cabundle', `not a list of 1 to ${maximumCertificates} certificates`)
  return {
    leaf: bytesOf(payload.get('certificate'), 'certificate', 1024),
    bundle: bundle.map((certificate: CborValue) => bytesOf(certificate, 'cabundle', 1024)),
  }
}

/** Reads everything else. */
export function parseNitroDocument(payload: CborMap): NitroDocument {
  for (const name of payload.keys())
    if (!fields.includes(name)) throw malformed('payload', 'a field that has no meaning here')
  const moduleId = payload.get('module_id')
  if (typeof moduleId !== 'string' || moduleId === '') throw malformed('module_id', 'it is no text')
  if (payload.get('digest') !== 'SHA384') throw malformed('digest', 'it is not SHA384')
  const timestamp = payload.get('timestamp')
  if (typeof timestamp !== 'number' || timestamp <= 0 || timestamp > latestTime)
    throw malformed('timestamp', 'it is no time')
  return {
    moduleId,
    timestamp,
    pcrs: parsePcrs(payload.get('pcrs')),
    publicKey: optionalBytesOf(payload, 'public_key', 1024),
    userData: optionalBytesOf(payload, 'user_data', 512),
    nonce: optionalBytesOf(payload, 'nonce', 512),
  }
}

function parsePcrs(value: CborValue | undefined): ReadonlyMap<number, Uint8Array> {
  if (!(value instanceof Map) || value.size === 0) throw malformed('pcrs', 'it is no map of measurements')
  const pcrs = new Map<number, Uint8Array>()
  for (const [index, measurement] of value as CborMap) {
    if (typeof index !== 'number' || index < 0 || index >= pcrCount)
      throw malformed('pcrs', `an index that is not 0 to ${pcrCount - 1}`)
    if (!(measurement instanceof Uint8Array) || measurement.length !== pcrLength)
      throw malformed('pcrs', `PCR${index} has not ${pcrLength} bytes`)
    pcrs.set(index, measurement)
  }
  if (!pcrs.has(0)) throw malformed('pcrs', 'PCR0 is missing')
  return pcrs
}

function optionalBytesOf(payload: CborMap, field: string, maximum: number): Uint8Array | null {
  const value = payload.get(field) ?? null
  if (value === null) return null
  if (!(value instanceof Uint8Array) || value.length > maximum)
    throw malformed(field, `it is not at most ${maximum} bytes`)
  return value
}

function bytesOf(value: CborValue | undefined, field: string, maximum: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > maximum)
    throw malformed(field, `not 1 to ${maximum} bytes`)
  return value
}

function malformed(field: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${field}: ${why}`, { stage: 'parse', field })
}
