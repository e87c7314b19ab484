import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError, fromHex, utf8 } from '#libs/canonical'
import {
  FakeAzureMachine,
  fakeRegisters,
  makeVtpmKey,
  refusalOf,
  slow,
  snpField,
  tdField,
  type AzureForgery,
  type AzureMachineEvidence,
  type AzureMachineForgery,
  type QuoteForgery,
  type SnpForgery,
} from '#libs/testing'
import { checkReportData, evidenceNonce } from '../binding.js'
import { Checklist } from '../checklist.js'
import { collateralAskOf, collateralName } from '../collateral/ask.js'
import type { AttestationErrorCode } from '../errors.js'
import type { Collateral, EvidenceVerifier } from '../evidence.js'
import { parseReferenceValues } from '../reference-values.js'
import { azureSnpVerifierWith, azureTdxVerifierWith } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const machine = new FakeAzureMachine()
const otherKey = makeVtpmKey()
const asked = new Uint8Array(64).fill(0x5a)
const kinds = ['az-snp-vtpm', 'az-tdx-vtpm'] as const
type Kind = (typeof kinds)[number]
type Entry = Record<string, unknown>

const registers = Object.fromEntries(fakeRegisters.slice(1).map((value, n) => [`pcr${n + 1}`, [value]]))
const entries: Readonly<Record<Kind, Entry>> = {
  'az-snp-vtpm': {
    tee: 'az-snp-vtpm',
    measurement: ['3e'.repeat(48)],
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 },
    maximumAgeSeconds: 300,
    generations: ['milan'],
    waivedProtections: [
      'singleSocket',
      'aes256Xts',
      'raplDisabled',
      'ciphertextHiding',
      'pageSwapDisabled',
      'aliasCheck',
    ],
    ...registers,
  },
  'az-tdx-vtpm': {
    tee: 'az-tdx-vtpm',
    measurement: ['d1'.repeat(48)],
    minimumTcb: { evaluationDataNumber: 17 },
    maximumAgeSeconds: 300,
    ...rtmrs(),
    ...registers,
  },
}

function rtmrs(): Entry {
  const { body } = machine.intel.draft(now)
  const names = ['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3'] as const
  const at = (name: (typeof names)[number]) => body.subarray(tdField[name], tdField[name] + 48)
  return Object.fromEntries(names.map((name) => [name, [Buffer.from(at(name)).toString('hex')]]))
}

interface Vm {
  forgery: AzureMachineForgery<unknown> & { readonly azure: AzureForgery }
  entry: Entry
  collateral: (collateral: Collateral) => Collateral
}
type Change = (vm: Vm) => void

function make(
  kind: Kind,
  change: Change,
): { made: AzureMachineEvidence; vm: Vm; verifier: EvidenceVerifier } {
  const nonce = evidenceNonce(asked)
  const isSnp = kind === 'az-snp-vtpm'
  const forgery = isSnp ? machine.draftSnp(now, nonce) : machine.draftTdx(now, nonce)
  const vm: Vm = { forgery, entry: { ...entries[kind] }, collateral: (collateral) => collateral }
  change(vm)
  const made = isSnp
    ? machine.makeSnp(forgery as AzureMachineForgery<SnpForgery>)
    : machine.makeTdx(forgery as AzureMachineForgery<QuoteForgery>)
  const roots = [made.root]
  const verifier = isSnp
    ? azureSnpVerifierWith({ milan: roots, genoa: roots, turin: roots })
    : azureTdxVerifierWith(roots)
  return { made, vm, verifier }
}

async function verify(kind: Kind, change: Change = () => undefined): Promise<Checklist> {
  const { made, vm, verifier } = make(kind, change)
  const checklist = new Checklist()
  const evidence = { kind, bytes: made.document, collateral: vm.collateral(made.collateral) }
  const authentic = await verifier.authenticate(evidence, { now, checklist })
  checkReportData(authentic, asked, checklist)
  verifier.appraise(authentic, parseReferenceValues(vm.entry), { now, checklist })
  expect(vm.entry['measurement']).toEqual([authentic.measurement])
  return checklist
}

const demand =
  (fields: Entry): Change =>
  (vm) => {
    vm.entry = { ...vm.entry, ...fields }
  }
const configuration =
  (fields: Record<string, unknown>): Change =>
  ({ forgery }) => {
    forgery.azure.runtime['vm-configuration'] = { 'secure-boot': true, 'console-enabled': false, ...fields }
  }
const register =
  (index: number): Change =>
  ({ forgery }) => {
    forgery.azure.pcrs[index] = new Uint8Array(32).fill(0xee)
  }
const both =
  (...changes: Change[]): Change =>
  (vm) => {
    for (const change of changes) change(vm)
  }
const without = (name: string): Change => {
  return (vm) => {
    vm.collateral = (all) => Object.fromEntries(Object.entries(all).filter(([key]) => key !== name))
  }
}
const document =
  (change: (document: Record<string, unknown>) => unknown): Change =>
  ({ forgery }) => {
    forgery.onTheWay = (fields) => change(fields) as Record<string, unknown>
  }

const dropped = (name: string): Change =>
  document((fields) => Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name)))

describe.each(kinds)('evidence of a VM of the fake Azure: %s', (kind) => {
  it('meets its entry, and every register that the entry names was compared', async () => {
    const { checks } = await verify(kind)
    expect(checks.every(({ ok }) => ok)).toBe(true)
    const names = checks.map(({ check }) => check)
    expect(names.filter((name) => name.startsWith('pcr'))).toHaveLength(16)
    expect(names).toContain('signature')
  })

  it.each<[string, Change]>([
    ['a waived register that differs', both(register(5), demand({ pcr5: undefined, waivedPcrs: [5] }))],
    ['one of two values of a register', demand({ pcr7: ['ab'.repeat(32), fakeRegisters[7]] })],
    [
      'no secure boot where it is waived',
      both(configuration({ 'secure-boot': false }), demand({ secureBoot: 'waived' })),
    ],
    [
      'a console where it is allowed',
      both(configuration({ 'console-enabled': true }), demand({ console: 'allowed' })),
    ],
    ['a register above 15 that differs', register(16)],
  ])('meets an entry with %s', async (_name, change) => {
    expect((await verify(kind, change)).checks.every(({ ok }) => ok)).toBe(true)
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ...Array.from({ length: 16 }, (_, n): [string, Change, AttestationErrorCode] => [
      `register ${n} changed`,
      register(n),
      'MEASUREMENT_MISMATCH',
    ]),
    [
      'a register that the entry leaves out and that is not zero',
      demand({ pcr4: undefined }),
      'MEASUREMENT_MISMATCH',
    ],
    [
      'a waived register that the entry names all the same',
      both(register(5), demand({ waivedPcrs: [5] })),
      'MEASUREMENT_MISMATCH',
    ],
    [
      'a quote that leaves registers out',
      ({ forgery: { azure } }) => {
        azure.pcrs = azure.pcrs.slice(0, 8)
        azure.tpmMessage = (fields) => (fields.select = fromHex('ff0000'))
      },
      'MEASUREMENT_MISMATCH',
    ],
    ['no secure boot', configuration({ 'secure-boot': false }), 'POLICY'],
    ['nothing said of secure boot', configuration({ 'secure-boot': 'yes' }), 'POLICY'],
    ['a console of the host', configuration({ 'console-enabled': true }), 'POLICY'],
    ['nothing said of a console', configuration({ 'console-enabled': null }), 'POLICY'],
    [
      'the nonce of another Offer',
      ({ forgery }) => (forgery.azure.nonce = evidenceNonce(new Uint8Array(64))),
      'BINDING_MISMATCH',
    ],
    [
      'report data in place of their nonce',
      ({ forgery }) => (forgery.azure.nonce = asked),
      'BINDING_MISMATCH',
    ],
    ['no nonce', ({ forgery }) => (forgery.azure.nonce = new Uint8Array()), 'BINDING_MISMATCH'],
    ['a quote by another key', ({ forgery }) => (forgery.azure.signer = otherKey), 'SIGNATURE_INVALID'],
    [
      'runtime data that no hardware vouches for',
      ({ forgery }) => (forgery.reportData = new Uint8Array(64)),
      'BINDING_MISMATCH',
    ],
    [
      'the Offer in the hardware’s report data alone',
      ({ forgery }) => (forgery.reportData = asked),
      'BINDING_MISMATCH',
    ],
    ['no TPM quote', dropped('tpm_quote'), 'QUOTE_MISSING'],
    [
      'values of registers that were not quoted',
      document((fields) => ({
        ...fields,
        tpm_quote: {
          ...(fields['tpm_quote'] as object),
          pcrs: fakeRegisters.concat(fakeRegisters.slice(0, 8)),
        },
      })),
      'BINDING_MISMATCH',
    ],
    ['no HCL report', dropped('hcl_report'), 'QUOTE_MISSING'],
    ['no collateral', (vm) => (vm.collateral = () => ({})), 'COLLATERAL_MISSING'],
    [
      'an entry for other hardware',
      (vm) => (vm.entry = { ...entries[kind === 'az-snp-vtpm' ? 'az-tdx-vtpm' : 'az-snp-vtpm'] }),
      'TEE_MISMATCH',
    ],
  ])('is refused with %s', async (_name, change, code) => {
    expect((await refusalOf(() => verify(kind, change))).code).toBe(code)
  })

  it('asks for the collateral of the hardware below it', () => {
    const { made } = make(kind, () => undefined)
    const ask = collateralAskOf({ kind, bytes: made.document })
    expect(ask?.kind).toBe(kind === 'az-snp-vtpm' ? 'sev-snp' : 'tdx')
    expect(collateralName(ask ?? expect.fail('asks for nothing'))).toMatch(/^[a-z0-9-]+$/)
  })

  it('ends in a code, whatever the bytes', async () => {
    const { made, verifier } = make(kind, () => undefined)
    const text = Buffer.from(made.document).toString()
    const foreign = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.json().map(utf8),
      fc
        .tuple(fc.nat({ max: text.length - 1 }), fc.constantFrom('0', 'A', '"', '{', ']'))
        .map(([at, character]) => utf8(text.slice(0, at) + character + text.slice(at + 1))),
    )
    await fc.assert(
      fc.asyncProperty(foreign, async (bytes) => {
        fc.pre(Buffer.compare(bytes, made.document) !== 0)
        const evidence = { kind, bytes, collateral: made.collateral }
        for (const act of [
          () => verifier.authenticate(evidence, { now, checklist: new Checklist() }),
          () => Promise.resolve().then(() => collateralAskOf(evidence)),
        ])
          await act().then(
            () => undefined,
            (error: unknown) => {
              expect(error).toBeInstanceOf(CodedError)
            },
          )
      }),
      { numRuns: slow ? 5000 : 200 },
    )
  })
})

describe('evidence of a VM of the fake Azure', () => {
  const snp =
    (change: (forgery: SnpForgery) => void): Change =>
    ({ forgery }) => {
      change((forgery as AzureMachineForgery<SnpForgery>).hardware)
    }
  const td =
    (change: (forgery: QuoteForgery) => void): Change =>
    ({ forgery }) => {
      change((forgery as AzureMachineForgery<QuoteForgery>).hardware)
    }

  it.each<[string, Kind, Change, AttestationErrorCode]>([
    [
      'a guest that can be debugged',
      'az-snp-vtpm',
      snp(({ report }) => {
        report.set([51, 1, 0b1010], snpField.policy)
      }),
      'DEBUG_ENABLED',
    ],
    [
      'firmware below the minimum',
      'az-snp-vtpm',
      demand({ minimumTcb: { bootloader: 5, tee: 1, snp: 24, microcode: 219 } }),
      'TCB_OUT_OF_DATE',
    ],
    [
      'host data',
      'az-snp-vtpm',
      snp(({ report }) => {
        report.set([1], snpField.hostData)
      }),
      'POLICY',
    ],
    [
      'a report that the guest itself asked for',
      'az-snp-vtpm',
      snp(({ report }) => {
        report.set([1], snpField.vmpl)
      }),
      'POLICY',
    ],
    ['a revoked authority', 'az-snp-vtpm', snp(({ crl }) => crl?.revoked.push(2)), 'REVOKED'],
    ['no revocation list', 'az-snp-vtpm', without('crl'), 'COLLATERAL_MISSING'],
    ['no chain', 'az-snp-vtpm', without('chain'), 'COLLATERAL_MISSING'],
    [
      'a TD that can be debugged',
      'az-tdx-vtpm',
      td(({ body }) => {
        body.set([1], tdField.tdAttributes)
      }),
      'DEBUG_ENABLED',
    ],
    [
      'a TD with another register',
      'az-tdx-vtpm',
      td(({ body }) => {
        body.set([1], tdField.rtmr2)
      }),
      'POLICY',
    ],
    ['a revoked platform', 'az-tdx-vtpm', td(({ pckList }) => pckList.revoked.push(3)), 'REVOKED'],
    ['no quote of the TD', 'az-tdx-vtpm', dropped('td_quote'), 'QUOTE_MISSING'],
  ])('is refused with %s', async (_name, kind, change, code) => {
    expect((await refusalOf(() => verify(kind, change))).code).toBe(code)
  })

  it('may hold the certificate of its key in the document', async () => {
    const { made, verifier } = make('az-snp-vtpm', () => undefined)
    const { vek, ...collateral } = made.collateral
    const fields = JSON.parse(Buffer.from(made.document).toString()) as object
    const vcek = Buffer.from(vek ?? expect.fail('no certificate')).toString('base64url')
    const evidence = {
      kind: 'az-snp-vtpm',
      bytes: utf8(JSON.stringify({ ...fields, vcek })),
      collateral,
    } as const
    const authentic = await verifier.authenticate(evidence, { now, checklist: new Checklist() })
    expect(authentic.chip).toBe('c1'.repeat(64))
  })
})
