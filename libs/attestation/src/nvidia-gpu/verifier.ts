/**
 * Whether the GPUs beside a CPU are those that a contract means, each asked for exactly this Offer. Guards against a GPU of another
 * machine: its nonce is derived from the Offer, and the CPU's report covers its evidence. Says nothing about revocation of a device's
 * certificates, which NVIDIA answers by OCSP: owners refuse a device by Revocation or house rules.
 */
import { digest, domains, equalBytes, fromHex, toHex } from '#libs/canonical'
import { gpuManifestPrefix } from '../collateral/gpu-manifests.js'
import type { ClaimDemand } from '../checklist.js'
import type { Collateral, VerifierContext } from '../evidence.js'
import { AttestationError } from '../errors.js'
import type { GpuReferenceValues } from '../reference-values.js'
import { authenticateGpuReport, type AuthenticGpuReport } from './device.js'
import { parseGpuJson } from './evidence-file.js'
import { demandGolden } from './golden-values.js'
import { authenticateManifest, type AuthenticManifest } from './manifest.js'
import { nvidiaDeviceRoots, nvidiaRimRoots } from './roots.js'

/** What is shown of the GPUs of one Offer, in device order. */
export interface ShownGpus {
  readonly evidence: readonly Uint8Array[]
  /** What each of them must have been asked with: see `gpuNonce`. */
  readonly nonces: readonly Uint8Array[]
  /** Holds NVIDIA's manifests, by the names of `gpuManifestName`. */
  readonly collateral: Collateral
}

/** Verifies what GPUs say. Pure: no clock, network or randomness of its own. */
export interface GpuVerifier {
  /**
   * Authenticates each report, compares it with its nonce, NVIDIA's golden values and the contract; answers the devices' ids.
   * @throws AttestationError `GPU_MISMATCH`, `BINDING_MISMATCH`, `COLLATERAL_MISSING`, `MEASUREMENT_MISMATCH`, `POLICY`, and the codes of
   * `authenticateGpuReport` and `authenticateManifest`.
   */
  verify(shown: ShownGpus, reference: GpuReferenceValues, context: VerifierContext): readonly string[]
}

/** The roots under which devices and manifests are believed, as SHA-256 fingerprints. */
export interface NvidiaRoots {
  readonly deviceRoots: readonly string[]
  readonly manifestRoots: readonly string[]
}

const modelPrefixes = { hopper: ['GH'], blackwell: ['GB'] } as const

/** A verifier that trusts these roots. */
export function nvidiaGpuVerifierWith(roots: NvidiaRoots): GpuVerifier {
  return {
    verify: ({ evidence, nonces, collateral }, reference, { now, checklist }) => {
      const trust = { ...roots, at: now }
      const manifests = manifestsIn(collateral).map((bytes) => authenticateManifest(bytes, trust))
      const reports = evidence.map((bytes) => authenticateGpuReport(onlyElement(bytes), trust))
      for (const [index, report] of reports.entries()) {
        const demand: ClaimDemand = (check, ...rest) => {
          checklist.ofClaims(`gpu ${index} ${check}`, ...rest)
        }
        demandAsked(report, nonces[index], demand)
        demandModel(report, reference, demand)
        demandGolden(report, manifestsOf(report, manifests))
        checklist.held({
          stage: 'appraise',
          check: `gpu ${index} measurements`,
          expected: 'NVIDIA’s golden values of its driver and its VBIOS',
          seen: 'those',
        })
      }
      return distinctDevices(reports, checklist.ofClaims)
    },
  }
}

/** The verifier that trusts NVIDIA. */
export const nvidiaGpuVerifier = nvidiaGpuVerifierWith({
  deviceRoots: nvidiaDeviceRoots,
  manifestRoots: nvidiaRimRoots,
})

/** The id of a device, as Revocations name it: SHA-256 over the subject of its certificate, in hexadecimal. */
export function gpuDeviceId({ device }: Pick<AuthenticGpuReport, 'device'>): string {
  return digest(domains.gpuDevice, fromHex(device))
}

function manifestsIn(collateral: Collateral): readonly Uint8Array[] {
  return Object.entries(collateral).flatMap(([name, bytes]) =>
    name.startsWith(gpuManifestPrefix) ? [bytes] : [],
  )
}

// The evidence of one device is NVIDIA's list with one element.
function onlyElement(bytes: Uint8Array) {
  const [element, ...more] = parseGpuJson(bytes, 'nvsdk-json')
  if (element !== undefined && more.length === 0) return element
  throw new AttestationError('GPU_MISMATCH', `evidence of one GPU holds ${more.length + 1} reports`, {
    stage: 'parse',
    field: 'gpuEvidence',
  })
}

function demandAsked(
  { requestNonce }: AuthenticGpuReport,
  nonce: Uint8Array | undefined,
  demand: ClaimDemand,
): void {
  const isOurs = nonce !== undefined && equalBytes(requestNonce, nonce)
  demand(
    'nonce',
    nonce === undefined ? 'none' : toHex(nonce),
    toHex(requestNonce),
    isOurs,
    'BINDING_MISMATCH',
  )
}

function demandModel(
  { leafName, opaque }: AuthenticGpuReport,
  { model, driver, vbios }: GpuReferenceValues,
  demand: ClaimDemand,
): void {
  demand(
    'model',
    model,
    leafName,
    modelPrefixes[model].some((prefix) => leafName.startsWith(prefix)),
  )
  demand('driver', driver.join(' or '), opaque.driverVersion, driver.includes(opaque.driverVersion))
  demand('vbios', vbios.join(' or '), opaque.vbiosVersion, vbios.includes(opaque.vbiosVersion))
}

// Both must be there: a device that nobody compares with anything may run whatever its host put on it.
function manifestsOf(
  { opaque }: AuthenticGpuReport,
  manifests: readonly AuthenticManifest[],
): readonly AuthenticManifest[] {
  const [driver, vbios] = [opaque.driverVersion, opaque.vbiosVersion].map((version) =>
    manifests.filter((manifest) => manifest.version.toUpperCase() === version.toUpperCase()),
  )
  const lacking = [driver ?? [], vbios ?? []].findIndex((found) => found.length === 0)
  if (lacking !== -1) {
    const what = lacking === 0 ? `driver ${opaque.driverVersion}` : `VBIOS ${opaque.vbiosVersion}`
    throw new AttestationError(
      'COLLATERAL_MISSING',
      `NVIDIA’s manifest of ${what} is not there; hand it over with the evidence`,
      { stage: 'authenticate', field: 'RIM' },
    )
  }
  return [...(driver ?? []), ...(vbios ?? [])]
}

// One device shown twice is one device.
function distinctDevices(reports: readonly AuthenticGpuReport[], demand: ClaimDemand): readonly string[] {
  const devices = reports.map(gpuDeviceId)
  const distinct = new Set(devices).size
  demand(
    'gpu devices',
    `${devices.length} different ones`,
    devices.join(', '),
    distinct === devices.length,
    'GPU_MISMATCH',
  )
  return devices
}
