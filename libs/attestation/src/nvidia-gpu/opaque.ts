/** What NVIDIA's firmware says beside the measurements: fields of type, length and value, read once the signature is right. */
import { toHex } from '#libs/canonical'
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError } from '../errors.js'

/** The fields that a verdict or a reader of one needs. Null: the report does not have it. */
export interface OpaqueFields {
  readonly driverVersion: string
  /** As `96.00.5E.00.01`. */
  readonly vbiosVersion: string
  readonly project: string | null
  readonly projectSku: string | null
  readonly chipSku: string | null
  /** SHA-384 of the firmware that holds the device's key, in hexadecimal. */
  readonly firmwareId: string | null
  /** The first video decoder, whose firmware measurement counts only where it is on. */
  readonly videoDecoder: 'enabled' | 'disabled' | 'unknown'
}

const what = 'SPDM opaque data'
const fieldType = {
  driverVersion: 3,
  vbiosVersion: 6,
  videoDecoder: 11,
  chipSku: 15,
  project: 17,
  projectSku: 18,
  firmwareId: 20,
  invalid: 255,
} as const
const firmwareIdLength = 48

/**
 * Reads the opaque data of a GPU.
 * @throws AttestationError `MALFORMED`; `WRONG_TYPE` without a driver and a VBIOS version, which every GPU states.
 */
export function parseOpaque(bytes: Uint8Array): OpaqueFields {
  const fields = new Map<number, Uint8Array>()
  const reader = new ByteReader(bytes, what)
  while (reader.remaining > 0) {
    const type = reader.uintLe(2, 'type')
    const value = reader.take(reader.uintLe(2, 'length'), `field ${type}`)
    if (type === fieldType.invalid || fields.has(type))
      throw malformed(`field ${type}`, 'it is invalid, or comes twice')
    fields.set(type, value)
  }
  const text = (type: number): string | null => {
    const value = fields.get(type)
    return value === undefined ? null : printable(value, `field ${type}`)
  }
  const driverVersion = text(fieldType.driverVersion)
  const vbios = fields.get(fieldType.vbiosVersion)
  if (driverVersion === null || vbios === undefined)
    throw new AttestationError('WRONG_TYPE', `${what}: no driver or VBIOS version: not of a GPU`, {
      stage: 'parse',
      field: 'driver version',
    })
  const firmwareId = fields.get(fieldType.firmwareId)
  if (firmwareId !== undefined && firmwareId.length !== firmwareIdLength)
    throw malformed('FWID', `${firmwareId.length} bytes; expected ${firmwareIdLength}`)
  return {
    driverVersion,
    vbiosVersion: vbiosText(vbios),
    project: text(fieldType.project),
    projectSku: text(fieldType.projectSku),
    chipSku: text(fieldType.chipSku),
    firmwareId: firmwareId === undefined ? null : toHex(firmwareId),
    videoDecoder: decoderState(fields.get(fieldType.videoDecoder)),
  }
}

// Two little-endian words: four bytes backwards, then the fifth.
function vbiosText(value: Uint8Array): string {
  if (value.length !== 8) throw malformed('VBIOS version', `${value.length} bytes; expected 8`)
  return [3, 2, 1, 0, 4].map((at) => toHex(value.subarray(at, at + 1)).toUpperCase()).join('.')
}

function decoderState(value: Uint8Array | undefined): OpaqueFields['videoDecoder'] {
  if (value?.length === 1 && value[0] === 0xaa) return 'enabled'
  return value?.length === 1 && value[0] === 0x55 ? 'disabled' : 'unknown'
}

// Filled up with zeros.
function printable(value: Uint8Array, field: string): string {
  const end = value.indexOf(0)
  const filled = end === -1 ? [] : value.subarray(end)
  const text = String.fromCharCode(...(end === -1 ? value : value.subarray(0, end)))
  if (filled.some((byte) => byte !== 0) || !/^[\x20-\x7e]{0,64}$/.test(text))
    throw malformed(field, 'it is not text')
  return text
}

function malformed(field: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${field}: ${why}`, { stage: 'parse', field })
}
