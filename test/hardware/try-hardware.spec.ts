import { describe, expect, it } from 'vitest'
import { nvidiaGpuVerifierWith, sevSnpVerifierWith, type Collateral } from '#libs/attestation'
import { fromHex, toBase64 } from '#libs/canonical'
import { aClock, FakeAmd, FakeNvidia, FakeTsm, snpField } from '#libs/testing'
import type { GpuTool } from '../../apps/enclave/src/guest/gpu-tool.js'
import { openTsmSource } from '../../apps/enclave/src/guest/tsm-source.js'
import type { EvidenceSource } from '../../apps/enclave/src/tee.js'
import { tryHardware } from './try-hardware.js'

const now = aClock().now()
const amd = new FakeAmd()
const made = (reportData: Uint8Array) => {
  const draft = amd.draft(now)
  draft.report.set(reportData, snpField.reportData)
  return amd.make({ ...draft, crl: amd.draftList(draft) })
}
const { vek, chain, crl = new Uint8Array(), root } = made(new Uint8Array(64))

const nvidia = new FakeNvidia()
const published = (['driver', 'vbios'] as const).map((subject) =>
  nvidia.makeManifest(nvidia.draftManifest(now, subject)),
)
const manifests = Object.fromEntries(published.map(({ manifest }, at) => [`gpu_rim_${at}`, manifest]))
/** Made anew with every report, so that what is pinned grows. */
const deviceRoots: string[] = []

function machine(
  answer: (reportData: Uint8Array) => Uint8Array,
  collateral: Collateral,
  gpuTool: GpuTool | null = null,
): Promise<EvidenceSource> {
  let requests = 0
  return openTsmSource({
    files: new FakeTsm({
      provider: 'sev_guest',
      report: answer,
      auxiliary: null,
      meanwhile: () => undefined,
    }),
    requestName: () => `request-${requests++}`,
    collateral: () => Promise.resolve(collateral),
    hardware: {
      verifiers: [sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })],
      gpus: nvidiaGpuVerifierWith({ deviceRoots, manifestRoots: published.map(({ root: own }) => own) }),
    },
    gpuTool,
  })
}

const failing = async (source: EvidenceSource, gpus = 0) =>
  (await tryHardware(source, { gpus, now })).flatMap(({ what, failure }) => (failure === null ? [] : [what]))

describe('the trial of a machine', () => {
  it('holds on an honest one', async () => {
    expect(await failing(await machine((data) => made(data).report, { vek, chain, crl }))).toEqual([])
  })

  it('tells that GPUs cannot be asked where there are none', async () => {
    const source = await machine((data) => made(data).report, { vek, chain, crl })
    expect(await failing(source, 1)).toEqual(['its GPUs and its CPU are proven together'])
  })

  it('holds on one with a GPU, and fails where that was asked for something else', async () => {
    const withGpu = (nonceOf: (asked: string) => Uint8Array) =>
      machine(
        (data) => made(data).report,
        { vek, chain, crl, ...manifests },
        (args) => {
          const gpu = nvidia.make(nvidia.draft(now, nonceOf(args.at(-1) ?? '')))
          deviceRoots.push(gpu.root)
          const told = { evidence: toBase64(gpu.report), certificate: toBase64(gpu.chain) }
          return Promise.resolve(JSON.stringify({ evidences: [told] }))
        },
      )
    expect(await failing(await withGpu(fromHex), 1)).toEqual([])
    expect(await failing(await withGpu(() => new Uint8Array(32)), 1)).toEqual([
      'its GPUs and its CPU are proven together',
    ])
  })

  it('fails on one that answers every question alike', async () => {
    const always = made(new Uint8Array(64)).report
    expect(await failing(await machine(() => always, { vek, chain, crl }))).toEqual([
      'its evidence over an Offer meets the entry that is proposed for it',
      'a made-up run goes through, up to its sealed output',
    ])
  })

  it('says what is missing where there is no collateral', async () => {
    const source = await machine((data) => made(data).report, {})
    const trials = await tryHardware(source, { gpus: 0, now })
    expect(trials[0]?.failure).toContain('COLLATERAL_MISSING')
  })
})
