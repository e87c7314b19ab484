import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import {
  nvidiaGpuVerifier,
  sevSnpVerifierWith,
  vendorHardware,
  type TrustedHardware,
} from '#libs/attestation'
import { aClock, FakeAmd, FakeTsm, seededBytes, snpField } from '#libs/testing'
import { openTsmSource } from './guest/tsm-source.js'
import { rehearse } from './rehearse.js'
import { simulatedSource } from './simulated-tee.js'

describe('rehearse', () => {
  const measurement = 'ab'.repeat(32)
  const now = aClock().now()
  let parser: Engine

  beforeAll(async () => {
    parser = await startEngine({ limits: { threads: 1 } })
  })

  afterAll(async () => {
    await parser.close()
  })

  it('goes through a made-up run', async () => {
    const source = simulatedSource(await signingKeyFromSeed(new Uint8Array(32)), measurement)
    const worker = { source, build: { name: 'test', version: '0', measurement }, sandbox: parser.mode }
    await rehearse(worker, parser, seededBytes('rehearsal'), now)
  })

  it('fails where the TEE does not vouch for what runs', async () => {
    const source = simulatedSource(await signingKeyFromSeed(new Uint8Array(32)), measurement)
    const worker = {
      source,
      build: { name: 'test', version: '0', measurement: 'cd'.repeat(32) },
      sandbox: parser.mode,
    }
    await expect(rehearse(worker, parser, seededBytes('rehearsal'), now)).rejects.toMatchObject({
      code: 'BUILD_MISMATCH',
    })
  })

  describe('on hardware', () => {
    const amd = new FakeAmd()
    const made = (reportData: Uint8Array) => {
      const draft = amd.draft(now)
      draft.report.set(reportData, snpField.reportData)
      return amd.make({ ...draft, crl: amd.draftList(draft) })
    }
    const { vek, chain, crl = new Uint8Array(), root } = made(new Uint8Array(64))
    const roots = { milan: [], genoa: [root], turin: [] }
    const makers = { verifiers: [sevSnpVerifierWith(roots)], gpus: nvidiaGpuVerifier }
    const workerOn = async (hardware: TrustedHardware) => {
      const files = new FakeTsm({
        provider: 'sev_guest',
        report: (reportData) => made(reportData).report,
        auxiliary: null,
        meanwhile: () => undefined,
      })
      let asked = 0
      const source = await openTsmSource({
        files,
        requestName: () => `request-${asked++}`,
        collateral: () => Promise.resolve({ vek, chain, crl }),
        hardware,
        gpuTool: null,
      })
      const build = { name: 'test', version: '0', measurement: source.measurement }
      return { source, build, sandbox: parser.mode }
    }

    it('goes through a run under the entry that its own evidence meets', async () => {
      await rehearse(await workerOn(makers), parser, seededBytes('hardware'), now)
    })

    it('fails where owners would refuse: beyond its certificates, or under other roots', async () => {
      const later = now + 181 * 86_400_000
      const refused = async (hardware: TrustedHardware, at: number) =>
        rehearse(await workerOn(hardware), parser, seededBytes('hardware'), at)
      await expect(refused(makers, later)).rejects.toMatchObject({ code: 'EXPIRED' })
      await expect(refused(vendorHardware, now)).rejects.toMatchObject({ code: 'CHAIN_UNTRUSTED' })
    })
  })
})
