/**
 * Measurements against golden values, as NVIDIA's own verifier compares them: every active value of every manifest must be
 * met. Says nothing of measurements that no manifest given is about.
 */
import { toHex } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import type { AuthenticGpuReport } from './device.js'
import type { AuthenticManifest } from './manifest.js'

/** How a report compares with one manifest. */
export interface GoldenComparison {
  readonly manifest: AuthenticManifest
  /** How many values counted. */
  readonly active: number
  /** Indices of the manifest that differ, ascending. */
  readonly differing: readonly number[]
}

/** The firmware of the first video decoder, which is not measured where the decoder is off. */
const videoDecoderIndex = 35

/** Compares a report with a manifest. */
export function compareGolden(report: AuthenticGpuReport, manifest: AuthenticManifest): GoldenComparison {
  const counted = [...manifest.golden.values()].filter(
    ({ index }) => index !== videoDecoderIndex || report.opaque.videoDecoder !== 'disabled',
  )
  const differing = counted.filter(({ index, alternatives }) => {
    const measured = report.measurements.get(index + 1)
    return measured === undefined || !alternatives.includes(toHex(measured))
  })
  return {
    manifest,
    active: counted.length,
    differing: differing.map(({ index }) => index).sort((a, b) => a - b),
  }
}

/**
 * Demands that every golden value is met, that manifests are of the versions that the report states, and that no two of them
 * claim one index.
 * @throws AttestationError `MEASUREMENT_MISMATCH`.
 */
export function demandGolden(report: AuthenticGpuReport, manifests: readonly AuthenticManifest[]): void {
  const claimed = new Set<number>()
  for (const { golden } of manifests)
    for (const index of golden.keys()) {
      if (claimed.has(index)) throw mismatch(`index ${index}`, 'two manifests have an active value there')
      claimed.add(index)
    }
  for (const manifest of manifests) {
    const { differing } = compareGolden(report, manifest)
    const of = `the ${manifest.subject} manifest ${manifest.version}`
    if (differing.length > 0)
      throw mismatch(`index ${differing.join(', ')}`, `the measurement is none of the golden values of ${of}`)
    const { driverVersion, vbiosVersion } = report.opaque
    const stated = manifest.subject === 'driver' ? driverVersion : vbiosVersion
    if (manifest.version.toUpperCase() !== stated.toUpperCase())
      throw mismatch('version', `the report states ${stated}, and is compared with ${of}`)
  }
}

function mismatch(field: string, why: string): AttestationError {
  return new AttestationError('MEASUREMENT_MISMATCH', `GPU report: ${field}: ${why}`, {
    stage: 'appraise',
    field,
  })
}
