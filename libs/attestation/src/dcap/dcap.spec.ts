import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, toHex, utf8 } from '#libs/canonical'
import {
  FakeIntel,
  authorityExtensions,
  collateralFile,
  enclaveField,
  fakeQuoteForms,
  flipBit,
  littleEndian,
  makeKey,
  platformExtension,
  slow,
  tdField,
  type FakeQuote,
  type QuoteForgery,
} from '#libs/testing'
import type { AttestationErrorCode } from '../errors.js'
import { AttestationError } from '../errors.js'
import { judgeSgxQuote } from '../sgx/production.js'
import { judgeTdxQuote } from '../tdx/production.js'
import type { EvidenceVerdict } from '../verdict.js'
import { dcapCollateralNames, parseDcapCollateral, type DcapCollateralName } from './collateral.js'
import { parseQuote } from './quote.js'
import { mergeTcbStates, tcbStatuses, type TcbStatus } from './tcb-status.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const day = 86_400_000
const intel = new FakeIntel()
const stranger = makeKey('ecdsa-sha256', { curve: 'P-256' })

function judge({ quote, collateral, root }: FakeQuote, tee: 'sgx' | 'tdx' = 'tdx', at = now) {
  const files = { quote, collateral: collateralFile(collateral) }
  const rules = { at, roots: [root] }
  return tee === 'tdx' ? judgeTdxQuote(files, rules) : judgeSgxQuote(files, rules)
}

function forged(change: (f: QuoteForgery) => void, form: Parameters<FakeIntel['draft']>[1] = 'td 1.0 v4') {
  const forgery = intel.draft(now, form)
  change(forgery)
  return judge(intel.make(forgery), form.startsWith('sgx') ? 'sgx' : 'tdx')
}

type Change = (f: QuoteForgery) => void
type Levels = { tcb: Record<string, unknown>; tcbStatus: string; advisoryIDs?: string[] }[]

const td =
  (field: keyof typeof tdField, ...bytes: number[]): Change =>
  (f) => {
    f.body.set(bytes, tdField[field])
  }
const qe =
  (field: keyof typeof enclaveField, ...bytes: number[]): Change =>
  (f) => {
    f.qeReport.set(bytes, enclaveField[field])
  }
const tcbInfo =
  (fields: Record<string, unknown>): Change =>
  (f) => {
    f.tcbInfo = { ...f.tcbInfo, ...fields }
  }
const qeIdentity =
  (fields: Record<string, unknown>): Change =>
  (f) => {
    f.qeIdentity = { ...f.qeIdentity, ...fields }
  }
const onTheWay =
  (name: keyof QuoteForgery['onTheWay'], change: (bytes: Uint8Array) => Uint8Array | undefined): Change =>
  (f) => {
    f.onTheWay[name] = change
  }
const status =
  (where: 'tcbInfo' | 'qeIdentity', ...statuses: string[]): Change =>
  (f) => {
    const levels = f[where]['tcbLevels'] as Levels
    statuses.forEach((tcbStatus, n) => Object.assign(levels[n] ?? {}, { tcbStatus }))
  }
const all =
  (...changes: Change[]): Change =>
  (f) => {
    for (const change of changes) change(f)
  }
const trailing = (...bytes: number[]): Change => {
  return (f) => {
    f.padding = Uint8Array.from(bytes)
  }
}

describe('a quote of the fake Intel', () => {
  it.each(fakeQuoteForms)('is genuine and fit for production: %s', async (form) => {
    const verdict = await forged(() => undefined, form)
    expect(verdict).toMatchObject({ authentic: true, production: true, refusal: null })
    expect(verdict.facts).toMatchObject({
      version: Number(form.at(-1)),
      tcb_status: 'UpToDate',
      advisories: [],
      fmspc: 'b0c06f000000',
      report_data: 'da'.repeat(64),
    })
  })

  it.each<[string, Change]>([
    ['zero bytes after its signed length', trailing(...new Uint8Array(3065))],
    ['a PEM chain that ends with a zero byte', onTheWay('pckChain', (c) => concatBytes(c, Uint8Array.of(0)))],
    ['a processor CA instead of a platform CA', nameAuthority('Intel SGX PCK Processor CA')],
    ['no authentication data', (f) => (f.authenticationData = new Uint8Array())],
    ['a TD that uses AMX and PKS', all(td('tdAttributes', 0, 0, 0, 0x50), td('xfam', 0xe7, 0x1a, 0x06))],
    ['SEPT_VE_DISABLE off, which is for owners to judge', td('tdAttributes', 0, 0, 0, 0)],
    ['firmware newer than every level', (f) => f.platform.components.fill(200)],
    [
      'a module from before modules had identities',
      all(td('teeTcbSvn', 5, 0), tcbInfo({ tdxModuleIdentities: undefined })),
    ],
    ['a module with a version, of which only its identity counts', td('teeTcbSvn', 5, 1, 5)],
    ['attributes of the quoting enclave outside the mask', qe('attributes', 0x15)],
  ])('is genuine with %s', async (_name, change) => {
    expect(await forged(change)).toMatchObject({ production: true, refusal: null })
  })

  it('is read from hexadecimal, with 0x before and a line break after', async () => {
    const { quote, collateral, root } = intel.make(intel.draft(now))
    const files = { quoteEncoding: 'hex', collateral: collateralFile(collateral) } as const
    for (const text of [toHex(quote), `0x${toHex(quote).toUpperCase()}\n`])
      expect(await judgeTdxQuote({ ...files, quote: utf8(text) }, { at: now, roots: [root] })).toMatchObject({
        production: true,
      })
    const odd = { ...files, quote: utf8('0x0') }
    expect(await judgeTdxQuote(odd, { at: now, roots: [root] })).toMatchObject({ refusal: 'MALFORMED' })
  })
})

describe('the form of a quote', () => {
  it.each<[string, Change, AttestationErrorCode]>([
    ['no bytes', onTheWay('quote', () => new Uint8Array()), 'MALFORMED'],
    ['half of its bytes', onTheWay('quote', (q) => q.subarray(0, q.length / 2)), 'MALFORMED'],
    ['one byte short', onTheWay('quote', (q) => q.subarray(0, -1)), 'MALFORMED'],
    ['a byte after its end', trailing(1), 'TRAILING_DATA'],
    ['a byte after much padding', trailing(...new Uint8Array(70), 0x0a), 'TRAILING_DATA'],
    ['more than a mebibyte', (f) => (f.padding = new Uint8Array(1_048_576)), 'MALFORMED'],
    [
      'version 2',
      (f) => {
        f.header.set([2])
      },
      'MALFORMED',
    ],
    [
      'version 6',
      (f) => {
        f.header.set([6])
      },
      'MALFORMED',
    ],
    [
      'version 3 for a TD',
      (f) => {
        f.header.set([3])
      },
      'MALFORMED',
    ],
    [
      'a key type of P-384',
      (f) => {
        f.header.set([3], 2)
      },
      'ALGORITHM',
    ],
    [
      'SGX as its TEE',
      (f) => {
        f.header.set([0], 4)
      },
      'WRONG_TYPE',
    ],
    [
      'an unknown TEE',
      (f) => {
        f.header.set([0x82], 4)
      },
      'MALFORMED',
    ],
    [
      'another vendor of its quoting enclave',
      (f) => {
        f.header.set([1], 12)
      },
      'WRONG_TYPE',
    ],
    ['another outer certification', (f) => (f.certificationTypes[0] = 5), 'MALFORMED'],
    ['another inner certification', (f) => (f.certificationTypes[1] = 1), 'MALFORMED'],
  ])('refuses a quote with %s', async (_name, change, refusal) => {
    expect(await forged(change)).toMatchObject({ authentic: false, production: false, refusal, facts: {} })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    [
      'of an enclave',
      (f) => {
        f.bodyHeader.set([1])
      },
      'WRONG_TYPE',
    ],
    [
      'of unknown type',
      (f) => {
        f.bodyHeader.set([4])
      },
      'MALFORMED',
    ],
    [
      'of a length that is not its type’s',
      (f) => {
        f.bodyHeader.set(littleEndian(648, 4), 2)
      },
      'MALFORMED',
    ],
  ])('refuses a body of version 5 %s', async (_name, change, refusal) => {
    expect(await forged(change, 'td 1.0 v5')).toMatchObject({ authentic: false, refusal })
  })

  it('refuses each TEE as the other', async () => {
    expect(await judge(intel.make(intel.draft(now, 'sgx v3')), 'tdx')).toMatchObject({
      refusal: 'WRONG_TYPE',
    })
    expect(await judge(intel.make(intel.draft(now)), 'sgx')).toMatchObject({ refusal: 'WRONG_TYPE' })
  })
})

describe('the signatures of a quote', () => {
  it.each<[string, Change, AttestationErrorCode]>([
    ['signed by another attestation key', (f) => (f.attestationSigner = stranger), 'SIGNATURE_INVALID'],
    ['whose quoting enclave names another key', (f) => (f.namesKey = false), 'BINDING_MISMATCH'],
    ['whose quoting enclave another platform signed', (f) => (f.qeSigner = stranger), 'SIGNATURE_INVALID'],
    ['whose PCK another authority signed', (f) => (f.pck.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['whose authority another root signed', (f) => (f.authority.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['whose PCK is of another curve', (f) => (f.pck.key = makeKey('ecdsa-sha384')), 'ALGORITHM'],
    ['whose PCK is an authority', (f) => (f.pck.extensions = authorityExtensions()), 'CHAIN_UNTRUSTED'],
    ['whose PCK the root issued', rootIssuesPck, 'CHAIN_UNTRUSTED'],
    ['whose PCK some other authority issued', nameAuthority('Intel SGX Other CA'), 'CHAIN_UNTRUSTED'],
    ['whose PCK is not yet valid', (f) => (f.pck.from = now + day), 'NOT_YET_VALID'],
    ['whose PCK has expired', (f) => (f.pck.until = now - day), 'EXPIRED'],
    ['whose authority has expired', (f) => (f.authority.until = now - day), 'EXPIRED'],
    ['whose root has expired', (f) => (f.root.until = now - day), 'EXPIRED'],
    ['whose PCK names no platform', (f) => (f.pckExtension = Uint8Array.of(0x30, 0)), 'MALFORMED'],
    [
      'whose PCK is of another family than its file says',
      (f) => (f.pckExtension = platformExtension({ ...f.platform, fmspc: 'b0c06f000001' })),
      'COLLATERAL_MISMATCH',
    ],
    ['without its chain', onTheWay('pckChain', () => utf8('none')), 'MALFORMED'],
  ])('refuses a quote %s', async (_name, change, refusal) => {
    expect(await forged(change)).toMatchObject({ authentic: false, refusal })
  })

  it('refuses a quote under another root than the pinned one', async () => {
    const made = intel.make(intel.draft(now))
    expect(await judge({ ...made, root: '00'.repeat(32) })).toMatchObject({ refusal: 'CHAIN_UNTRUSTED' })
    const files = { quote: made.quote, collateral: collateralFile(made.collateral) }
    expect(await judgeTdxQuote(files, { at: now })).toMatchObject({ refusal: 'CHAIN_UNTRUSTED' })
  })

  it('refuses a quote with any bit of a signed region flipped', async () => {
    const made = intel.make(intel.draft(now))
    const { signed, quotingEnclave, attestationKey, signature } = parseQuote(made.quote, 'tdx')
    const regions = [
      signed,
      signature,
      attestationKey,
      quotingEnclave.signed,
      quotingEnclave.signature,
      quotingEnclave.authenticationData,
    ]
    const bit = fc
      .constantFrom(...regions)
      .chain((region) =>
        fc
          .nat({ max: region.length * 8 - 1 })
          .map((n) => (region.byteOffset - made.quote.byteOffset) * 8 + n),
      )
    await fc.assert(
      fc.asyncProperty(bit, async (n) => {
        const verdict = await judge({ ...made, quote: flipBit(made.quote, n) })
        expect(verdict.authentic).toBe(false)
      }),
      { numRuns: slow ? 10_000 : 300 },
    )
  })
})

describe('the collateral of a quote', () => {
  it.each(dcapCollateralNames)('is refused without, or with an empty, %s', async (name) => {
    const lost = await forged(onTheWay(name, () => undefined))
    expect(lost).toMatchObject({ authentic: false, refusal: 'COLLATERAL_MISSING' })
    expect(await forged(onTheWay(name, () => new Uint8Array()))).toMatchObject({
      refusal: 'COLLATERAL_MISSING',
    })
  })

  it('is refused where there is none', async () => {
    const { quote, root } = intel.make(intel.draft(now))
    const verdict = await judgeTdxQuote({ quote, collateral: null }, { at: now, roots: [root] })
    expect(verdict).toMatchObject({ authentic: false, refusal: 'COLLATERAL_MISSING' })
  })

  it.each(['[]', '', '{"tcb_info":1}', '{"pck_crl":"zz"}', '{'])(
    'is refused where its file is %s',
    async (text) => {
      const { quote, root } = intel.make(intel.draft(now))
      const verdict = await judgeTdxQuote({ quote, collateral: utf8(text) }, { at: now, roots: [root] })
      expect(verdict.refusal).toBe('MALFORMED')
    },
  )

  it.each<[DcapCollateralName, DcapCollateralName, AttestationErrorCode]>([
    ['qe_identity_signature', 'tcb_info_signature', 'SIGNATURE_INVALID'],
    ['root_ca_crl', 'pck_crl', 'COLLATERAL_MISMATCH'],
    ['pck_crl', 'root_ca_crl', 'COLLATERAL_MISMATCH'],
    ['tcb_info_issuer_chain', 'pck_crl_issuer_chain', 'COLLATERAL_MISMATCH'],
    ['pck_crl_issuer_chain', 'tcb_info_issuer_chain', 'CHAIN_UNTRUSTED'],
  ])('is refused with its %s in place of its %s', async (from, to, refusal) => {
    const made = intel.make(intel.draft(now))
    const collateral = { ...made.collateral, [to]: made.collateral[from] ?? new Uint8Array() }
    expect(await judge({ ...made, collateral })).toMatchObject({ authentic: false, refusal })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['TCB information of another family', tcbInfo({ fmspc: '90C06F000000' }), 'COLLATERAL_MISMATCH'],
    ['TCB information of another PCE', tcbInfo({ pceId: '0001' }), 'COLLATERAL_MISMATCH'],
    ['TCB information of SGX', tcbInfo({ id: 'SGX' }), 'COLLATERAL_MISMATCH'],
    ['TCB information of version 2', tcbInfo({ version: 2 }), 'COLLATERAL_MISMATCH'],
    ['TCB information without a module', tcbInfo(noModule), 'COLLATERAL_MISMATCH'],
    ['TCB information without levels', tcbInfo({ tcbLevels: undefined }), 'MALFORMED'],
    ['TCB information with a status that nobody knows', status('tcbInfo', 'Fine'), 'MALFORMED'],
    ['TCB information not yet issued', tcbInfo({ issueDate: '2026-11-24T00:00:00Z' }), 'NOT_YET_VALID'],
    ['TCB information past its update', tcbInfo({ nextUpdate: '2026-11-23T11:59:59Z' }), 'EXPIRED'],
    ['an identity of the SGX quoting enclave', qeIdentity({ id: 'QE' }), 'COLLATERAL_MISMATCH'],
    ['an identity of version 1', qeIdentity({ version: 1 }), 'COLLATERAL_MISMATCH'],
    ['an identity not yet issued', qeIdentity({ issueDate: '2026-11-24T00:00:00Z' }), 'NOT_YET_VALID'],
    ['an identity past its update', qeIdentity({ nextUpdate: '2026-11-23T11:59:59Z' }), 'EXPIRED'],
    ['TCB information that another signed', (f) => (f.tcbInfoSigner = stranger), 'SIGNATURE_INVALID'],
    ['an identity that another signed', (f) => (f.qeIdentitySigner = stranger), 'SIGNATURE_INVALID'],
    ['TCB information written anew', onTheWay('tcb_info', rewritten), 'SIGNATURE_INVALID'],
    ['an identity written anew', onTheWay('qe_identity', rewritten), 'SIGNATURE_INVALID'],
    ['a signature cut short', onTheWay('tcb_info_signature', (s) => s.subarray(1)), 'MALFORMED'],
    ['TCB information signed by a PCK', pckSignsTcbInfo, 'CHAIN_UNTRUSTED'],
    ['a signer that is no signer of TCB information', nameSigner('Intel SGX Attestation'), 'CHAIN_UNTRUSTED'],
    [
      'a signer that is an authority',
      (f) => (f.tcbSigning.extensions = authorityExtensions()),
      'CHAIN_UNTRUSTED',
    ],
    ['a signer whom another root certified', (f) => (f.tcbSigning.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['a signer that has expired', (f) => (f.tcbSigning.until = now - day), 'EXPIRED'],
    ['a PCK that is revoked', (f) => (f.pckList.revoked = [8, f.pck.serialNumber]), 'REVOKED'],
    ['an authority that is revoked', (f) => (f.rootList.revoked = [f.authority.serialNumber]), 'REVOKED'],
    ['a signer that is revoked', (f) => (f.rootList.revoked = [f.tcbSigning.serialNumber]), 'REVOKED'],
    ['a root list that has expired', (f) => (f.rootList.until = now - 1000), 'EXPIRED'],
    ['a PCK list that has expired', (f) => (f.pckList.until = now - 1000), 'EXPIRED'],
    ['a PCK list that is not yet valid', (f) => (f.pckList.from = now + day), 'NOT_YET_VALID'],
    ['a PCK list without an end', (f) => (f.pckList.until = null), 'MALFORMED'],
    ['a root list that another signed', (f) => (f.rootList.signer = stranger), 'SIGNATURE_INVALID'],
    ['a PCK list that another signed', (f) => (f.pckList.signer = stranger), 'SIGNATURE_INVALID'],
    [
      'the PCK list of another authority',
      (f) => (f.pckList.issuer = 'Intel SGX PCK Processor CA'),
      'COLLATERAL_MISMATCH',
    ],
    [
      'a list with bytes after it',
      onTheWay('pck_crl', (c) => concatBytes(c, Uint8Array.of(0))),
      'TRAILING_DATA',
    ],
  ])('is refused with %s', async (_name, change, refusal) => {
    expect(await forged(change)).toMatchObject({ authentic: false, production: false, refusal })
  })

  it('is refused with any bit flipped in what Intel signed', async () => {
    const made = intel.make(intel.draft(now))
    const names = [
      'tcb_info',
      'qe_identity',
      'tcb_info_signature',
      'qe_identity_signature',
      'root_ca_crl',
      'pck_crl',
    ] as const
    const flips = fc
      .constantFrom(...names)
      .chain((name) =>
        fc.tuple(fc.constant(name), fc.nat({ max: (made.collateral[name]?.length ?? 0) * 8 - 1 })),
      )
    await fc.assert(
      fc.asyncProperty(flips, async ([name, bit]) => {
        const bytes = made.collateral[name] ?? new Uint8Array()
        const collateral = { ...made.collateral, [name]: flipBit(bytes, bit) }
        expect((await judge({ ...made, collateral })).authentic).toBe(false)
      }),
      { numRuns: slow ? 10_000 : 300 },
    )
  })

  it('belongs to one instant at either end of its time, and no longer', async () => {
    const made = intel.make(intel.draft(now))
    for (const at of [now - 15 * day, now + 15 * day])
      expect(await judge(made, 'tdx', at)).toMatchObject({ production: true })
    expect(await judge(made, 'tdx', now - 15 * day - 1)).toMatchObject({ refusal: 'NOT_YET_VALID' })
    expect(await judge(made, 'tdx', now + 15 * day + 1)).toMatchObject({ refusal: 'EXPIRED' })
  })
})

describe('the quoting enclave', () => {
  it.each<[string, Change]>([
    ['another signer', qe('mrSigner', 0)],
    ['another product', qe('isvProdId', 1)],
    ['debug attributes', qe('attributes', 0x13)],
    ['MISCSELECT', qe('miscSelect', 1)],
  ])('is refused with %s', async (_name, change) => {
    expect(await forged(change)).toMatchObject({ authentic: false, refusal: 'QE_IDENTITY_MISMATCH' })
  })
})

describe('the TDX module', () => {
  it.each<[string, Change, AttestationErrorCode]>([
    ['another signer', td('mrSignerSeam', 1), 'MEASUREMENT_MISMATCH'],
    ['attributes', td('seamAttributes', 1), 'MEASUREMENT_MISMATCH'],
    [
      'another signer, and no identity',
      all(td('teeTcbSvn', 5, 0), td('mrSignerSeam', 1)),
      'MEASUREMENT_MISMATCH',
    ],
  ])('is refused with %s', async (_name, change, refusal) => {
    expect(await forged(change)).toMatchObject({ authentic: false, refusal })
  })
})

describe('the firmware of a platform', () => {
  const component = (n: number, svn: number): Change => {
    return (f) => {
      f.platform.components[n] = svn
    }
  }
  it.each<[string, Change, TcbStatus | null, string[], AttestationErrorCode]>([
    [
      'one component of the second level',
      component(7, 4),
      'OutOfDate',
      ['INTEL-SA-00001'],
      'TCB_OUT_OF_DATE',
    ],
    [
      'the last component of the second level',
      component(15, 4),
      'OutOfDate',
      ['INTEL-SA-00001'],
      'TCB_OUT_OF_DATE',
    ],
    ['an older PCE', (f) => (f.platform.pceSvn = 10), 'OutOfDate', ['INTEL-SA-00001'], 'TCB_OUT_OF_DATE'],
    ['a TD on older firmware', td('teeTcbSvn', 5, 1, 4), 'OutOfDate', ['INTEL-SA-00001'], 'TCB_OUT_OF_DATE'],
    [
      'a module without identity of the second level',
      td('teeTcbSvn', 4, 0),
      'OutOfDate',
      ['INTEL-SA-00001'],
      'TCB_OUT_OF_DATE',
    ],
    ['one component below every level', component(3, 2), null, [], 'TCB_OUT_OF_DATE'],
    ['a PCE below every level', (f) => (f.platform.pceSvn = 4), null, [], 'TCB_OUT_OF_DATE'],
    ['a TD below every level', td('teeTcbSvn', 5, 1, 2), null, [], 'TCB_OUT_OF_DATE'],
    ['an older module', td('teeTcbSvn', 4), 'OutOfDate', ['INTEL-SA-00002'], 'TCB_OUT_OF_DATE'],
    ['a module below every level', td('teeTcbSvn', 1), null, [], 'TCB_OUT_OF_DATE'],
    ['a module of a version without identity', td('teeTcbSvn', 5, 2), null, [], 'TCB_OUT_OF_DATE'],
    ['an older quoting enclave', qe('isvSvn', 3), 'OutOfDate', ['INTEL-SA-00003'], 'TCB_OUT_OF_DATE'],
    ['a quoting enclave below every level', qe('isvSvn', 2), null, [], 'TCB_OUT_OF_DATE'],
    [
      'all of it older',
      all(component(0, 3), td('teeTcbSvn', 3), qe('isvSvn', 3)),
      'OutOfDate',
      ['INTEL-SA-00001', 'INTEL-SA-00002', 'INTEL-SA-00003'],
      'TCB_OUT_OF_DATE',
    ],
    [
      'hardening needed',
      status('tcbInfo', 'SWHardeningNeeded'),
      'SWHardeningNeeded',
      [],
      'TCB_NOT_UP_TO_DATE',
    ],
    [
      'configuration needed',
      status('tcbInfo', 'ConfigurationNeeded'),
      'ConfigurationNeeded',
      [],
      'TCB_NOT_UP_TO_DATE',
    ],
    [
      'configuration needed by an older enclave',
      all(status('tcbInfo', 'ConfigurationNeeded'), qe('isvSvn', 3)),
      'OutOfDateConfigurationNeeded',
      ['INTEL-SA-00003'],
      'TCB_NOT_UP_TO_DATE',
    ],
    ['a revoked level', status('tcbInfo', 'Revoked'), 'Revoked', [], 'REVOKED'],
    ['a revoked quoting enclave', status('qeIdentity', 'Revoked'), 'Revoked', [], 'REVOKED'],
    [
      'a revoked enclave on firmware below every level',
      all(status('qeIdentity', 'Revoked'), component(0, 0)),
      'Revoked',
      [],
      'REVOKED',
    ],
  ])('is authentic and not for production: %s', async (_name, change, tcb_status, advisories, refusal) => {
    const verdict = await forged(change)
    expect(verdict).toMatchObject({ authentic: true, production: false, refusal })
    expect(verdict.facts).toMatchObject({ tcb_status, advisories })
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['debug', td('tdAttributes', 1), 'DEBUG_ENABLED'],
    ['MIGRATABLE', td('tdAttributes', 0, 0, 0, 0x30), 'MIGRATION_ALLOWED'],
    ['a reserved debug bit', td('tdAttributes', 2), 'RESERVED_BITS'],
    ['a reserved security bit', td('tdAttributes', 0, 1), 'RESERVED_BITS'],
    ['a reserved upper bit', td('tdAttributes', 0, 0, 0, 0x10, 1), 'RESERVED_BITS'],
    ['a reserved feature', td('xfam', 0xe7, 0x02, 0x0e), 'RESERVED_BITS'],
    ['no SSE', td('xfam', 0xe5), 'RESERVED_BITS'],
  ])('is authentic and not for production: a TD with %s', async (_name, change, refusal) => {
    expect(await forged(change)).toMatchObject({ authentic: true, production: false, refusal })
  })

  it('is not for production with a service TD bound, nor a debug enclave', async () => {
    expect(await forged(td('mrServiceTd', 0, 1), 'td 1.5 v5')).toMatchObject({
      authentic: true,
      refusal: 'MIGRATION_ALLOWED',
    })
    const debug: Change = (f) => {
      f.body.set([0x07], enclaveField.attributes)
    }
    expect(await forged(debug, 'sgx v3')).toMatchObject({ authentic: true, refusal: 'DEBUG_ENABLED' })
  })
})

describe('merged states', () => {
  const state = fc.record({
    status: fc.constantFrom<(TcbStatus | null)[]>(...tcbStatuses, null),
    advisories: fc.array(fc.constantFrom('INTEL-SA-00001', 'INTEL-SA-00002')),
  })

  it('do not depend on order or repetition, and a part that is up to date changes nothing', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 4 }), (parts) => {
        const merged = mergeTcbStates(parts)
        expect(mergeTcbStates([...parts].reverse())).toEqual(merged)
        expect(mergeTcbStates([...parts, ...parts])).toEqual(merged)
        expect(mergeTcbStates([...parts, { status: 'UpToDate', advisories: [] }])).toEqual(merged)
      }),
    )
  })

  it('are up to date only where every part is', () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 4 }), (parts) => {
        const isGood = parts.every((part) => part.status === 'UpToDate')
        expect(mergeTcbStates(parts).status === 'UpToDate').toBe(isGood)
      }),
    )
  })
})

describe('foreign bytes', () => {
  const { quote, collateral, root } = intel.make(intel.draft(now, 'td 1.5 v5'))
  const file = collateralFile(collateral)
  const mangled = (base: Uint8Array) =>
    fc
      .tuple(
        fc.nat({ max: base.length }),
        fc.nat({ max: 40 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.boolean(),
      )
      .map(([at, gone, added, isCut]) =>
        concatBytes(base.subarray(0, at), added, isCut ? new Uint8Array() : base.subarray(at + gone)),
      )

  it('end in a verdict, whatever they are, and soon', async () => {
    const any = fc.oneof(fc.uint8Array({ maxLength: 2000 }), mangled(quote))
    const anyFile = fc.oneof(fc.uint8Array({ maxLength: 2000 }), mangled(file))
    await fc.assert(
      fc.asyncProperty(any, anyFile, fc.boolean(), async (bytes, collateral, isTd) => {
        const begun = performance.now()
        const judgeIt = isTd ? judgeTdxQuote : judgeSgxQuote
        const verdicts: EvidenceVerdict[] = [
          await judgeIt({ quote: bytes, collateral: file }, { at: now, roots: [root] }),
          await judgeIt({ quote, collateral }, { at: now, roots: [root] }),
        ]
        for (const { refusal } of verdicts) expect(refusal ?? 'NONE').toMatch(/^[A-Z_]+$/)
        expect(performance.now() - begun).toBeLessThan(5000)
      }),
      { numRuns: slow ? 20_000 : 300 },
    )
  })

  it('are collateral or a coded error', () => {
    fc.assert(
      fc.property(fc.oneof(mangled(file), fc.json().map(utf8)), (bytes) => {
        try {
          parseDcapCollateral(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(AttestationError)
        }
      }),
    )
  })
})

const noModule = { tdxModule: undefined, tdxModuleIdentities: undefined }

function nameAuthority(name: string): Change {
  return (f) => {
    f.authority.subject = name
    f.pck.issuer = name
    f.pckList.issuer = name
  }
}

function nameSigner(name: string): Change {
  return (f) => {
    f.tcbSigning.subject = name
  }
}

function rootIssuesPck(f: QuoteForgery): void {
  f.pck.issuer = f.root.subject
  f.pck.signer = intel.root
}

// The PCK of any machine stands under the same root as the key that signs TCB information.
function pckSignsTcbInfo(f: QuoteForgery): void {
  f.tcbInfoSigner = intel.pck
  f.tcbSigning = { ...f.pck, issuer: f.root.subject, signer: intel.root }
}

function rewritten(text: Uint8Array): Uint8Array {
  return utf8(JSON.stringify(JSON.parse(new TextDecoder().decode(text)), null, 1))
}
