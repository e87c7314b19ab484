import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canonicalBytes, toBase64, utf8, type JsonValue } from '#libs/canonical'
import {
  aClock,
  evidenceFolder,
  FakeNvidia,
  gpuField,
  refusalOf,
  seededBytes,
  type GpuForgery,
  type ManifestForgery,
} from '#libs/testing'
import { Checklist } from '../checklist.js'
import { gpuManifestAsksOf, gpuManifestName } from '../collateral/gpu-manifests.js'
import type { AttestationErrorCode } from '../errors.js'
import type { GpuReferenceValues } from '../reference-values.js'
import { nvidiaGpuVerifierWith, type ShownGpus } from './verifier.js'

const now = aClock().now()
const nvidia = new FakeNvidia()
const nonces = [0, 1].map((place) => seededBytes(`gpu ${place}`)(32))
const reference: GpuReferenceValues = {
  model: 'hopper',
  driver: ['550.90.07'],
  vbios: ['96.00.5E.00.01'],
  devices: 2,
}

/** Everything of a verdict that a row may change. */
interface Scene {
  readonly gpus: GpuForgery[]
  readonly manifests: Record<'driver' | 'vbios', ManifestForgery>
  reference: GpuReferenceValues
  now: number
  /** Changes what is shown, after everything is signed. */
  onTheWay: (shown: { -readonly [Name in keyof ShownGpus]: ShownGpus[Name] }) => void
  /** Whose roots are pinned. */
  isTrusted: { devices: boolean; manifests: boolean }
}

function scene(): Scene {
  const gpus = nonces.map((nonce, place) => {
    const forgery = nvidia.draft(now, nonce)
    forgery.leaf.subject = `GH100 A01 GSP FMC LF ${place}`
    return forgery
  })
  return {
    gpus,
    manifests: { driver: nvidia.draftManifest(now, 'driver'), vbios: nvidia.draftManifest(now, 'vbios') },
    reference,
    now,
    onTheWay: () => undefined,
    isTrusted: { devices: true, manifests: true },
  }
}

function verify({ gpus, manifests, reference, now, onTheWay, isTrusted }: Scene) {
  const made = gpus.map((forgery) => nvidia.make(forgery))
  const evidence = made.map(({ report, chain }) =>
    canonicalBytes([{ certificate: toBase64(chain), evidence: toBase64(report) }]),
  )
  const published = Object.values(manifests).map((forgery) => nvidia.makeManifest(forgery))
  const named = published.map(({ manifest }, at) => [`gpu_rim_${at}`, manifest] as const)
  const shown = { evidence, nonces, collateral: Object.fromEntries(named) }
  onTheWay(shown)
  const verifier = nvidiaGpuVerifierWith({
    deviceRoots: isTrusted.devices ? made.map(({ root }) => root) : [],
    manifestRoots: isTrusted.manifests ? published.map(({ root }) => root) : [],
  })
  const checklist = new Checklist()
  return { devices: verifier.verify(shown, reference, { now, checklist }), checks: checklist.checks }
}

describe('the verifier of GPUs', () => {
  it('takes two devices, each asked with its own nonce, and tells their ids and what was compared', () => {
    const { devices, checks } = verify(scene())
    expect(new Set(devices).size).toBe(2)
    for (const device of devices) expect(device).toMatch(/^[0-9a-f]{64}$/)
    expect(checks.map(({ check }) => check)).toEqual([
      ...[0, 1].flatMap((place) =>
        ['nonce', 'model', 'driver', 'vbios', 'measurements'].map((name) => `gpu ${place} ${name}`),
      ),
      'gpu devices',
    ])
  })

  it.each<[string, (scene: Scene) => void, AttestationErrorCode]>([
    [
      'one that was asked with another nonce',
      ({ gpus }) => gpus[1]?.request.fill(9, 4, 36),
      'BINDING_MISMATCH',
    ],
    [
      'two whose places were exchanged',
      (s) => (s.onTheWay = (shown) => (shown.evidence = shown.evidence.toReversed())),
      'BINDING_MISMATCH',
    ],
    [
      'one device shown twice',
      ({ gpus: [first, second] }) => {
        if (first !== undefined && second !== undefined) second.leaf.subject = first.leaf.subject
      },
      'GPU_MISMATCH',
    ],
    [
      'two reports in the place of one',
      (s) =>
        (s.onTheWay = (shown) => {
          const lists = shown.evidence.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as [])
          shown.evidence = [canonicalBytes(lists.flat())]
        }),
      'GPU_MISMATCH',
    ],
    ['another model', (s) => (s.reference = { ...reference, model: 'blackwell' }), 'POLICY'],
    [
      'another driver than the contract names',
      (s) => (s.reference = { ...reference, driver: ['550.90.08'] }),
      'POLICY',
    ],
    ['another VBIOS', (s) => (s.reference = { ...reference, vbios: ['96.00.74.00.1A'] }), 'POLICY'],
    [
      'a measurement that is not golden',
      ({ gpus }) => gpus[0]?.blocks[8]?.fill(0xee),
      'MEASUREMENT_MISMATCH',
    ],
    ['no manifest of the driver', (s) => (s.manifests.driver.version = '550.90.06'), 'COLLATERAL_MISSING'],
    ['no manifest of the VBIOS', (s) => (s.manifests.vbios.version = '96.00.5E.00.02'), 'COLLATERAL_MISSING'],
    ['no manifest at all', (s) => (s.onTheWay = (shown) => (shown.collateral = {})), 'COLLATERAL_MISSING'],
    [
      'a manifest that a stranger signed',
      ({ manifests }) => (manifests.vbios.signer = nvidia.gpu),
      'SIGNATURE_INVALID',
    ],
    ['manifests under a root that nobody pinned', (s) => (s.isTrusted.manifests = false), 'CHAIN_UNTRUSTED'],
    ['a device under a root that nobody pinned', (s) => (s.isTrusted.devices = false), 'CHAIN_UNTRUSTED'],
    [
      'a report that another key signed',
      ({ gpus }) => {
        gpus.forEach((f) => (f.signer = nvidia.authority))
      },
      'SIGNATURE_INVALID',
    ],
    [
      'a report of other firmware than its key is for',
      ({ gpus }) => gpus[0]?.opaque.set(gpuField.firmwareId, new Uint8Array(48)),
      'BINDING_MISMATCH',
    ],
    ['certificates that are over', (s) => (s.now = now + 181 * 86_400_000), 'EXPIRED'],
    [
      'a switch',
      ({ gpus }) => {
        gpus.forEach((f) => (f.leaf.subject = 'LS10 A01 FSP'))
      },
      'WRONG_TYPE',
    ],
    ['what is no evidence', (s) => (s.onTheWay = (shown) => (shown.evidence = [utf8('gpu')])), 'MALFORMED'],
  ])('refuses %s', async (_, change, code) => {
    const changed = scene()
    change(changed)
    expect(await refusalOf(() => verify(changed))).toMatchObject({ code })
  })
})

describe('what evidence of GPUs asks for', () => {
  const evidenceOf = (change: (forgery: GpuForgery) => void): Uint8Array => {
    const forgery = nvidia.draft(now, nonces[0] ?? new Uint8Array(32))
    change(forgery)
    const { report, chain } = nvidia.make(forgery)
    return canonicalBytes([{ certificate: toBase64(chain), evidence: toBase64(report) }])
  }

  it('is the manifest of its driver and of its VBIOS, each once', () => {
    const evidence = evidenceOf(() => undefined)
    const asks = gpuManifestAsksOf([evidence, evidence])
    expect(asks.map(({ id }) => id)).toEqual([
      'NV_GPU_DRIVER_GH100_550.90.07',
      'NV_GPU_VBIOS_1010_0200_882_96005E0001',
    ])
    expect(asks.map(gpuManifestName)).toEqual([
      'gpu_rim_driver_gh100_550_90_07',
      'gpu_rim_vbios_1010_0200_882_96005e0001',
    ])
  })

  it.each(['../../secret\0', '550.90.07/..\0', '550\0'])('is nothing for a driver named %j', (driver) => {
    const asks = gpuManifestAsksOf([evidenceOf(({ opaque }) => opaque.set(gpuField.driver, utf8(driver)))])
    expect(asks.map(({ id }) => id)).toEqual(['NV_GPU_VBIOS_1010_0200_882_96005E0001'])
  })
})

const captured = join(evidenceFolder ?? '', 'nvidia-gpu/nvsdk_multi_gpu_hopper.json')
describe.skipIf(evidenceFolder === undefined || !existsSync(captured))(
  'captured evidence of several H100',
  () => {
    it('asks for the manifests by the names that NVIDIA publishes them under', () => {
      const devices = JSON.parse(readFileSync(captured, 'utf8')) as JsonValue[]
      expect(devices.length).toBeGreaterThan(1)
      const asks = gpuManifestAsksOf(devices.map((device) => canonicalBytes([device])))
      expect(asks.map(({ id }) => id)).toEqual([
        'NV_GPU_DRIVER_GH100_590.12',
        'NV_GPU_VBIOS_G520_0200_885_9600A50001',
      ])
    })
  },
)
