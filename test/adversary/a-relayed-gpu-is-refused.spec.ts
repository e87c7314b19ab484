/** Invariant 2: a GPU counts only as a part of the machine whose CPU proves it, asked for exactly this Offer. */
import { describe, expect, it } from 'vitest'
import { canonicalBytes, utf8 } from '#libs/canonical'
import { aClock, gpuField, seededBytes } from '#libs/testing'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import {
  ForgedHardware,
  offeredBy,
  withForgedEntries,
  type ForgedGpu,
  type ForgedMachine,
} from './stage/forged-hardware.js'
import { Scene } from './stage/owner-under-attack.js'

const makers = new ForgedHardware(aClock().now())
const begin = (): Promise<Scene> =>
  Scene.begin({
    yaml: (text) => withForgedEntries(makers, text),
    appraisal: { verifiers: makers.verifiers, gpus: makers.gpus, collateral: makers },
  })

/** Genuine evidence that was made for something else than the Offer that shows it. */
const relayed: ForgedGpu = () => makers.gpu()(seededBytes('another run')(32))
const other = makers.gpu()

const attacks: readonly [string, ForgedMachine, string][] = [
  ['a GPU of another machine, asked for another run', makers.withGpus(relayed), 'BINDING_MISMATCH'],
  ['no GPU where the contract demands one', makers.withGpus(), 'GPU_MISMATCH'],
  ['two GPUs where the contract demands one', makers.withGpus(other, other), 'GPU_MISMATCH'],
  [
    'a GPU with another driver',
    makers.withGpus(makers.gpu(({ opaque }) => opaque.set(gpuField.driver, utf8('550.90.08\0')))),
    'POLICY',
  ],
  [
    'a GPU whose firmware is not golden',
    makers.withGpus(makers.gpu(({ blocks }) => blocks[8]?.fill(0xee))),
    'MEASUREMENT_MISMATCH',
  ],
  [
    'a GPU whose manifests a stranger signed',
    makers.withGpus(makers.gpu(undefined, (manifest) => (manifest.signer = makers.nvidia.gpu))),
    'SIGNATURE_INVALID',
  ],
  [
    'a GPU under a root that nobody pinned',
    makers.withGpus(makers.gpu((f) => (f.leaf.signer = makers.nvidia.gpu))),
    'CHAIN_UNTRUSTED',
  ],
  ['a CPU that was moved to an entry with GPUs', { ...makers.snp(), enclave: 7 }, 'GPU_MISMATCH'],
]

describe('an owner gives nothing to', () => {
  it.each(attacks)('%s', async (_, machine, code) => {
    const scene = await (await begin()).toOffer(offeredBy(machine))
    const attempt = await scene.attempt()
    expect(attempt.code).toBeNull()
    expect(new Set(attempt.rules)).toEqual(new Set(['enclave.appraised']))
    expect(attempt.said).toContain(code)
    await expectNothingGiven(scene)
  })

  it('a GPU that was exchanged after the CPU had vouched for the Offer', async () => {
    const scene = await begin()
    await scene.toOffer({
      ...offeredBy(makers.withGpus(makers.gpu())),
      // What the CPU's report is over: the same Offer, naming the GPU that was there then.
      evidenceFor: ({ payload }) => canonicalBytes({ ...payload, gpuEvidence: ['ab'.repeat(32)] }),
    })
    const attempt = await scene.attempt()
    expect(attempt.said).toContain('BINDING_MISMATCH')
    await expectNothingGiven(scene)
  })

  it('a GPU whose manifests are not to be had', async () => {
    const scene = await Scene.begin({
      yaml: (text) => withForgedEntries(makers, text),
      appraisal: {
        verifiers: makers.verifiers,
        gpus: makers.gpus,
        collateral: {
          find: (ask) => (ask.kind === 'gpu-manifest' ? Promise.resolve(undefined) : makers.find(ask)),
        },
      },
    })
    await scene.toOffer(offeredBy(makers.withGpus(makers.gpu())))
    expect((await scene.attempt()).said).toContain('COLLATERAL_MISSING')
    await expectNothingGiven(scene)
  })
})
