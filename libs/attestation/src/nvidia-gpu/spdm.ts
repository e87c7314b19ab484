/**
 * A measurement request and the signed response to it (DMTF DSP0274 1.1, §10.11), as NVIDIA's driver hands them out: one after
 * the other. Read in two steps: the frame, which says what was signed; and what is in it, once the signature is known to
 * be right.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError } from '../errors.js'

/** Request and response, cut by their own lengths. */
export interface SpdmFrame {
  /** The 32 bytes that the verifier asked for. */
  readonly requestNonce: Uint8Array
  readonly requestParameters: readonly [number, number]
  readonly blockCount: number
  readonly measurementRecord: Uint8Array
  readonly opaque: Uint8Array
  /** Everything but the signature. */
  readonly signed: Uint8Array
  /** r‖s on P-384. */
  readonly signature: Uint8Array
}

const what = 'SPDM report'
const version = 0x11
const getMeasurements = 0xe0
const measurements = 0x60
/** Bytes of the nonce in request and response. */
export const nonceLength = 32
const signatureLength = 96

/**
 * Cuts a report; its signature is its end.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseSpdmFrame(bytes: Uint8Array): SpdmFrame {
  const reader = new ByteReader(bytes, what)
  expectByte(reader, version, 'request version')
  expectByte(reader, getMeasurements, 'request code')
  const requestParameters = [reader.uintLe(1, 'request param1'), reader.uintLe(1, 'request param2')] as const
  const requestNonce = reader.take(nonceLength, 'request nonce')
  reader.take(1, 'request slot')

  expectByte(reader, version, 'response version')
  expectByte(reader, measurements, 'response code')
  reader.take(2, 'response parameters')
  const blockCount = reader.uintLe(1, 'number of blocks')
  const measurementRecord = reader.take(reader.uintLe(3, 'record length'), 'measurement record')
  reader.take(nonceLength, 'response nonce')
  const opaque = reader.take(reader.uintLe(2, 'opaque length'), 'opaque data')
  const signed = bytes.subarray(0, reader.offset)
  const signature = reader.take(signatureLength, 'signature')
  reader.end()
  return { requestNonce, requestParameters, blockCount, measurementRecord, opaque, signed, signature }
}

function expectByte(reader: ByteReader, expected: number, field: string): void {
  const seen = reader.uintLe(1, field)
  if (seen !== expected) throw malformed(field, `it is ${seen}; expected ${expected}`)
}

/** Measurements by number of the block, which begins at 1. */
export type Measurements = ReadonlyMap<number, Uint8Array>

/**
 * Reads the blocks of a report whose signature is right.
 * @throws AttestationError `MALFORMED`.
 */
export function parseMeasurements({
  requestParameters,
  blockCount,
  measurementRecord,
}: SpdmFrame): Measurements {
  // Bit 0 of param1 asks for the signature, 0xff in param2 for all blocks.
  if (requestParameters[0] !== 1 || requestParameters[1] !== 0xff)
    throw malformed('request parameters', 'it asks for something else than all measurements, signed')
  const reader = new ByteReader(measurementRecord, 'SPDM measurement record')
  const values = new Map<number, Uint8Array>()
  while (reader.remaining > 0) {
    const index = reader.uintLe(1, 'block index')
    if (index !== values.size + 1) throw malformed('block index', `${index} follows ${values.size}`)
    if (reader.uintLe(1, 'block specification') !== 1)
      throw malformed(`block ${index}`, 'not of the DMTF form')
    const block = new ByteReader(reader.take(reader.uintLe(2, 'block size'), 'block'), `SPDM block ${index}`)
    block.take(1, 'value type')
    values.set(index, block.take(block.uintLe(2, 'value size'), 'value'))
    if (block.remaining > 0) throw malformed(`block ${index}`, `${block.remaining} bytes follow its value`)
  }
  if (values.size !== blockCount || blockCount === 0)
    throw malformed('number of blocks', `it is ${blockCount}; there are ${values.size}`)
  return values
}

function malformed(field: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${field}: ${why}`, { stage: 'parse', field })
}
