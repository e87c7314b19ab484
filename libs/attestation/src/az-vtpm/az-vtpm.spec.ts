import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, fromHex, utf8 } from '#libs/canonical'
import {
  FakeAmd,
  FakeIntel,
  azureJson,
  bincodeQuote,
  collateralFile,
  draftAzure,
  flipBit,
  makeAzure,
  makeVtpmKey,
  pem,
  quoteJson,
  runtimeReportData,
  slow,
  snpField,
  tdField,
  type AzureForgery,
  type FakeAzureEvidence,
  type QuoteForgery,
  type SnpForgery,
} from '#libs/testing'
import type { AttestationErrorCode } from '../errors.js'
import type { EvidenceVerdict } from '../verdict.js'
import type { AzureFiles } from './evidence-forms.js'
import { judgeAzureSnp, judgeAzureTdx } from './production.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const amd = new FakeAmd()
const intel = new FakeIntel()
const key = makeVtpmKey()
const otherKey = makeVtpmKey()

interface Vm {
  azure: AzureForgery
  snp: SnpForgery
  td: QuoteForgery
  /** Which hardware report vouches for which runtime data. */
  reportData: Uint8Array | null
  files: Partial<Record<keyof AzureFiles, (file: Uint8Array) => Uint8Array | undefined>>
  nonce: Uint8Array | null
}
type Change = (vm: Vm) => void
type Hardware = 'snp' | 'tdx'

function draft(hardware: Hardware): Vm {
  return {
    azure: draftAzure(hardware === 'snp' ? 2 : 4, key),
    snp: amd.draft(now, 'milan', 'VCEK', 2),
    td: intel.draft(now),
    reportData: null,
    files: {},
    nonce: utf8('a nonce'),
  }
}

interface Made {
  readonly files: AzureFiles
  readonly azure: FakeAzureEvidence
  readonly amdRoot: string
  readonly intelRoot: string
  readonly tdQuote: Uint8Array
}

function make({ azure, snp, td, reportData, files }: Vm, hardware: Hardware): Made {
  const vouched = reportData ?? runtimeReportData(azure)
  snp.report.set(vouched, snpField.reportData)
  td.body.set(vouched, tdField.reportData)
  const report = amd.make(snp)
  const quote = intel.make(td)
  if (hardware === 'snp') azure.hardwareReport = report.report
  else {
    // TDREPORT_STRUCT: REPORTDATA, and TDINFO.
    const tdReport = concatBytes(azure.hardwareReport)
    tdReport.set(vouched, 128)
    tdReport.set(td.body.subarray(tdField.tdAttributes, tdField.reportData), 512)
    azure.hardwareReport = azure.hardwareReport.some((byte) => byte !== 0) ? azure.hardwareReport : tdReport
  }
  const made = makeAzure(azure)
  const all: AzureFiles = {
    hcl: made.hcl,
    quote: bincodeQuote(made),
    ...(hardware === 'snp'
      ? { vek: report.vek, chain: report.chain }
      : { tdQuote: quote.quote, collateral: collateralFile(quote.collateral) }),
  }
  const arrived = Object.entries(all).map(([name, file]) => {
    const change = files[name as keyof AzureFiles]
    return [name, change === undefined ? file : change(file as Uint8Array)] as const
  })
  return {
    files: Object.fromEntries(arrived),
    azure: made,
    amdRoot: report.root,
    intelRoot: quote.root,
    tdQuote: quote.quote,
  }
}

function judge(
  made: Made,
  hardware: Hardware,
  nonce: Uint8Array | null = utf8('a nonce'),
): Promise<EvidenceVerdict> {
  const pinned = [made.amdRoot]
  const rules = {
    at: now,
    nonce,
    amdRoots: { milan: pinned, genoa: pinned, turin: pinned },
    intelRoots: [made.intelRoot],
  }
  return hardware === 'snp' ? judgeAzureSnp(made.files, rules) : judgeAzureTdx(made.files, rules)
}

function forged(change: Change, hardware: Hardware): Promise<EvidenceVerdict> {
  const vm = draft(hardware)
  change(vm)
  return judge(make(vm, hardware), hardware, vm.nonce)
}

const kinds = ['snp', 'tdx'] as const
const tpm =
  (change: NonNullable<AzureForgery['tpmMessage']>): Change =>
  (vm) => {
    vm.azure.tpmMessage = change
  }
const keys =
  (...list: unknown[]): Change =>
  (vm) => {
    vm.azure.runtime['keys'] = list
  }
const file =
  (name: keyof AzureFiles, change: (bytes: Uint8Array) => Uint8Array | undefined): Change =>
  (vm) => {
    vm.files[name] = change
  }
const lost = (name: keyof AzureFiles): Change => file(name, () => undefined)
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

describe.each(kinds)('evidence of a fake Azure VM on %s', (hardware) => {
  it('is genuine and fit for production', async () => {
    const verdict = await forged(() => undefined, hardware)
    expect(verdict).toMatchObject({ authentic: true, production: true, refusal: null })
    expect(verdict.facts).toMatchObject({ nonce: '61206e6f6e6365', ak_n_prefix: key.n.slice(0, 16) })
  })

  it.each<[string, Change]>([
    ['a signature that names RSASSA', (vm) => (vm.azure.scheme = 'rsassa')],
    ['a signature that names RSAPSS', (vm) => (vm.azure.scheme = 'rsapss')],
    ['no padding', (vm) => (vm.azure.padding = new Uint8Array())],
    [
      'values of the selected registers alone',
      (vm) => {
        vm.azure.pcrs = vm.azure.pcrs.slice(0, 3)
        vm.azure.tpmMessage = (fields) => (fields.select = fromHex('0700'))
      },
    ],
    [
      'no TPM quote where no nonce is asked for',
      (vm) => {
        vm.nonce = null
        lost('quote')(vm)
      },
    ],
    ['a TPM quote where no nonce is asked for', (vm) => (vm.nonce = null)],
  ])('is genuine with %s', async (_name, change) => {
    expect(await forged(change, hardware)).toMatchObject({ production: true, refusal: null })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['no HCL report', lost('hcl'), 'QUOTE_MISSING'],
    ['an HCL report cut short', file('hcl', (hcl) => hcl.subarray(0, 1300)), 'MALFORMED'],
    ['another magic', (vm) => (vm.azure.header[3] = 0x42), 'MALFORMED'],
    ['an unknown version of the header', (vm) => (vm.azure.header[4] = 3), 'MALFORMED'],
    ['a status that is no success', (vm) => (vm.azure.header[16] = 1), 'MALFORMED'],
    ['an unknown version of the data', (vm) => (vm.azure.dataVersion = 2), 'MALFORMED'],
    ['the other hardware', (vm) => (vm.azure.reportType = hardware === 'snp' ? 4 : 2), 'WRONG_TYPE'],
    ['no hardware', (vm) => (vm.azure.reportType = 1), 'WRONG_TYPE'],
    ['a hash of SHA-384', (vm) => (vm.azure.hashType = 2), 'ALGORITHM'],
    ['bytes after the runtime data', (vm) => (vm.azure.padding[100] = 1), 'TRAILING_DATA'],
    ['report data of other runtime data', (vm) => (vm.reportData = new Uint8Array(64)), 'BINDING_MISMATCH'],
    [
      'report data that holds more than the hash',
      (vm) => {
        vm.reportData = runtimeReportData(vm.azure)
        vm.reportData[63] = 1
      },
      'BINDING_MISMATCH',
    ],
    ['runtime data without keys', (vm) => (vm.azure.runtime = {}), 'MALFORMED'],
    ['runtime data without an attestation key', keys(), 'KEY_UNKNOWN'],
    [
      'two attestation keys',
      keys({ kid: 'HCLAkPub', kty: 'RSA', ...key }, { kid: 'HCLAkPub', kty: 'RSA', ...otherKey }),
      'KEY_UNKNOWN',
    ],
    ['an attestation key that is no RSA key', keys({ kid: 'HCLAkPub', kty: 'EC' }), 'ALGORITHM'],
    ['a short attestation key', shortKey, 'ALGORITHM'],
    ['an exponent of 3', keys({ kid: 'HCLAkPub', kty: 'RSA', n: key.n, e: 'Aw' }), 'ALGORITHM'],
    ['a quote by another key', (vm) => (vm.azure.signer = otherKey), 'SIGNATURE_INVALID'],
    ['a quote that no TPM made', tpm((f) => (f.magic = fromHex('ff544348'))), 'MALFORMED'],
    ['a certification in place of a quote', tpm((f) => (f.type = fromHex('8017'))), 'WRONG_TYPE'],
    ['a bank of SHA-1', tpm((f) => (f.bank = fromHex('0004'))), 'ALGORITHM'],
    ['bytes after the quote', tpm((f) => (f.after = Uint8Array.of(0))), 'TRAILING_DATA'],
    ['registers that were not quoted', tpm((f) => (f.digest = new Uint8Array(32))), 'BINDING_MISMATCH'],
    ['a register too few', (vm) => (vm.azure.pcrs = vm.azure.pcrs.slice(1)), 'MALFORMED'],
    [
      'bytes after the file of the quote',
      file('quote', (q) => concatBytes(q, Uint8Array.of(0))),
      'TRAILING_DATA',
    ],
    [
      'a quote of an absurd length',
      file('quote', (q) => concatBytes(new Uint8Array(8).fill(255), q)),
      'MALFORMED',
    ],
  ])('is refused with %s', async (_name, change, refusal) => {
    expect(await forged(change, hardware)).toMatchObject({ authentic: false, production: false, refusal })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['for another nonce', (vm) => (vm.nonce = utf8('another')), 'BINDING_MISMATCH'],
    ['for a nonce that its own begins with', (vm) => (vm.nonce = utf8('a')), 'BINDING_MISMATCH'],
    ['without a quote, though a nonce is asked for', lost('quote'), 'QUOTE_MISSING'],
    ['of a guest that can be debugged', debuggable, 'DEBUG_ENABLED'],
  ])('is authentic and not for production: %s', async (_name, change, refusal) => {
    expect(await forged(change, hardware)).toMatchObject({ authentic: true, production: false, refusal })
  })

  it('is read in every form', async () => {
    const made = make(draft(hardware), hardware)
    const { vek, chain, collateral, tdQuote, hcl } = made.files
    const beside = { chain, collateral }
    const parts =
      hardware === 'snp'
        ? { vcekPem: pem([vek ?? new Uint8Array()]), ...(vek === undefined ? {} : { vcekDer: vek }) }
        : { tdQuote: made.tdQuote }
    const forms: AzureFiles[] = [
      ...([0, 1, 2] as const).map((version) => ({
        evidenceJson: json(azureJson(made.azure, version, parts)),
        ...beside,
      })),
      { evidenceJson: json({ platform: 'az', evidence: azureJson(made.azure, 1, parts) }), ...beside },
      { hcl, tpmQuoteJson: json(quoteJson(made.azure)), vek, tdQuote, ...beside },
      { hcl, msg: made.azure.message, sig: made.azure.signature, vek, tdQuote, ...beside },
    ]
    for (const files of forms)
      expect(await judge({ ...made, files }, hardware)).toMatchObject({ production: true, refusal: null })
    const [document] = forms
    for (const [files, refusal] of [
      [{ ...document, hcl: new Uint8Array(1300) }, 'MALFORMED'],
      [{ ...document, msg: made.azure.message }, 'QUOTE_MISSING'],
      [{ ...document, msg: made.azure.message, sig: new Uint8Array(256) }, 'SIGNATURE_INVALID'],
      [{ evidenceJson: json(azureJson(made.azure, 3 as 2, parts)), ...beside }, 'MALFORMED'],
      [{ evidenceJson: json({ platform: 'az', evidence: {} }), ...beside }, 'QUOTE_MISSING'],
      [{ hcl, tpmQuoteJson: json({}), vek, tdQuote, ...beside }, 'MALFORMED'],
    ] as const)
      expect(await judge({ ...made, files }, hardware)).toMatchObject({ authentic: false, refusal })
  })

  it('is refused with any bit flipped in quote or runtime data', async () => {
    const made = make(draft(hardware), hardware)
    const { message, signature } = made.azure
    const runtime = [1236 * 8, ((made.files.hcl?.length ?? 0) - 163) * 8 - 1] as const
    const flips = fc.oneof(
      fc.nat({ max: message.length * 8 - 1 }).map((n) => ({ msg: flipBit(message, n) })),
      fc.nat({ max: signature.length * 8 - 1 }).map((n) => ({ sig: flipBit(signature, n) })),
      fc
        .integer({ min: runtime[0], max: runtime[1] })
        .map((n) => ({ hcl: flipBit(made.files.hcl ?? new Uint8Array(), n) })),
    )
    await fc.assert(
      fc.asyncProperty(flips, async (flip) => {
        const files = { ...made.files, quote: undefined, msg: message, sig: signature, ...flip }
        expect((await judge({ ...made, files }, hardware)).authentic).toBe(false)
      }),
      { numRuns: slow ? 5000 : 150 },
    )
  })

  it('ends in a verdict, whatever the bytes', async () => {
    const made = make(draft(hardware), hardware)
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 2000 }), fc.json().map(utf8))
    const roles = [
      'evidenceJson',
      'hcl',
      'quote',
      'tpmQuoteJson',
      'sig',
      'msg',
      'vek',
      'chain',
      'tdQuote',
      'collateral',
    ] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...roles), bytes, async (role, foreign) => {
        const { refusal } = await judge({ ...made, files: { ...made.files, [role]: foreign } }, hardware)
        expect(refusal ?? 'NONE').toMatch(/^[A-Z_]+$/)
      }),
      { numRuns: slow ? 5000 : 200 },
    )
  })
})

describe('evidence of a fake Azure VM', () => {
  it.each<[string, Hardware, Change, AttestationErrorCode]>([
    ['no VCEK', 'snp', lost('vek'), 'COLLATERAL_MISSING'],
    ['no chain', 'snp', lost('chain'), 'COLLATERAL_MISSING'],
    ['no TD quote', 'tdx', lost('tdQuote'), 'QUOTE_MISSING'],
    ['no collateral', 'tdx', lost('collateral'), 'COLLATERAL_MISSING'],
    ['a TDREPORT of another TD', 'tdx', otherTdReport(512), 'BINDING_MISMATCH'],
    ['a TDREPORT with other report data', 'tdx', otherTdReport(128), 'BINDING_MISMATCH'],
  ])('is refused with %s', async (_name, hardware, change, refusal) => {
    expect(await forged(change, hardware)).toMatchObject({ authentic: false, refusal })
  })
})

function shortKey(vm: Vm): void {
  const short = makeVtpmKey(1024)
  vm.azure.signer = short
  keys({ kid: 'HCLAkPub', kty: 'RSA', n: short.n, e: short.e })(vm)
}

function debuggable({ snp, td }: Vm): void {
  snp.report.set([0x1f, 0, 0x0a], snpField.policy)
  td.body.set([1], tdField.tdAttributes)
}

function otherTdReport(offset: number): Change {
  return (vm) => {
    const report = new Uint8Array(1184)
    report.set(runtimeReportData(vm.azure), 128)
    report.set(vm.td.body.subarray(tdField.tdAttributes, tdField.reportData), 512)
    report[offset + 1] = (report[offset + 1] ?? 0) ^ 1
    vm.azure.hardwareReport = report
  }
}
