/** What reports of GPUs say, not verified. */
import { toHex, type JsonValue } from '#libs/canonical'
import { isForeignObject, parseForeignJson } from '../json/foreign-json.js'
import { parseGpuJson, type GpuJsonFormat } from '../nvidia-gpu/evidence-file.js'
import { parseOpaque } from '../nvidia-gpu/opaque.js'
import { parseMeasurements, parseSpdmFrame } from '../nvidia-gpu/spdm.js'
import type { UnverifiedFacts } from './inspect.js'

/**
 * Facts of a raw SPDM report, or of a JSON form with several.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function unverifiedGpuFacts(bytes: Uint8Array): UnverifiedFacts {
  if (bytes[0] === 0x11)
    return {
      unverifiedFacts: { gpus: [deviceFacts(bytes)] },
      warnings: ['no certificate chain beside the report: nobody vouches for its key'],
    }
  const elements = parseGpuJson(bytes, formatOf(bytes))
  return {
    unverifiedFacts: {
      gpus: elements.map(({ report, chain: [leaf] }) => ({
        certificate: leaf.subject.commonName,
        certificateUntil: new Date(leaf.validity.until).toISOString(),
        ...deviceFacts(report),
      })),
    },
    warnings: [],
  }
}

function formatOf(bytes: Uint8Array): GpuJsonFormat {
  const json = parseForeignJson(bytes, 'GPU evidence')
  if (!isForeignObject(json)) return 'nvsdk-json'
  return Object.hasOwn(json, 'evidences') ? 'evidences-json' : 'nras-request-json'
}

function deviceFacts(report: Uint8Array): Readonly<Record<string, JsonValue>> {
  const frame = parseSpdmFrame(report)
  const opaque = parseOpaque(frame.opaque)
  return {
    driver: opaque.driverVersion,
    vbios: opaque.vbiosVersion,
    firmwareId: opaque.firmwareId,
    measurements: parseMeasurements(frame).size,
    nonce: toHex(frame.requestNonce),
  }
}
