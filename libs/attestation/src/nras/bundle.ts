/**
 * The result of NVIDIA's remote attestation service as it comes: an overall token, and one token a device (NRAS API v3 and
 * v4, "detached EAT bundle"). Nothing in it is trusted.
 */
import { AttestationError } from '../errors.js'
import { expectArray, expectObject, expectText, parseForeignJson } from '../json/foreign-json.js'

/** Tokens in compact form. */
export interface NrasBundle {
  readonly overall: string
  /** By name of the device, as `GPU-0`. */
  readonly devices: ReadonlyMap<string, string>
}

const what = 'NRAS bundle'
const maximumDevices = 64

/**
 * Reads `[["JWT", overall], {device: token, …}]`.
 * @throws AttestationError `MALFORMED`.
 */
export function parseNrasBundle(bytes: Uint8Array): NrasBundle {
  const bundle = expectArray(parseForeignJson(bytes, what), what)
  if (bundle.length !== 2) throw malformed(`it has ${bundle.length} parts; expected 2`)
  const overall = expectArray(bundle[0], `${what}: overall`)
  if (overall.length !== 2 || overall[0] !== 'JWT') throw malformed('its first part is no overall token')
  const devices = Object.entries(expectObject(bundle[1], `${what}: devices`))
  if (devices.length > maximumDevices)
    throw malformed(`it has ${devices.length} devices; at most ${maximumDevices}`)
  return {
    overall: expectText(overall[1], `${what}: overall`),
    devices: new Map(devices.map(([name, token]) => [name, expectText(token, `${what}: device`)])),
  }
}

function malformed(why: string): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what })
}
