import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  inspectUnverified,
  judgeSnpReport,
  parseReferenceValues,
  proposeReference,
  vendorHardware,
} from '#libs/attestation'
import { fromHex, toHex } from '#libs/canonical'
import {
  aClock,
  evidenceFolder,
  FakeAmd,
  fakeCertificateTable,
  FakeTsm,
  snpField,
  type FakeSnpEvidence,
  type FakeTsmMachine,
} from '#libs/testing'
import { hardwareTeeWith } from '../hardware-tee.js'
import { parseFlags } from '../flags.js'
import { vtpmByTools } from './vtpm.js'
import { certificatesOf } from './snp-certificates.js'
import { gpuToolAt } from './gpu-tool.js'
import { openTsmSource } from './tsm-source.js'
import { tsmReport } from './tsm-report.js'

const { now } = aClock()
const amd = new FakeAmd()
const vekId = fromHex('63da758de6644564adc5f4b93be8accd')
const asked = new Uint8Array(64).fill(9)

function made(reportData: Uint8Array): FakeSnpEvidence {
  const draft = amd.draft(now())
  draft.report.set(reportData, snpField.reportData)
  return amd.make({ ...draft, crl: amd.draftList(draft) })
}

let base: FakeSnpEvidence
beforeAll(() => {
  base = made(new Uint8Array(64))
})

function machine(over: Partial<FakeTsmMachine> = {}): FakeTsm {
  return new FakeTsm({
    provider: 'sev_guest',
    report: (reportData) => made(reportData).report,
    auxiliary: fakeCertificateTable([[vekId, base.vek]]),
    meanwhile: () => undefined,
    ...over,
  })
}

function sourceOf(files: FakeTsm) {
  let requests = 0
  const collateral = { chain: base.chain, crl: base.crl ?? new Uint8Array() }
  return openTsmSource({
    files,
    requestName: () => `request-${requests++}`,
    collateral: () => Promise.resolve(collateral),
    hardware: vendorHardware,
    gpuTool: null,
  })
}

describe('the evidence of a guest by configfs-tsm', () => {
  it('is over the report data asked for, and its own verifier takes it with the certificates of host and folder', async () => {
    const files = machine()
    const evidence = await (await sourceOf(files)).evidence(asked, now(), [])
    const { vek, chain, crl } = evidence.collateral ?? {}
    if (vek === undefined || chain === undefined || crl === undefined) throw new TypeError('no certificates')
    const roots = { milan: [base.root], genoa: [base.root], turin: [base.root] }
    const verdict = await judgeSnpReport({ report: evidence.bytes, vek, chain, crl }, { at: now(), roots })
    expect(verdict).toMatchObject({ authentic: true, facts: { report_data: toHex(asked) } })
    expect(files.open).toEqual([])
  })

  it.each([
    ['3, which names its processor', 3],
    ['2, which does not', 2],
  ])('names its measurement, and finds the entry of a contract for it: version %s', async (_, version) => {
    const report = (reportData: Uint8Array): Uint8Array => {
      const bytes = made(reportData).report.slice()
      bytes[0] = version
      return bytes
    }
    const source = await sourceOf(machine({ report }))
    const measurement = '3e'.repeat(48)
    expect(source).toMatchObject({ kind: 'sev-snp', simulated: false, measurement })
    const { entry } = proposeReference(inspectUnverified(made(asked).report), null)
    const accepting = parseReferenceValues(entry)
    const other = parseReferenceValues({ ...entry, measurement: ['00'.repeat(48)] })
    expect(source.entryOf([other, accepting])).toBe(1)
    expect(source.entryOf([other])).toBeNull()
  })

  it('is asked for again where somebody else asked in between', async () => {
    let others = 1
    const files = machine({
      meanwhile: (requests, name) => {
        if (others-- > 0) requests.ask(name, new Uint8Array(64).fill(0xee))
      },
    })
    const { report } = await tsmReport(files, 'mine', asked)
    expect(toHex(report.subarray(snpField.reportData, snpField.reportData + 64))).toBe(toHex(asked))
  })

  it.each(['EWOULDBLOCK', 'EBUSY'])('is asked for again after %s', async (code) => {
    let failures = 2
    const files = machine({
      meanwhile: (requests) => {
        if (failures-- > 0) requests.fail(code)
      },
    })
    expect((await tsmReport(files, 'mine', asked)).report).toHaveLength(1184)
  })

  const refusals: [string, Partial<FakeTsmMachine>][] = [
    [
      'somebody else asks each time',
      {
        meanwhile: (all, name) => {
          all.ask(name, asked)
        },
      },
    ],
    ['the hardware fails', { meanwhile: (all) => all.fail('EIO') }],
    ['the answer is empty', { report: () => new Uint8Array() }],
    ['the answer is endless', { report: () => new Uint8Array(65_537) }],
    ['the provider is unknown', { provider: 'simulated' }],
  ]
  it.each(refusals)('fails with a code where %s, and leaves no request behind', async (_what, over) => {
    const files = machine(over)
    await expect(sourceOf(files)).rejects.toMatchObject({ code: 'TEE_FAILED' })
    expect(files.open).toEqual([])
  })

  it('is none without the kernel’s folder, and says what else was found', async () => {
    const tee = hardwareTeeWith({
      files: Object.assign(machine(), { isHere: () => false }),
      vtpm: vtpmByTools('/nowhere', '/nowhere'),
      isThere: (path) => path === '/dev/nsm',
      hardware: vendorHardware,
      gpuToolAt,
    })
    await expect(tee.open(parseFlags([]))).rejects.toMatchObject({
      code: 'TEE_MISSING',
      message: expect.stringContaining('native code') as unknown,
    })
  })
})

describe('certificatesOf', () => {
  it('reads the table in both orders of its ids', () => {
    const windows = fromHex('8d75da6364e66445adc5f4b93be8accd')
    for (const id of [vekId, windows])
      expect(certificatesOf(fakeCertificateTable([[id, base.vek]]))).toEqual({ vek: base.vek })
  })

  it('gives nothing for a table that was cut or points outside itself', () => {
    const table = fakeCertificateTable([[vekId, base.vek]])
    for (const length of [0, 10, 23, 100]) expect(certificatesOf(table.subarray(0, length))).toEqual({})
    const outside = table.slice()
    outside[23] = 0xff
    expect(certificatesOf(outside)).toEqual({})
  })
})

const quote = join(evidenceFolder ?? '', 'tdx/phala_tdx_quote')
describe.skipIf(evidenceFolder === undefined || !existsSync(quote))('a captured TDX quote', () => {
  it('is served as a TD of its measurement, for which people write the entry', async () => {
    const bytes = new Uint8Array(readFileSync(quote))
    const source = await sourceOf(machine({ provider: 'tdx_guest', report: () => bytes, auxiliary: null }))
    expect(source).toMatchObject({ kind: 'tdx' })
    // Without Intel’s collateral nothing can be said of what a contract would write.
    await expect(source.entryAt(now())).rejects.toMatchObject({ code: 'COLLATERAL_MISSING' })
    expect(source.measurement).toMatch(/^[0-9a-f]{96}$/)
  })
})
