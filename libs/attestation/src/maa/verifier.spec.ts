import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CodedError, toBase64, utf8, type JsonValue } from '#libs/canonical'
import {
  fakeMaaIssuer,
  fakeMaaNested,
  fakeMaaPolicyHash,
  fakeMaaSnp,
  fakeMaaTdx,
  FakeTokenIssuer,
  refusalOf,
  slow,
  type FakeClaims,
  type TokenForgery,
} from '#libs/testing'
import { checkReportData, evidenceNonce } from '../binding.js'
import { Checklist } from '../checklist.js'
import type { AttestationErrorCode } from '../errors.js'
import type { Collateral } from '../evidence.js'
import { parseReferenceValues } from '../reference-values.js'
import { maaSnpVerifier, maaTdxVerifier } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const azure = new FakeTokenIssuer('RS256')
const stranger = new FakeTokenIssuer('RS256')
const asked = new Uint8Array(64).fill(0x5a)
const kinds = ['maa-snp', 'maa-tdx'] as const
type Kind = (typeof kinds)[number]
type Entry = Record<string, unknown>

const service = {
  maximumAgeSeconds: 300,
  issuer: fakeMaaIssuer,
  keys: [azure.thumbprint],
  policyHash: [fakeMaaPolicyHash],
}
const entries: Readonly<Record<Kind, Entry>> = {
  'maa-snp': {
    ...service,
    tee: 'maa-snp',
    measurement: ['3e'.repeat(48)],
    minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 },
    generations: ['genoa'],
    hostData: ['ab'.repeat(32)],
    waivedProtections: [
      'singleSocket',
      'aes256Xts',
      'raplDisabled',
      'ciphertextHiding',
      'pageSwapDisabled',
      'aliasCheck',
    ],
  },
  'maa-tdx': { ...service, tee: 'maa-tdx', measurement: ['d1'.repeat(48)], mrConfigId: ['cf'.repeat(48)] },
}
const verifiers = { 'maa-snp': maaSnpVerifier, 'maa-tdx': maaTdxVerifier }

interface Case {
  hardware: FakeClaims
  /** Null: the hardware was attested directly. */
  guest: FakeClaims | null
  entry: Entry
  forge: (forgery: TokenForgery) => void
  keys: Uint8Array | null
  signer: FakeTokenIssuer
}
type Change = (item: Case) => void

function tokenOf({ hardware, guest, forge, signer }: Case): Uint8Array {
  const claims = guest === null ? hardware : { ...guest, 'x-ms-isolation-tee': hardware }
  const forgery = signer.draft(now, claims)
  forge(forgery)
  return utf8(signer.make(forgery))
}

async function verify(kind: Kind, change: Change = () => undefined): Promise<Checklist> {
  const item: Case = {
    hardware: kind === 'maa-snp' ? fakeMaaSnp(asked) : fakeMaaTdx(asked),
    guest: null,
    entry: { ...entries[kind] },
    forge: () => undefined,
    keys: azure.keySet(),
    signer: azure,
  }
  change(item)
  const checklist = new Checklist()
  const context = { now, checklist }
  const collateral: Collateral = item.keys === null ? {} : { jwks: item.keys }
  const authentic = await verifiers[kind].authenticate({ kind, bytes: tokenOf(item), collateral }, context)
  checkReportData(authentic, asked, checklist)
  verifiers[kind].appraise(authentic, parseReferenceValues(item.entry), context)
  return checklist
}

const demand =
  (fields: Entry): Change =>
  (item) => {
    item.entry = { ...item.entry, ...fields }
  }
const hardware =
  (fields: FakeClaims): Change =>
  (item) => {
    item.hardware = { ...item.hardware, ...fields }
  }
const both =
  (...changes: Change[]): Change =>
  (item) => {
    for (const change of changes) change(item)
  }
const nested =
  (outer: FakeClaims = {}, nonce = evidenceNonce(asked)): Change =>
  (item) => {
    item.guest = { ...fakeMaaNested({}, nonce), ...outer }
    item.entry = { ...item.entry, nested: 'azurevm' }
  }
const payload = (fields: FakeClaims): FakeClaims => ({ 'x-ms-runtime': { 'client-payload': fields } })

describe.each(kinds)('a token of the fake Azure as evidence: %s', (kind) => {
  it.each<[string, Change]>([
    ['itself', () => undefined],
    ['the guest’s own form', nested()],
    ['a policy among those named', demand({ policyHash: ['Q'.repeat(42) + 'A', fakeMaaPolicyHash] })],
    [
      'compliance of containers where it is named',
      both(
        hardware({ 'x-ms-compliance-status': 'azure-compliant-uvm' }),
        demand({ compliance: ['azure-compliant-uvm'] }),
      ),
    ],
  ])('meets its entry: %s', async (_name, change) => {
    const { checks } = await verify(kind, change)
    expect(checks.every(({ ok }) => ok)).toBe(true)
    expect(checks.map(({ check }) => check)).toContain('signing key')
  })

  it.each<[string, Change, AttestationErrorCode]>([
    ['no key set', (item) => (item.keys = null), 'COLLATERAL_MISSING'],
    ['the key set of a stranger', (item) => (item.keys = stranger.keySet()), 'SIGNATURE_INVALID'],
    [
      'a stranger that shows its own key set',
      (item) => {
        item.signer = stranger
        item.keys = stranger.keySet()
      },
      'KEY_UNKNOWN',
    ],
    [
      'another instance, which shares the keys',
      hardware({ iss: 'https://other.attest.example' }),
      'WRONG_ISSUER',
    ],
    ['no issuer', hardware({ iss: null }), 'WRONG_ISSUER'],
    ['an end that is over', (item) => (item.forge = (f) => (f.claims['exp'] = now / 1000)), 'EXPIRED'],
    ['an end that no calendar has', (item) => (item.forge = (f) => (f.claims['exp'] = 1e300)), 'MALFORMED'],
    ['another algorithm', (item) => (item.forge = (f) => (f.header['alg'] = 'none')), 'ALGORITHM'],
    ['a byte after it', (item) => (item.forge = (f) => (f.onTheWay = (token) => `${token}\n`)), 'MALFORMED'],
    [
      'the report data of another Offer',
      hardware({ 'x-ms-runtime': { 'user-data': '00'.repeat(64) } }),
      'BINDING_MISMATCH',
    ],
    ['no user data', hardware({ 'x-ms-runtime': {} }), 'BINDING_MISMATCH'],
    ['no runtime data', hardware({ 'x-ms-runtime': null }), 'BINDING_MISMATCH'],
    [
      'user data at the wrong level',
      hardware({ 'x-ms-runtime': {}, 'user-data': '5a'.repeat(64) }),
      'BINDING_MISMATCH',
    ],
    [
      'the nonce of a client in a token of the hardware',
      hardware(payload({ nonce: toBase64(evidenceNonce(asked)) })),
      'BINDING_MISMATCH',
    ],
    ['a policy that the instance changed', hardware({ 'x-ms-policy-hash': 'Q'.repeat(42) + 'A' }), 'POLICY'],
    ['no policy', hardware({ 'x-ms-policy-hash': null }), 'POLICY'],
    ['no compliance', hardware({ 'x-ms-compliance-status': null }), 'IMAGE_NOT_PRODUCTION'],
    [
      'compliance of containers',
      hardware({ 'x-ms-compliance-status': 'azure-compliant-uvm' }),
      'IMAGE_NOT_PRODUCTION',
    ],
    [
      'a guest’s own token where the hardware’s is asked for',
      both(nested(), demand({ nested: undefined })),
      'WRONG_TYPE',
    ],
    ['a token of the hardware where the guest’s is asked for', demand({ nested: 'azurevm' }), 'WRONG_TYPE'],
    ['no type', hardware({ 'x-ms-attestation-type': null }), 'WRONG_TYPE'],
    ['the type of an enclave', hardware({ 'x-ms-attestation-type': 'sgx' }), 'WRONG_TYPE'],
    [
      'an entry for other hardware',
      (item) => (item.entry = entries[kind === 'maa-snp' ? 'maa-tdx' : 'maa-snp']),
      'TEE_MISMATCH',
    ],
    ['the nonce of another Offer, nested', nested({}, evidenceNonce(new Uint8Array(64))), 'BINDING_MISMATCH'],
    ['no nonce, nested', nested(payload({})), 'BINDING_MISMATCH'],
    ['a nonce that is not base64, nested', nested(payload({ nonce: '*' })), 'BINDING_MISMATCH'],
    [
      'a nonce of bytes and not of text, nested',
      nested(payload({ nonce: toBase64(evidenceNonce(asked)) })),
      'BINDING_MISMATCH',
    ],
    ['no secure boot, nested', nested({ secureboot: false }), 'POLICY'],
    ['boot debugging, nested', nested({ 'x-ms-azurevm-bootdebug-enabled': true }), 'DEBUG_ENABLED'],
    ['debuggers, nested', nested({ 'x-ms-azurevm-debuggersdisabled': false }), 'DEBUG_ENABLED'],
    [
      'nothing said of debuggers, nested',
      nested({ 'x-ms-azurevm-debuggersdisabled': null }),
      'DEBUG_ENABLED',
    ],
    [
      'compliance at the outer level alone',
      both(
        nested({ 'x-ms-compliance-status': 'azure-compliant-cvm' }),
        hardware({ 'x-ms-compliance-status': null }),
      ),
      'IMAGE_NOT_PRODUCTION',
    ],
    ['a policy at the inner level alone', nested({ 'x-ms-policy-hash': null }), 'POLICY'],
  ])('is refused with %s', async (_name, change, code) => {
    expect((await refusalOf(() => verify(kind, change))).code).toBe(code)
  })

  it('is refused with any one character of it changed', async () => {
    const item = {
      hardware: kind === 'maa-snp' ? fakeMaaSnp(asked) : fakeMaaTdx(asked),
      guest: null,
      forge: () => undefined,
      signer: azure,
    } as never
    const token = Buffer.from(tokenOf(item)).toString()
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.constantFrom('A', 'Q', 'g', '9', '_', '.'),
        async (at, other) => {
          fc.pre(token[at] !== other)
          const bytes = utf8(token.slice(0, at) + other + token.slice(at + 1))
          const evidence = { kind, bytes, collateral: { jwks: azure.keySet() } }
          const act = () => verifiers[kind].authenticate(evidence, { now, checklist: new Checklist() })
          expect(await refusalOf(act)).toBeInstanceOf(CodedError)
        },
      ),
      { numRuns: slow ? 3000 : 150 },
    )
  })

  it('ends in a code for any claims that the service signs', async () => {
    const base = kind === 'maa-snp' ? fakeMaaSnp(asked) : fakeMaaTdx(asked)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(base)), fc.jsonValue(), async (name, value) => {
        await verify(kind, hardware({ [name]: value as JsonValue })).catch((error: unknown) => {
          expect(error).toBeInstanceOf(CodedError)
        })
      }),
      { numRuns: slow ? 5000 : 300 },
    )
  })
})

const snp = (name: string, value: JsonValue) => hardware({ [`x-ms-sevsnpvm-${name}`]: value })
const without = (name: string): Change => {
  return (item) => {
    item.hardware = Object.fromEntries(Object.entries(item.hardware).filter(([key]) => key !== name))
  }
}

describe('a token of the fake Azure about hardware', () => {
  it.each<[string, Kind, Change, AttestationErrorCode]>([
    ['a guest that can be debugged', 'maa-snp', snp('is-debuggable', true), 'DEBUG_ENABLED'],
    ['a guest that may move', 'maa-snp', snp('migration-allowed', true), 'MIGRATION_ALLOWED'],
    ['nothing said of debugging', 'maa-snp', without('x-ms-sevsnpvm-is-debuggable'), 'MALFORMED'],
    ['debugging in words', 'maa-snp', snp('is-debuggable', 'false'), 'MALFORMED'],
    ['shared cores', 'maa-snp', snp('smt-allowed', true), 'POLICY'],
    ['memory on other devices', 'maa-snp', snp('cxl-allowed', true), 'POLICY'],
    ['nothing said of memory on other devices', 'maa-snp', without('x-ms-sevsnpvm-cxl-allowed'), 'POLICY'],
    ['a protection that is not waived', 'maa-snp', demand({ waivedProtections: ['aliasCheck'] }), 'POLICY'],
    ['another privilege level', 'maa-snp', snp('vmpl', 1), 'POLICY'],
    ['firmware below the minimum', 'maa-snp', snp('snpfw-svn', 23), 'TCB_OUT_OF_DATE'],
    ['an older guest', 'maa-snp', demand({ minimumGuestSvn: 8 }), 'POLICY'],
    ['another generation', 'maa-snp', snp('chip-family', 'Milan'), 'POLICY'],
    ['no generation', 'maa-snp', without('x-ms-sevsnpvm-chip-family'), 'POLICY'],
    [
      'Turin, whose FMC is not said',
      'maa-snp',
      both(snp('chip-family', 'Turin'), demand({ generations: ['turin'] })),
      'POLICY',
    ],
    ['a refused chip', 'maa-snp', demand({ refusedChips: ['c1'.repeat(64)] }), 'POLICY'],
    [
      'no chip where chips are named',
      'maa-snp',
      both(without('x-ms-sevsnpvm-chipid'), demand({ chips: ['c1'.repeat(64)] })),
      'POLICY',
    ],
    ['other host data', 'maa-snp', snp('hostdata', 'cd'.repeat(32)), 'POLICY'],
    ['an id key that nobody named', 'maa-snp', snp('idkeydigest', '01'.repeat(48)), 'POLICY'],
    [
      'a guest that nothing measures',
      'maa-snp',
      both(snp('hostdata', '00'.repeat(32)), demand({ hostData: undefined })),
      'POLICY',
    ],
    ['a measurement that is none', 'maa-snp', snp('launchmeasurement', '3e'), 'MALFORMED'],
    [
      'a TD that can be debugged',
      'maa-tdx',
      hardware({ tdx_td_attributes: '0100001000000000' }),
      'DEBUG_ENABLED',
    ],
    ['debugging said in words', 'maa-tdx', hardware({ dbgstat: 'enabled' }), 'DEBUG_ENABLED'],
    ['nothing said of debugging', 'maa-tdx', without('dbgstat'), 'DEBUG_ENABLED'],
    [
      'a TD that may move',
      'maa-tdx',
      hardware({ tdx_td_attributes: '0000003000000000' }),
      'MIGRATION_ALLOWED',
    ],
    ['reserved attributes', 'maa-tdx', hardware({ tdx_td_attributes: '0001001000000000' }), 'RESERVED_BITS'],
    ['pages that can be taken away', 'maa-tdx', hardware({ tdx_td_attributes: '00'.repeat(8) }), 'POLICY'],
    [
      'a module of another signer',
      'maa-tdx',
      hardware({ tdx_mrsignerseam: '01'.repeat(48) }),
      'MEASUREMENT_MISMATCH',
    ],
    [
      'a module with attributes',
      'maa-tdx',
      hardware({ tdx_seam_attributes: '01'.repeat(8) }),
      'MEASUREMENT_MISMATCH',
    ],
    ['another module than named', 'maa-tdx', demand({ mrSeam: ['00'.repeat(48)] }), 'POLICY'],
    ['firmware out of date', 'maa-tdx', hardware({ attester_tcb_status: 'OutOfDate' }), 'TCB_OUT_OF_DATE'],
    ['firmware revoked', 'maa-tdx', hardware({ attester_tcb_status: 'Revoked' }), 'REVOKED'],
    [
      'a status of the firmware that is not said',
      'maa-tdx',
      without('attester_tcb_status'),
      'TCB_NOT_UP_TO_DATE',
    ],
    ['another register', 'maa-tdx', hardware({ tdx_rtmr2: '01'.repeat(48) }), 'POLICY'],
    [
      'a TD that nothing measures',
      'maa-tdx',
      both(hardware({ tdx_mrconfigid: '00'.repeat(48) }), demand({ mrConfigId: undefined })),
      'POLICY',
    ],
  ])('is refused with %s', async (_name, kind, change, code) => {
    expect((await refusalOf(() => verify(kind, change))).code).toBe(code)
  })

  it.each<[string, Kind, Change]>([
    [
      'a guest that nothing measures, where the entry says so',
      'maa-snp',
      both(snp('hostdata', '00'.repeat(32)), demand({ hostData: undefined, guestCode: 'unmeasured' })),
    ],
    [
      'a TD that nothing measures, where the entry says so',
      'maa-tdx',
      both(
        hardware({ tdx_mrconfigid: '00'.repeat(48) }),
        demand({ mrConfigId: undefined, guestCode: 'unmeasured' }),
      ),
    ],
    [
      'firmware that is waived',
      'maa-tdx',
      both(hardware({ attester_tcb_status: 'OutOfDate' }), demand({ tcbStatus: ['OutOfDate'] })),
    ],
    [
      'protections that are on',
      'maa-snp',
      both(
        ...[
          'singlesocket',
          'mem-aes256-xts-required',
          'rapl-disabled',
          'ciphertext-hiding-dram-enabled',
          'page-swap-disabled',
        ].map((name) => snp(name, true)),
        demand({ waivedProtections: ['aliasCheck'] }),
      ),
    ],
  ])('meets an entry with %s', async (_name, kind, change) => {
    expect((await verify(kind, change)).checks.every(({ ok }) => ok)).toBe(true)
  })
})
