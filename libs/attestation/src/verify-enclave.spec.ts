import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CodedError,
  canonicalBytes,
  signBytes,
  signingKeyFromSeed,
  toBase64url,
  toHex,
  utf8,
  type JsonValue,
  type SigningKey,
} from '#libs/canonical'
import { slow, refusalOf } from '#libs/testing'
import { gpuNonce, offerReportData } from './binding.js'
import type { AttestationErrorCode, AttestationStage } from './errors.js'
import {
  authenticEvidence,
  collateralDigest,
  evidenceDigest,
  type Evidence,
  type EvidenceVerifier,
} from './evidence.js'
import type { GpuVerifier } from './nvidia-gpu/verifier.js'
import { parseReferenceValues } from './reference-values.js'
import { simulatedMessage, type SimulatedReport } from './simulated/report.js'
import { issueSimulatedEvidence } from './simulated/issuer.js'
import { verifierOf } from './verifiers.js'
import {
  maximumCollateralLength,
  maximumEvidenceLength,
  verifyEnclave,
  type EnclaveClaim,
} from './verify-enclave.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const measurement = 'ab'.repeat(32)
const key = await signingKeyFromSeed(new Uint8Array(32).fill(1))
const otherKey = await signingKeyFromSeed(new Uint8Array(32).fill(2))

type Json = Record<string, JsonValue>

/** Everything an attacker could change, before it is made into bytes; the simulator's key signs whatever stands here. */
interface Forgery {
  offer: Json
  /** The Offer that the evidence is made over; the same by default. */
  boundOffer: Json | null
  report: Json
  reportData: string | null
  signature: string | null
  signer: SigningKey
  evidenceMembers: Json
  bytes: ((genuine: Uint8Array) => Uint8Array) | null
  kind: Evidence['kind']
  gpu: Uint8Array[]
  collateral: Record<string, Uint8Array>
  enclaves: Json[]
  now: number
}

function genuine(): Forgery {
  return {
    offer: {
      type: 'offer',
      run: 'cd'.repeat(32),
      enclave: 0,
      issuedAt: '2026-11-23T11:59:50.000Z',
      build: { name: 'worker', version: '1', measurement },
      gpuEvidence: null,
    },
    boundOffer: null,
    report: {
      tee: 'simulated',
      measurement,
      issuedAt: '2026-11-23T11:59:51.000Z',
      key: { ...key.publicKey },
    },
    reportData: null,
    signature: null,
    signer: key,
    evidenceMembers: {},
    bytes: null,
    kind: 'simulated',
    gpu: [],
    collateral: {},
    enclaves: [{ tee: 'simulated', measurement: [measurement], key: key.thumbprint, maximumAgeSeconds: 300 }],
    now,
  }
}

async function forge(forgery: Forgery): Promise<EnclaveClaim> {
  const offer = canonicalBytes(forgery.offer)
  const reportData =
    forgery.reportData ?? toHex(offerReportData(canonicalBytes(forgery.boundOffer ?? forgery.offer)))
  const report = { ...forgery.report, reportData }
  const signature =
    forgery.signature ??
    toBase64url(await signBytes(forgery.signer, simulatedMessage(report as unknown as SimulatedReport)))
  const bytes = canonicalBytes({ report, signature, ...forgery.evidenceMembers })
  const { kind, gpu, collateral } = forgery
  const evidence: Evidence = { kind, bytes: forgery.bytes?.(bytes) ?? bytes, gpu, collateral }
  return { offer, evidence, enclaves: forgery.enclaves, now: forgery.now }
}

const snpEntry: Json = {
  tee: 'sev-snp',
  measurement: ['12'.repeat(48)],
  minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 },
  generations: ['genoa'],
  maximumAgeSeconds: 300,
  gpu: { model: 'hopper', driver: ['550.90.07'], vbios: ['96.00.74.00.1A'] },
}
const tdxEntry: Json = {
  tee: 'tdx',
  measurement: ['34'.repeat(48)],
  rtmr1: ['56'.repeat(48)],
  minimumTcb: { evaluationDataNumber: 17 },
  maximumAgeSeconds: 300,
}
const later = (seconds: number): string => new Date(now + seconds * 1000).toISOString()

describe('verifyEnclave', () => {
  it('accepts evidence of the simulator that the contract names, and says that it is simulated', async () => {
    const claim = await forge(genuine())
    const enclave = await verifyEnclave(claim)
    expect(enclave).toMatchObject({ kind: 'simulated', enclave: 0, measurement, simulated: true })
    expect(enclave.evidenceDigest).toBe(evidenceDigest(claim.evidence.bytes))
    expect(enclave.validUntil).toBe(Date.parse('2026-11-23T12:04:50.000Z'))
    expect(enclave.checks.every((check) => check.ok)).toBe(true)
    expect(enclave.checks.map((check) => check.check)).toEqual([
      'enclave',
      'tee',
      'kind',
      'evidence length',
      'collateral length',
      'signature',
      'reportData',
      'gpuEvidence',
      'gpu devices',
      'key',
      'measurement',
      'build.measurement',
      'issuedAt',
      'issuedAt',
    ])
  })

  it('accepts what the issuer issues', async () => {
    const offer = canonicalBytes(genuine().offer)
    const evidence = await issueSimulatedEvidence({
      key,
      measurement,
      reportData: offerReportData(offer),
      issuedAt: now,
    })
    const enclave = await verifyEnclave({ offer, evidence, enclaves: genuine().enclaves, now })
    expect(enclave.simulated).toBe(true)
  })

  it('gives the same verdict again for the same time, and another for another time', async () => {
    const claim = await forge(genuine())
    expect(await verifyEnclave(claim)).toEqual(await verifyEnclave(claim))
    expect((await refusalOf(() => verifyEnclave({ ...claim, now: now + 290_001 }))).code).toBe(
      'EVIDENCE_TOO_OLD',
    )
    expect((await verifyEnclave({ ...claim, now: now + 290_000 })).validUntil).toBe(now + 290_000)
  })

  const entry = (f: Forgery): Json => f.enclaves[0]!
  const build = (f: Forgery): Json => f.offer['build'] as Json
  const mutations: [string, (f: Forgery) => void, AttestationErrorCode, AttestationStage, string][] = [
    ['bytes that are not JSON', (f) => (f.bytes = () => utf8('evidence')), 'MALFORMED', 'parse', 'evidence'],
    [
      'bytes that are not UTF-8',
      (f) => (f.bytes = () => Uint8Array.of(0xff)),
      'MALFORMED',
      'parse',
      'evidence',
    ],
    ['no bytes', (f) => (f.bytes = () => new Uint8Array()), 'MALFORMED', 'parse', 'evidence'],
    [
      'a space before the JSON',
      (f) => (f.bytes = (b) => new Uint8Array([32, ...b])),
      'MALFORMED',
      'parse',
      'evidence',
    ],
    [
      'bytes after the JSON',
      (f) => (f.bytes = (b) => new Uint8Array([...b, 10])),
      'MALFORMED',
      'parse',
      'evidence',
    ],
    ['a member that nobody knows', (f) => (f.evidenceMembers['more'] = 1), 'MALFORMED', 'parse', 'evidence'],
    ['a report member that nobody knows', (f) => (f.report['debug'] = false), 'MALFORMED', 'parse', 'report'],
    ['a report of another TEE', (f) => (f.report['tee'] = 'sev-snp'), 'MALFORMED', 'parse', 'report.tee'],
    [
      'a short measurement',
      (f) => (f.report['measurement'] = 'ab'),
      'MALFORMED',
      'parse',
      'report.measurement',
    ],
    [
      'an upper-case measurement',
      (f) => (f.report['measurement'] = 'AB'.repeat(32)),
      'MALFORMED',
      'parse',
      'report.measurement',
    ],
    ['short report data', (f) => (f.reportData = 'ab'.repeat(63)), 'MALFORMED', 'parse', 'report.reportData'],
    [
      'a time that does not exist',
      (f) => (f.report['issuedAt'] = '2026-02-30T00:00:00.000Z'),
      'MALFORMED',
      'parse',
      'report.issuedAt',
    ],
    [
      'a key of another curve',
      (f) => (f.report['key'] = { ...key.publicKey, crv: 'X25519' }),
      'MALFORMED',
      'parse',
      'report.key.crv',
    ],
    [
      'a key with stray bits',
      (f) => (f.report['key'] = { ...key.publicKey, x: `${'A'.repeat(42)}B` }),
      'MALFORMED',
      'authenticate',
      'report.key',
    ],
    ['a signature of 63 bytes', (f) => (f.signature = 'A'.repeat(84)), 'MALFORMED', 'parse', 'signature'],
    [
      'a signature of zeros',
      (f) => (f.signature = 'A'.repeat(86)),
      'SIGNATURE_INVALID',
      'authenticate',
      'signature',
    ],
    [
      'a signature by another key',
      (f) => (f.signer = otherKey),
      'SIGNATURE_INVALID',
      'authenticate',
      'signature',
    ],
    [
      '5 kB of evidence',
      (f) => (f.bytes = (b) => new Uint8Array([...b, ...new Uint8Array(4096)])),
      'EVIDENCE_TOO_LARGE',
      'parse',
      'evidence',
    ],
    [
      'more than a megabyte',
      (f) => (f.bytes = () => new Uint8Array(maximumEvidenceLength + 1)),
      'EVIDENCE_TOO_LARGE',
      'parse',
      'evidence length',
    ],
    [
      'more than four megabytes of collateral',
      (f) => {
        const half = new Uint8Array(maximumCollateralLength / 2)
        f.collateral = { crl: half, chain: half, vek: new Uint8Array(1) }
      },
      'EVIDENCE_TOO_LARGE',
      'parse',
      'collateral length',
    ],
    [
      'a simulator that the contract does not name',
      (f) => {
        f.signer = otherKey
        f.report['key'] = { ...otherKey.publicKey }
      },
      'KEY_MISMATCH',
      'appraise',
      'key',
    ],
    [
      'report data of zeros',
      (f) => (f.reportData = '00'.repeat(64)),
      'BINDING_MISMATCH',
      'bind',
      'reportData',
    ],
    [
      'evidence over an Offer with another key in it',
      (f) => (f.boundOffer = { ...f.offer, run: 'ce'.repeat(32) }),
      'BINDING_MISMATCH',
      'bind',
      'reportData',
    ],
    [
      'an unknown measurement',
      (f) => {
        f.report['measurement'] = 'ac'.repeat(32)
        build(f)['measurement'] = 'ac'.repeat(32)
      },
      'MEASUREMENT_MISMATCH',
      'appraise',
      'measurement',
    ],
    [
      'an Offer that names another build',
      (f) => (build(f)['measurement'] = 'ac'.repeat(32)),
      'BUILD_MISMATCH',
      'appraise',
      'build.measurement',
    ],
    [
      'an Offer made too long ago',
      (f) => (f.offer['issuedAt'] = later(-301)),
      'EVIDENCE_TOO_OLD',
      'appraise',
      'issuedAt',
    ],
    [
      'a report made too long ago',
      (f) => (f.report['issuedAt'] = later(-301)),
      'EVIDENCE_TOO_OLD',
      'appraise',
      'issuedAt',
    ],
    [
      'an Offer from the future',
      (f) => (f.offer['issuedAt'] = later(61)),
      'EVIDENCE_NOT_YET_VALID',
      'appraise',
      'issuedAt',
    ],
    [
      'a report from the future',
      (f) => (f.report['issuedAt'] = later(61)),
      'EVIDENCE_NOT_YET_VALID',
      'appraise',
      'issuedAt',
    ],
    ['an entry that is not there', (f) => (f.offer['enclave'] = 1), 'ENTRY_MISSING', 'parse', 'enclave'],
    ['a contract without enclaves', (f) => (f.enclaves = []), 'ENTRY_MISSING', 'parse', 'enclave'],
    ['a negative entry', (f) => (f.offer['enclave'] = -1), 'OFFER_MALFORMED', 'parse', 'enclave'],
    ['no entry at all', (f) => delete f.offer['enclave'], 'OFFER_MALFORMED', 'parse', 'enclave'],
    [
      'an Offer that is another statement',
      (f) => (f.offer['type'] = 'nonce'),
      'OFFER_MALFORMED',
      'parse',
      'type',
    ],
    ['an Offer without a time', (f) => (f.offer['issuedAt'] = 'now'), 'OFFER_MALFORMED', 'parse', 'issuedAt'],
    [
      'an Offer with an empty list of GPUs',
      (f) => (f.offer['gpuEvidence'] = []),
      'OFFER_MALFORMED',
      'parse',
      'gpuEvidence',
    ],
    [
      'an Offer that says nothing of GPUs',
      (f) => delete f.offer['gpuEvidence'],
      'OFFER_MALFORMED',
      'parse',
      'gpuEvidence',
    ],
    [
      'GPU evidence that the Offer does not name',
      (f) => (f.gpu = [utf8('gpu')]),
      'GPU_MISMATCH',
      'bind',
      'gpuEvidence',
    ],
    [
      'an Offer that names a GPU without its evidence',
      (f) => (f.offer['gpuEvidence'] = [evidenceDigest(utf8('gpu'))]),
      'GPU_MISMATCH',
      'bind',
      'gpuEvidence',
    ],
    [
      'a GPU that the entry does not accept',
      (f) => {
        f.gpu = [utf8('gpu')]
        f.offer['gpuEvidence'] = [evidenceDigest(utf8('gpu'))]
      },
      'GPU_MISMATCH',
      'appraise',
      'gpu devices',
    ],
    [
      'a second entry for real hardware',
      (f) => f.enclaves.push(snpEntry),
      'SIMULATED_NOT_ALLOWED',
      'parse',
      'tee',
    ],
    [
      'a first entry for real hardware',
      (f) => {
        f.enclaves.unshift(tdxEntry)
        f.offer['enclave'] = 1
      },
      'SIMULATED_NOT_ALLOWED',
      'parse',
      'tee',
    ],
    [
      'an entry for real hardware, claimed',
      (f) => (f.enclaves = [snpEntry]),
      'TEE_MISMATCH',
      'parse',
      'kind',
    ],
    ['evidence that calls itself real', (f) => (f.kind = 'sev-snp'), 'TEE_MISMATCH', 'parse', 'kind'],
    [
      'real evidence for SEV-SNP without the certificates that vouch for it',
      (f) => {
        f.kind = 'sev-snp'
        f.enclaves = [snpEntry]
      },
      'COLLATERAL_MISSING',
      'authenticate',
      'vek',
    ],
    [
      'evidence that calls itself a TDX quote and is none',
      (f) => {
        f.kind = 'tdx'
        f.enclaves = [tdxEntry]
      },
      'MALFORMED',
      'parse',
      'version',
    ],
    [
      'an entry without a measurement',
      (f) => delete entry(f)['measurement'],
      'REFERENCE_VALUES_INVALID',
      'parse',
      'measurement',
    ],
    [
      'an entry with no acceptable measurement',
      (f) => (entry(f)['measurement'] = []),
      'REFERENCE_VALUES_INVALID',
      'parse',
      'measurement',
    ],
    ['an entry without a key', (f) => delete entry(f)['key'], 'REFERENCE_VALUES_INVALID', 'parse', 'key'],
    [
      'an entry without a maximum age',
      (f) => delete entry(f)['maximumAgeSeconds'],
      'REFERENCE_VALUES_INVALID',
      'parse',
      'maximumAgeSeconds',
    ],
    [
      'another entry that is broken',
      (f) => f.enclaves.push({ tee: 'simulated' }),
      'REFERENCE_VALUES_INVALID',
      'parse',
      'measurement',
    ],
  ]
  it.each(mutations)('refuses %s', async (_name, mutate, code, stage, field) => {
    const forgery = genuine()
    mutate(forgery)
    const error = await refusalOf(async () => verifyEnclave(await forge(forgery)))
    expect({ code: error.code, stage: error.stage, field: error.field }).toEqual({ code, stage, field })
  })

  it('tells what it had checked when it refuses, the failed check last', async () => {
    const error = await refusalOf(async () =>
      verifyEnclave(await forge({ ...genuine(), reportData: '00'.repeat(64) })),
    )
    expect(error.checks.at(-1)).toMatchObject({ check: 'reportData', seen: '00'.repeat(64), ok: false })
    expect(error.checks.slice(0, -1).every((check) => check.ok)).toBe(true)
    expect(error.message).toContain(error.checks.at(-1)!.expected)
  })

  it('refuses when any one bit of the evidence differs', async () => {
    const claim = await forge(genuine())
    const { bytes } = claim.evidence
    const step = slow ? 1 : 37
    for (let bit = 0; bit < bytes.length * 8; bit += step) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      const error = await refusalOf(() =>
        verifyEnclave({ ...claim, evidence: { ...claim.evidence, bytes: flipped } }),
      )
      expect(['MALFORMED', 'SIGNATURE_INVALID']).toContain(error.code)
    }
  })

  it('refuses when any one byte of the Offer differs', async () => {
    const claim = await forge(genuine())
    for (let i = 0; i < claim.offer.length; i++) {
      const offer = Uint8Array.from(claim.offer)
      offer[i]! ^= 1
      expect((await refusalOf(() => verifyEnclave({ ...claim, offer }))).stage).toMatch(/^(parse|bind)$/)
    }
  })

  it('lets only coded errors out, whatever evidence and Offer are made of', async () => {
    const base = await forge(genuine())
    const json = fc.jsonValue().map((value) => utf8(JSON.stringify(value)))
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      json,
      fc.constant(base.evidence.bytes),
      fc.constant(base.offer),
    )
    await fc.assert(
      fc.asyncProperty(bytes, bytes, fc.jsonValue(), async (evidence, offer, foreignEntry) => {
        const claim = {
          ...base,
          offer,
          evidence: { ...base.evidence, bytes: evidence },
          enclaves: [foreignEntry],
        }
        try {
          await verifyEnclave(claim)
          return false
        } catch (error) {
          return error instanceof CodedError
        }
      }),
      { numRuns: slow ? 20_000 : 1_000 },
    )
  })
})

describe('a verifier of another TEE', () => {
  it('fits beside the simulated one, GPUs included, and is dated by the Offer where its hardware knows no time', async () => {
    const forgery = { ...genuine(), kind: 'sev-snp' as const, enclaves: [snpEntry], gpu: [utf8('gpu 0')] }
    const snpMeasurement = '12'.repeat(48)
    forgery.offer['gpuEvidence'] = forgery.gpu.map(evidenceDigest)
    forgery.offer['build'] = { measurement: snpMeasurement }
    const claim = await forge(forgery)
    let vouchedUntil = now + 1_000_000
    const snp: EvidenceVerifier = {
      kind: 'sev-snp',
      authenticate: () =>
        Promise.resolve(
          authenticEvidence({
            kind: 'sev-snp',
            reportData: offerReportData(claim.offer),
            measurement: snpMeasurement,
            chip: 'c1'.repeat(64),
            issuedAt: null,
            vouchedUntil,
            claims: {},
          }),
        ),
      appraise: () => undefined,
    }
    const asked: string[] = []
    const gpus: GpuVerifier = {
      verify: ({ evidence, nonces }) => {
        asked.push(...nonces.map(toHex))
        return evidence.map(evidenceDigest)
      },
    }
    expect(await verifyEnclave(claim, [snp], gpus)).toMatchObject({
      kind: 'sev-snp',
      chip: 'c1'.repeat(64),
      gpus: forgery.gpu.map(evidenceDigest),
      simulated: false,
      validUntil: now + 290_000,
    })
    expect(asked).toEqual([toHex(gpuNonce(claim.offer, 0))])
    expect((await refusalOf(() => verifyEnclave(claim, [snp]))).code).toBe('MALFORMED')
    const tooLate = { ...claim, now: now + 290_001 }
    expect((await refusalOf(() => verifyEnclave(tooLate, [snp], gpus))).code).toBe('EVIDENCE_TOO_OLD')
    const withoutGpu = { ...claim, evidence: { ...claim.evidence, gpu: [] } }
    expect((await refusalOf(() => verifyEnclave(withoutGpu, [snp], gpus))).code).toBe('GPU_MISMATCH')

    // What vouches must hold at the verdict; how long the evidence may be released on is its age alone.
    vouchedUntil = now
    expect(await verifyEnclave(claim, [snp], gpus)).toMatchObject({ validUntil: now + 290_000 })
    vouchedUntil = now - 1
    expect(await refusalOf(() => verifyEnclave(claim, [snp], gpus))).toMatchObject({ code: 'EXPIRED' })
  })

  it('is refused by name while there is none', async () => {
    expect((await refusalOf(() => verifierOf('tdx', []))).message).toContain('cannot verify')
    expect((await refusalOf(() => verifierOf('abacus' as never))).message).toContain('no such TEE')
  })
})

describe('the binding of a GPU', () => {
  const offer: Json = { ...genuine().offer, gpuEvidence: ['ab'.repeat(32)] }
  it('depends on the Offer and the device, not on the GPU evidence that the Offer names later', () => {
    const nonce = toHex(gpuNonce(canonicalBytes(offer), 0))
    expect(nonce).toHaveLength(64)
    expect(toHex(gpuNonce(canonicalBytes({ ...offer, gpuEvidence: null }), 0))).toBe(nonce)
    expect(toHex(gpuNonce(canonicalBytes(offer), 1))).not.toBe(nonce)
    expect(toHex(gpuNonce(canonicalBytes({ ...offer, run: '00'.repeat(32) }), 0))).not.toBe(nonce)
  })
  it('refuses a device that cannot be', async () => {
    for (const device of [-1, 64, 0.5])
      expect((await refusalOf(() => gpuNonce(canonicalBytes(offer), device))).code).toBe('OFFER_MALFORMED')
  })
})

describe('reference values', () => {
  const entries: [string, Json][] = [
    ['simulated', genuine().enclaves[0]!],
    ['sev-snp', snpEntry],
    ['tdx', tdxEntry],
  ]
  it.each(entries)('of %s are read as they stand', (_tee, entry) => {
    expect(parseReferenceValues(entry)).toEqual(entry)
  })

  it.each(entries)('of %s need every field that has no safe value', async (_tee, entry) => {
    for (const name of [
      'tee',
      'measurement',
      'maximumAgeSeconds',
      ...('minimumTcb' in entry ? ['minimumTcb'] : ['key']),
    ]) {
      const rest = Object.fromEntries(Object.entries(entry).filter(([member]) => member !== name))
      const error = await refusalOf(() => parseReferenceValues(rest))
      expect([error.code, error.field]).toEqual(['REFERENCE_VALUES_INVALID', name])
    }
  })

  it.each(entries)('of %s hold no field that nobody knows, and no value twice', async (_tee, entry) => {
    const measurements = entry['measurement'] as JsonValue[]
    for (const wrong of [
      { ...entry, anything: true },
      { ...entry, measurement: [...measurements, ...measurements] },
    ])
      expect((await refusalOf(() => parseReferenceValues(wrong))).code).toBe('REFERENCE_VALUES_INVALID')
  })

  it('cannot ask for debug, for a wildcard or for another width', async () => {
    const wrong: Json[] = [
      { ...snpEntry, debug: true },
      { ...snpEntry, measurement: ['*'] },
      { ...snpEntry, measurement: 'any' },
      { ...snpEntry, measurement: ['12'.repeat(32)] },
      { ...snpEntry, minimumTcb: { bootloader: 3, tee: 0, snp: 8 } },
      { ...snpEntry, smt: true },
      { ...snpEntry, gpu: { model: 'hopper', driver: [], vbios: ['96.00.74.00.1A'] } },
      { ...snpEntry, gpu: { model: 'hopper', driver: ['550.90.07'] } },
      { ...tdxEntry, tcbStatus: ['Revoked'] },
      { ...tdxEntry, rtmr0: [] },
      { ...tdxEntry, maximumAgeSeconds: 0 },
      { ...tdxEntry, maximumAgeSeconds: 86_401 },
      { tee: 'nitro' },
    ]
    for (const entry of wrong)
      expect((await refusalOf(() => parseReferenceValues(entry))).code).toBe('REFERENCE_VALUES_INVALID')
    for (const entry of [null, 'simulated', [], 5])
      expect((await refusalOf(() => parseReferenceValues(entry))).code).toBe('REFERENCE_VALUES_INVALID')
  })
})

describe('collateral', () => {
  it('has one digest whatever order it comes in, and another when a byte or a name differs', () => {
    const [crl, chain] = [utf8('crl'), utf8('chain')]
    const both = collateralDigest({ crl, chain })
    expect(collateralDigest({ chain, crl })).toBe(both)
    expect(collateralDigest({ crl: chain, chain: crl })).not.toBe(both)
    expect(collateralDigest({ crl })).not.toBe(both)
    expect(collateralDigest()).toBe(collateralDigest({}))
  })
})
