import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  azureSnpVerifierWith,
  Checklist,
  evidenceNonce,
  vendorHardware,
  type Collateral,
  type TrustedHardware,
} from '#libs/attestation'
import { concatBytes, fromHex, toHex, utf8 } from '#libs/canonical'
import { aClock, FakeAzureMachine, makeAzure, runtimeReportData, snpField } from '#libs/testing'
import { parseFlags } from '../flags.js'
import { hardwareTeeWith } from '../hardware-tee.js'
import type { TsmFiles } from './tsm-files.js'
import { gpuToolAt } from './gpu-tool.js'
import { openVtpmSource } from './vtpm-source.js'
import { vtpmByTools, type Vtpm } from './vtpm.js'

const now = aClock().now()
const machine = new FakeAzureMachine()
const asked = new Uint8Array(64).fill(9)

interface FakeVtpm {
  readonly vtpm: Vtpm
  readonly collateral: Collateral
  readonly root: string
}

/** A vTPM over a fake VM that quotes the registers and the nonce that it is asked for. */
function fakeVtpm(over: Partial<Vtpm> = {}): FakeVtpm {
  const forgery = machine.draftSnp(now, new Uint8Array())
  forgery.hardware.report.set(runtimeReportData(forgery.azure), snpField.reportData)
  const { report, root, ...collateral } = machine.amd.make(forgery.hardware)
  const { azure } = forgery
  azure.hardwareReport = report
  const vtpm: Vtpm = {
    isHere: () => true,
    readIndex: () => Promise.resolve(makeAzure(azure).hcl),
    quote: (_key, registers, nonce) => {
      const pcrs = registers.map((index) => azure.pcrs[index] ?? expect.fail('no such register'))
      const tpmMessage = (fields: { select: Uint8Array }) => (fields.select = fromHex('ffff00'))
      const { message, signature } = makeAzure({ ...azure, nonce, pcrs, tpmMessage })
      return Promise.resolve({ message, signature, values: concatBytes(...pcrs) })
    },
    ...over,
  }
  return { vtpm, collateral, root }
}

function trusting(root: string): TrustedHardware {
  return { ...vendorHardware, verifiers: [azureSnpVerifierWith({ milan: [root], genoa: [], turin: [] })] }
}

describe('the evidence of an Azure VM by its vTPM', () => {
  it('is over the report data asked for, and its own verifier takes it with what lies beside the worker', async () => {
    const { vtpm, collateral, root } = fakeVtpm()
    const source = await openVtpmSource({
      vtpm,
      hardware: trusting(root),
      collateral: () => Promise.resolve(collateral),
    })
    expect(source).toMatchObject({ kind: 'az-snp-vtpm', simulated: false, measurement: '3e'.repeat(48) })
    const evidence = await source.evidence(asked, now, [])
    const verifier = azureSnpVerifierWith({ milan: [root], genoa: [], turin: [] })
    const authentic = await verifier.authenticate(evidence, { now, checklist: new Checklist() })
    expect(toHex(authentic.reportData)).toBe(toHex(evidenceNonce(asked)))
    const registers = authentic.claims['registers'] as object
    expect(Object.keys(registers)).toHaveLength(16)
    // What a rehearsal runs under: the entry that this machine meets.
    const entry = await source.entryAt(now)
    expect(entry).toMatchObject({ tee: 'az-snp-vtpm', measurement: ['3e'.repeat(48)] })
    expect(source.entryOf([entry])).toBe(0)
    await expect(source.gpuEvidence([asked])).rejects.toMatchObject({ code: 'TEE_FAILED' })
  })

  it('fails with a code where registers are missing', async () => {
    const { vtpm } = fakeVtpm()
    const short: Vtpm = {
      ...vtpm,
      quote: async (...question) => ({ ...(await vtpm.quote(...question)), values: new Uint8Array(32) }),
    }
    const source = await openVtpmSource({
      vtpm: short,
      hardware: vendorHardware,
      collateral: () => Promise.resolve({}),
    })
    await expect(source.evidence(asked, now, [])).rejects.toMatchObject({ code: 'TEE_FAILED' })
  })

  it('is not had on TDX, and says why', async () => {
    const { azure } = machine.draftTdx(now, new Uint8Array())
    const { vtpm } = fakeVtpm({ readIndex: () => Promise.resolve(makeAzure(azure).hcl) })
    const opening = openVtpmSource({ vtpm, hardware: vendorHardware, collateral: () => Promise.resolve({}) })
    await expect(opening).rejects.toMatchObject({
      code: 'TEE_FAILED',
      message: expect.stringContaining('service of the host') as unknown,
    })
  })

  it('is looked for where configfs-tsm is not', async () => {
    const { vtpm } = fakeVtpm()
    const files = { isHere: () => false } as TsmFiles
    const found = { files, isThere: () => false, hardware: vendorHardware, gpuToolAt }
    const source = await hardwareTeeWith({ ...found, vtpm }).open(parseFlags([]))
    expect(source.kind).toBe('az-snp-vtpm')
    const nothing = hardwareTeeWith({ ...found, vtpm: { ...vtpm, isHere: () => false } })
    await expect(nothing.open(parseFlags([]))).rejects.toMatchObject({ code: 'TEE_MISSING' })
  })
})

describe('a vTPM asked by tools', () => {
  const withTools = async (tools: Record<string, string>, act: (folder: string) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-tools-'))
    try {
      for (const [name, script] of Object.entries(tools)) {
        await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`)
        await chmod(join(folder, name), 0o700)
      }
      await act(folder)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it('is asked for an index and a quote, with nothing of the environment', async () => {
    const quote =
      'printf "%s\\n" "$*" "$TPM2TOOLS_TCTI" "$HOME" > "$0.asked"; printf m > "${10}"; printf s > "${12}"; printf v > "${16}"'
    await withTools({ tpm2_nvread: 'printf "%s" "$*"', tpm2_quote: quote }, async (folder) => {
      const vtpm = vtpmByTools(folder, '/dev/fake')
      expect(vtpm.isHere()).toBe(false)
      expect(await vtpm.readIndex('0x01400001')).toEqual(utf8('-C o 0x01400001'))
      const made = await vtpm.quote('0x81000003', [0, 7], Uint8Array.of(0xab, 0xcd))
      expect(made).toEqual({ message: utf8('m'), signature: utf8('s'), values: utf8('v') })
      const [words, tcti, home] = (await readFile(join(folder, 'tpm2_quote.asked'), 'utf8')).split('\n')
      expect(words).toMatch(/^-c 0x81000003 -l sha256:0,7 -q abcd -g sha256 -m .* -f plain -o .* -F values$/)
      expect([tcti, home]).toEqual(['device:/dev/fake', ''])
    })
  })

  it.each<[string, Record<string, string>]>([
    ['are not there', {}],
    ['fail', { tpm2_nvread: 'exit 1', tpm2_quote: 'exit 1' }],
    ['answer without an end', { tpm2_nvread: 'yes', tpm2_quote: 'yes' }],
    ['leave a file out', { tpm2_nvread: 'exit 1', tpm2_quote: 'exit 0' }],
  ])('fails with a code where the tools %s', async (_what, tools) => {
    await withTools(tools, async (folder) => {
      const vtpm = vtpmByTools(folder)
      await expect(vtpm.readIndex('0x01400001')).rejects.toMatchObject({ code: 'TEE_FAILED' })
      await expect(vtpm.quote('0x81000003', [0], asked)).rejects.toMatchObject({ code: 'TEE_FAILED' })
    })
  })
})
