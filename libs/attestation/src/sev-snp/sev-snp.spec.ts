import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '#libs/canonical'
import {
  FakeAmd,
  authorityExtensions,
  derInteger,
  derText,
  fakeChipId,
  flipBit,
  makeKey,
  slow,
  snpExtension,
  snpField,
  type FakeSnpEvidence,
  type SnpForgery,
  refusalOf,
} from '#libs/testing'
import { Checklist } from '../checklist.js'
import type { AttestationErrorCode } from '../errors.js'
import type { Evidence, EvidenceVerifier } from '../evidence.js'
import { parseReferenceValues } from '../reference-values.js'
import type { EvidenceVerdict } from '../verdict.js'
import { judgeSnpReport } from './production.js'
import type { AmdRoots } from './generations.js'
import { sevSnpVerifierWith } from './verifier.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const day = 86_400_000
const amd = new FakeAmd()
const stranger = makeKey('rsa-pss-sha384')
const otherVek = makeKey('ecdsa-sha384')

function rootsOf({ root }: FakeSnpEvidence): AmdRoots {
  return { milan: [root], genoa: [root], turin: [root] }
}

function judge(evidence: FakeSnpEvidence, at = now): Promise<EvidenceVerdict> {
  return judgeSnpReport(evidence, { at, roots: rootsOf(evidence) })
}

const put = (field: keyof typeof snpField, ...bytes: number[]) => {
  return (f: SnpForgery) => {
    f.report.set(bytes, snpField[field])
  }
}
const extend = (id: string, value: Uint8Array) => (f: SnpForgery) => {
  f.vek.extensions = f.vek.extensions.map((extension) => (extension.id === id ? { id, value } : extension))
}
const drop = (id: string) => (f: SnpForgery) => {
  f.vek.extensions = f.vek.extensions.filter((extension) => extension.id !== id)
}
const list = (change: (crl: NonNullable<SnpForgery['crl']>, f: SnpForgery) => void) => (f: SnpForgery) => {
  const crl = amd.draftList(f)
  f.crl = crl
  change(crl, f)
}

describe('a report of the fake AMD', () => {
  const kinds = (['milan', 'genoa', 'turin'] as const).flatMap((generation) =>
    (['VCEK', 'VLEK'] as const).flatMap((kind) =>
      ([2, 3, 5] as const).map((version) => [generation, kind, version] as const),
    ),
  )
  it.each(kinds)(
    'is genuine and fit for production: %s, %s, version %i',
    async (generation, kind, version) => {
      const verdict = await judge(amd.make(amd.draft(now, generation, kind, version)))
      expect(verdict).toMatchObject({ authentic: true, production: true, refusal: null })
      expect(verdict.facts).toMatchObject({ version, signing_key: kind, policy: '0x20133', guest_svn: 7 })
    },
  )

  it.each<[string, (f: SnpForgery) => void]>([
    ['a current revocation list that revokes others', list((crl) => (crl.revoked = [7, 8]))],
    [
      'an id of the chip that is wrapped',
      extend(snpExtension.hardwareId, concatBytes(Uint8Array.of(4, 64), fakeChipId('genoa'))),
    ],
    [
      'a masked chip id',
      (f) => {
        put('keyInfo', 0b10)(f)
        put('chipId', ...new Uint8Array(64))(f)
      },
    ],
    ['a product with its stepping', extend(snpExtension.product, derText('Genoa-B1', 0x16))],
    ['firmware that runs newer than it committed to', put('currentTcb', 5)],
    ['the Bergamo that is certified as Genoa', put('cpuid', 0x19, 0xa0)],
    ['bit 6 of the platform, as genuine Turin has it', put('platformInfo', 0x65)],
  ])('is genuine with %s', async (_name, change) => {
    const forgery = amd.draft(now)
    change(forgery)
    expect(await judge(amd.make(forgery))).toMatchObject({ production: true })
  })

  const refused: [string, (f: SnpForgery) => void, AttestationErrorCode][] = [
    ['one byte short', (f) => (f.onTheWay.report = (r) => r.subarray(1)), 'MALFORMED'],
    ['one byte long', (f) => (f.onTheWay.report = (r) => concatBytes(r, Uint8Array.of(0))), 'MALFORMED'],
    ['no bytes', (f) => (f.onTheWay.report = () => new Uint8Array()), 'MALFORMED'],
    ['version 1', put('version', 1), 'MALFORMED'],
    ['version 4', put('version', 4), 'MALFORMED'],
    ['version 6', put('version', 6), 'MALFORMED'],
    ['another signature algorithm', put('signatureAlgorithm', 2), 'ALGORITHM'],
    ['a report that the host asked for', put('vmpl', 0xff, 0xff, 0xff, 0xff), 'MALFORMED'],
    ['VMPL 4', put('vmpl', 4), 'MALFORMED'],
    ['a policy without its constant bit', put('policy', 51, 1, 0), 'MALFORMED'],
    ['a reserved bit of the policy', put('policy', 51, 1, 2, 4), 'MALFORMED'],
    ['the last bit of the policy', put('policy', 51, 1, 2, 0, 0, 0, 0, 0x80), 'MALFORMED'],
    ['a reserved bit of the platform', put('platformInfo', 0, 1), 'MALFORMED'],
    ['a reserved bit of the key', put('keyInfo', 0x20), 'MALFORMED'],
    ['a reserved kind of key', put('keyInfo', 3 << 2), 'MALFORMED'],
    [
      'reserved bytes after the key',
      (f) => {
        f.report.set([1], 0x4c)
      },
      'MALFORMED',
    ],
    [
      'reserved bytes after the processor',
      (f) => {
        f.report.set([1], 0x18b)
      },
      'MALFORMED',
    ],
    [
      'reserved bytes after a firmware version',
      (f) => {
        f.report.set([1], 0x1eb)
      },
      'MALFORMED',
    ],
    ['mitigations in version 3', put('mitigation', 1), 'MALFORMED'],
    [
      'reserved bytes before the signature',
      (f) => {
        f.report.set([1], 0x29f)
      },
      'MALFORMED',
    ],
    ['reserved bytes after r', (f) => (f.onTheWay.report = (r) => flipBit(r, (0x2a0 + 48) * 8)), 'MALFORMED'],
    [
      'reserved bytes after s',
      (f) => (f.onTheWay.report = (r) => flipBit(r, (0x2a0 + 120) * 8)),
      'MALFORMED',
    ],
    ['reserved bytes at its end', (f) => (f.onTheWay.report = (r) => flipBit(r, 1183 * 8)), 'MALFORMED'],
    ['a report that is not signed', put('keyInfo', 7 << 2), 'WRONG_TYPE'],
    ['a report that names a VLEK beside a VCEK', put('keyInfo', 1 << 2), 'WRONG_TYPE'],
    ['the signature of another key', (f) => (f.signer = otherVek), 'SIGNATURE_INVALID'],
    ['another certified key', (f) => (f.vek.key = otherVek), 'SIGNATURE_INVALID'],
    [
      'a signature of zeros',
      (f) => (f.onTheWay.report = (r) => concatBytes(r.subarray(0, 0x2a0), new Uint8Array(512))),
      'SIGNATURE_INVALID',
    ],
    ['a certificate of nothing', (f) => (f.onTheWay.vek = () => new Uint8Array()), 'MALFORMED'],
    ['a certificate that is text', (f) => (f.onTheWay.vek = () => utf8('certificate')), 'MALFORMED'],
    [
      'a certificate with a byte after it',
      (f) => (f.onTheWay.vek = (v) => concatBytes(v, Uint8Array.of(0))),
      'TRAILING_DATA',
    ],
    [
      'a chain with text after it',
      (f) => (f.onTheWay.chain = (c) => concatBytes(c, utf8('text'))),
      'TRAILING_DATA',
    ],
    ['a chain of nothing', (f) => (f.onTheWay.chain = () => new Uint8Array()), 'MALFORMED'],
    [
      'a changed certificate',
      (f) => (f.onTheWay.vek = (v) => flipBit(v, v.length * 8 - 1)),
      'CHAIN_UNTRUSTED',
    ],
    ['a certificate that a stranger signed', (f) => (f.vek.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['an authority that a stranger signed', (f) => (f.authority.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['an authority that may not certify', (f) => (f.authority.extensions = []), 'CHAIN_UNTRUSTED'],
    [
      'an authority whose key is for lists',
      (f) => (f.authority.extensions = authorityExtensions({ uses: [6] })),
      'CHAIN_UNTRUSTED',
    ],
    [
      'a root that allows nobody below it',
      (f) => (f.root.extensions = authorityExtensions({ pathLength: 0 })),
      'CHAIN_UNTRUSTED',
    ],
    [
      'a critical extension that nobody knows',
      (f) => f.vek.extensions.push({ id: '1.2.3.4', critical: true, value: derInteger(1) }),
      'CHAIN_UNTRUSTED',
    ],
    [
      'an extension that comes twice',
      (f) => f.vek.extensions.push({ id: snpExtension.tee, value: derInteger(1) }),
      'MALFORMED',
    ],
    [
      'an issuer that is none of AMD’s',
      (f) => {
        f.vek.issuer = 'SEV-Rome'
        f.authority.subject = 'SEV-Rome'
      },
      'CHAIN_UNTRUSTED',
    ],
    ['a chain of another generation', (f) => (f.authority.subject = 'SEV-Milan'), 'CHAIN_UNTRUSTED'],
    [
      'a VCEK below the authority for VLEKs',
      (f) => {
        f.vek.issuer = 'SEV-VLEK-Genoa'
        f.authority.subject = 'SEV-VLEK-Genoa'
      },
      'WRONG_TYPE',
    ],
    [
      'a certificate signed in another way',
      (f) => (f.vek.signer = { ...amd.authority, algorithm: 'rsa-pkcs1-sha384' }),
      'ALGORITHM',
    ],
    [
      'a key on another curve',
      (f) => {
        f.vek.key = makeKey('ecdsa-sha384', { curve: 'P-256' })
      },
      'ALGORITHM',
    ],
    [
      'an authority with a short key',
      (f) => {
        const short = makeKey('rsa-pss-sha384', { bits: 1024 })
        f.authority.key = short
        f.vek.signer = short
      },
      'ALGORITHM',
    ],
    ['a certificate that is over', (f) => (f.vek.until = now - 1000), 'EXPIRED'],
    ['a certificate that has not begun', (f) => (f.vek.from = now + 1000), 'NOT_YET_VALID'],
    ['an authority that is over', (f) => (f.authority.until = now - 1000), 'EXPIRED'],
    ['a root that is over', (f) => (f.root.until = now - 1000), 'EXPIRED'],
    [
      'a certificate of another product',
      extend(snpExtension.product, derText('Milan-B0', 0x16)),
      'WRONG_CHIP',
    ],
    ['a certificate of no product', drop(snpExtension.product), 'MALFORMED'],
    ['a processor of another generation', put('cpuid', 0x19, 0x01), 'WRONG_CHIP'],
    ['a processor that nobody knows', put('cpuid', 0x20, 0x01), 'WRONG_CHIP'],
    ['another chip', put('chipId', 0xc0), 'WRONG_CHIP'],
    ['a certificate of another chip', extend(snpExtension.hardwareId, new Uint8Array(64)), 'WRONG_CHIP'],
    ['a chip id of 8 bytes before Turin', extend(snpExtension.hardwareId, new Uint8Array(8)), 'MALFORMED'],
    ['a certificate without a chip', drop(snpExtension.hardwareId), 'WRONG_TYPE'],
    [
      'a certificate of a chip and a provider',
      (f) => f.vek.extensions.push({ id: snpExtension.provider, value: derText('CN=x', 0x16) }),
      'WRONG_TYPE',
    ],
    ...(['bootloader', 'tee', 'snp', 'microcode'] as const).flatMap(
      (component): [string, (f: SnpForgery) => void, AttestationErrorCode][] => [
        [
          `a certificate for another ${component}`,
          extend(snpExtension[component], derInteger(99)),
          'TCB_MISMATCH',
        ],
        [`a certificate without ${component}`, drop(snpExtension[component]), 'MALFORMED'],
        [
          `a certificate with ${component} 256`,
          extend(snpExtension[component], derInteger(256)),
          'MALFORMED',
        ],
      ],
    ),
    [
      'a certificate for firmware of Turin',
      (f) => f.vek.extensions.push({ id: snpExtension.fmc, value: derInteger(1) }),
      'TCB_MISMATCH',
    ],
    [
      'a reserved component of the reported TCB',
      (f) => {
        f.report.set([1], snpField.reportedTcb + 2)
      },
      'TCB_MISMATCH',
    ],
    ['firmware below what it committed to', put('committedTcb', 5), 'TCB_MISMATCH'],
    ['an authority that is revoked', list((crl, f) => (crl.revoked = [f.authority.serialNumber])), 'REVOKED'],
    ['a root that revoked itself', list((crl, f) => (crl.revoked = [f.root.serialNumber])), 'REVOKED'],
    ['a list that is over', list((crl) => (crl.until = now - 1000)), 'EXPIRED'],
    ['a list that has not begun', list((crl) => (crl.from = now + 1000)), 'NOT_YET_VALID'],
    ['a list without an end', list((crl) => (crl.until = null)), 'MALFORMED'],
    ['a list that a stranger signed', list((crl) => (crl.signer = stranger)), 'SIGNATURE_INVALID'],
    ['a list of somebody else', list((crl) => (crl.issuer = 'ARK-Milan')), 'COLLATERAL_MISMATCH'],
    [
      'a list by a key that may not sign lists',
      list((crl) => {
        crl.issuer = 'SEV-Genoa'
        crl.signer = amd.authority
      }),
      'CHAIN_UNTRUSTED',
    ],
    [
      'a list of changes only',
      list((crl) => crl.extensions.push({ id: '2.5.29.27', critical: true, value: derInteger(1) })),
      'MALFORMED',
    ],
    [
      'a list with a byte after it',
      list((_crl, f) => (f.onTheWay.crl = (c) => concatBytes(c, Uint8Array.of(0)))),
      'TRAILING_DATA',
    ],
  ]
  it.each(refused)('is not authentic with %s', async (_name, change, code) => {
    const forgery = amd.draft(now)
    change(forgery)
    const verdict = await judge(amd.make(forgery))
    expect(verdict).toMatchObject({ authentic: false, production: false, refusal: code, facts: {} })
  })

  const ofTurin: [string, (f: SnpForgery) => void, AttestationErrorCode][] = [
    ['another fmc', extend(snpExtension.fmc, derInteger(2)), 'TCB_MISMATCH'],
    ['no fmc', drop(snpExtension.fmc), 'MALFORMED'],
    ['another chip', put('chipId', 0xc0), 'WRONG_CHIP'],
    [
      'bytes after the eight of the chip',
      (f) => {
        f.report.set([1], snpField.chipId + 8)
      },
      'WRONG_CHIP',
    ],
    [
      'reserved bytes in version 5',
      (f) => {
        f.report.set([1], 0x208)
      },
      'MALFORMED',
    ],
  ]
  it.each(ofTurin)('of Turin is not authentic with %s', async (_name, change, code) => {
    const forgery = amd.draft(now, 'turin', 'VCEK', 5)
    change(forgery)
    expect(await judge(amd.make(forgery))).toMatchObject({ authentic: false, refusal: code })
  })

  it('of a VLEK is not authentic beside a report that names a VCEK', async () => {
    const forgery = amd.draft(now, 'milan', 'VLEK')
    put('keyInfo', 0)(forgery)
    expect(await judge(amd.make(forgery))).toMatchObject({ authentic: false, refusal: 'WRONG_TYPE' })
  })

  it.each<[string, (f: SnpForgery) => void, AttestationErrorCode]>([
    ['debug', put('policy', 51, 1, 0x0a), 'DEBUG_ENABLED'],
    ['a migration agent', put('policy', 51, 1, 0x06), 'MIGRATION_ALLOWED'],
  ])('is authentic and not for production with %s', async (_name, change, code) => {
    const forgery = amd.draft(now)
    change(forgery)
    expect(await judge(amd.make(forgery))).toMatchObject({
      authentic: true,
      production: false,
      refusal: code,
    })
  })

  it('is refused by a verifier that pins another root', async () => {
    const evidence = amd.make(amd.draft(now))
    const roots = { ...rootsOf(evidence), genoa: ['00'.repeat(32)] }
    expect(await judgeSnpReport(evidence, { at: now, roots })).toMatchObject({ refusal: 'CHAIN_UNTRUSTED' })
    expect(await judgeSnpReport(evidence, { at: now })).toMatchObject({ refusal: 'CHAIN_UNTRUSTED' })
  })

  it('is valid to the second in which its certificate ends, and no longer', async () => {
    const evidence = amd.make(amd.draft(now))
    expect(await judge(evidence, now + 180 * day)).toMatchObject({ production: true })
    expect(await judge(evidence, now + 180 * day + 1)).toMatchObject({ refusal: 'EXPIRED' })
    expect(await judge(evidence, now - 180 * day - 1)).toMatchObject({ refusal: 'NOT_YET_VALID' })
  })

  it('is not authentic with any bit of its signed part turned over', async () => {
    const evidence = amd.make(amd.draft(now))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 0x2a0 * 8 - 1 }), async (bit) => {
        const { authentic } = await judge({ ...evidence, report: flipBit(evidence.report, bit) })
        expect(authentic).toBe(false)
      }),
      { numRuns: slow ? 5376 : 200 },
    )
  })

  it('is not authentic with any bit of its certificate turned over', async () => {
    const evidence = amd.make(amd.draft(now))
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: evidence.vek.length * 8 - 1 }), async (bit) => {
        const { authentic } = await judge({ ...evidence, vek: flipBit(evidence.vek, bit) })
        expect(authentic).toBe(false)
      }),
      { numRuns: slow ? 8000 : 300 },
    )
  })

  it('ends in a verdict whatever is shown', async () => {
    const evidence = amd.make({ ...amd.draft(now), crl: amd.draftList(amd.draft(now)) })
    const bytes = fc.uint8Array({ maxLength: 1300 })
    const cut = (whole: Uint8Array) =>
      fc.nat({ max: whole.length }).map((length) => whole.subarray(0, length))
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          report: fc.oneof(fc.constant(evidence.report), cut(evidence.report), bytes),
          vek: fc.oneof(cut(evidence.vek), bytes),
          chain: fc.oneof(fc.constant(evidence.chain), cut(evidence.chain), bytes),
          crl: fc.oneof(cut(evidence.crl ?? evidence.vek), bytes),
        }),
        async (shown) => {
          const { authentic } = await judgeSnpReport(shown, { at: now, roots: rootsOf(evidence) })
          expect(authentic).toBe(false)
        },
      ),
      { numRuns: slow ? 10_000 : 300 },
    )
  })
})

const entry = {
  tee: 'sev-snp',
  generations: ['milan', 'genoa', 'turin'],
  measurement: ['3e'.repeat(48)],
  minimumTcb: { bootloader: 4, tee: 1, snp: 24, microcode: 219 },
  maximumAgeSeconds: 300,
  waivedProtections: [
    'singleSocket',
    'aes256Xts',
    'raplDisabled',
    'ciphertextHiding',
    'pageSwapDisabled',
    'aliasCheck',
  ],
}

/** A report and the entry that it must meet. */
interface Appraisal {
  forgery: SnpForgery
  entry: Record<string, unknown>
}

function makeWithList(forgery: SnpForgery): FakeSnpEvidence {
  return amd.make({ ...forgery, crl: forgery.crl ?? amd.draftList(forgery) })
}

async function appraise({ forgery, entry }: Appraisal): Promise<Checklist> {
  const { root, report, ...collateral } = makeWithList(forgery)
  const verifier: EvidenceVerifier = sevSnpVerifierWith({ milan: [root], genoa: [root], turin: [root] })
  const evidence: Evidence = { kind: 'sev-snp', bytes: report, collateral }
  const checklist = new Checklist()
  const authentic = await verifier.authenticate(evidence, { now, checklist })
  verifier.appraise(authentic, parseReferenceValues(entry), { now, checklist })
  return checklist
}

describe('the appraisal of a report', () => {
  it('accepts one that meets the entry', async () => {
    const { checks } = await appraise({ forgery: amd.draft(now), entry })
    expect(checks.every(({ ok }) => ok)).toBe(true)
  })

  const bits =
    (...bytes: number[]) =>
    (a: Appraisal) => {
      put('policy', ...bytes)(a.forgery)
    }
  const demand = (fields: Record<string, unknown>) => (a: Appraisal) => {
    a.entry = { ...a.entry, ...fields }
  }
  const all =
    (...changes: ((a: Appraisal) => void)[]) =>
    (a: Appraisal) => {
      for (const change of changes) change(a)
    }
  const field =
    (name: keyof typeof snpField, ...bytes: number[]) =>
    (a: Appraisal) => {
      put(name, ...bytes)(a.forgery)
    }
  const vlek = (a: Appraisal) => {
    a.forgery = amd.draft(now, 'genoa', 'VLEK')
  }
  const turin = (a: Appraisal) => {
    a.forgery = amd.draft(now, 'turin', 'VCEK', 5)
  }
  const without = (protection: string) =>
    demand({ waivedProtections: entry.waivedProtections.filter((one) => one !== protection) })
  const id = 'c1'.repeat(64)
  const other = 'c2'.repeat(64)

  it.each<[string, (a: Appraisal) => void]>([
    [
      'multithreading that is allowed',
      all(bits(51, 1, 3), field('platformInfo', 1), demand({ smt: 'allowed' })),
    ],
    ['CXL that is allowed', all(bits(51, 1, 0x22), demand({ cxl: 'allowed' }))],
    ['VMPL 1 where it is named', all(field('vmpl', 1), demand({ vmpl: [1, 2] }))],
    [
      'host data that is named',
      all(field('hostData', ...new Uint8Array(32).fill(9)), demand({ hostData: ['09'.repeat(32)] })),
    ],
    ['a chip that is named', demand({ chips: [other, id] })],
    ['a chip that is not refused', demand({ refusedChips: [other] })],
    ['a provider that is named', all(vlek, demand({ providers: ['CN=cc.cloud.test'] }))],
    ['a generation that is named', demand({ generations: ['genoa'] })],
    ['a guest that is new enough', demand({ minimumGuestSvn: 7 })],
    ['Turin with its fmc', all(turin, demand({ minimumTcb: { ...entry.minimumTcb, fmc: 1 } }))],
    ['RAPL that the platform has off', all(without('raplDisabled'), field('platformInfo', 8))],
    ['ciphertext hiding that the policy demands', all(without('ciphertextHiding'), bits(51, 1, 2, 1))],
    [
      'every protection',
      all(demand({ waivedProtections: undefined }), bits(51, 1, 0xd2, 3), field('platformInfo', 0x20)),
    ],
  ])('accepts %s', async (_name, change) => {
    const appraisal = { forgery: amd.draft(now), entry: { ...entry } }
    change(appraisal)
    await appraise(appraisal)
  })

  it.each<[string, (a: Appraisal) => void, AttestationErrorCode, string]>([
    ['debug', bits(51, 1, 0x0a), 'DEBUG_ENABLED', 'policy.debug'],
    ['a migration agent', bits(51, 1, 0x06), 'MIGRATION_ALLOWED', 'policy.migrationAgent'],
    ['a guest that may be multithreaded', bits(51, 1, 3), 'POLICY', 'policy.smtAllowed'],
    ['a platform that is multithreaded', field('platformInfo', 1), 'POLICY', 'platform.smt'],
    ['a guest on CXL memory', bits(51, 1, 0x22), 'POLICY', 'policy.cxlAllowed'],
    ['VMPL 1', field('vmpl', 1), 'POLICY', 'vmpl'],
    ['VMPL 0 where another is named', demand({ vmpl: [1] }), 'POLICY', 'vmpl'],
    ...[
      'singleSocket',
      'aes256Xts',
      'raplDisabled',
      'ciphertextHiding',
      'pageSwapDisabled',
      'aliasCheck',
    ].map((protection): [string, (a: Appraisal) => void, AttestationErrorCode, string] => [
      `no ${protection}`,
      without(protection),
      'POLICY',
      `protection ${protection}`,
    ]),
    ['nothing waived', demand({ waivedProtections: undefined }), 'POLICY', 'protection singleSocket'],
    ...(['bootloader', 'tee', 'snp', 'microcode'] as const).map(
      (component): [string, (a: Appraisal) => void, AttestationErrorCode, string] => [
        `${component} one below the least`,
        demand({ minimumTcb: { ...entry.minimumTcb, [component]: entry.minimumTcb[component] + 1 } }),
        'TCB_OUT_OF_DATE',
        'reportedTcb',
      ],
    ),
    ['a guest that began on older firmware', field('launchTcb', 3), 'TCB_OUT_OF_DATE', 'launchTcb'],
    ['firmware that can be taken back to older', field('committedTcb', 3), 'TCB_OUT_OF_DATE', 'committedTcb'],
    ['Turin where no fmc is named', turin, 'POLICY', 'minimumTcb.fmc'],
    [
      'Turin below the least fmc',
      all(turin, demand({ minimumTcb: { ...entry.minimumTcb, fmc: 2 } })),
      'TCB_OUT_OF_DATE',
      'reportedTcb',
    ],
    [
      'a fmc where there is none',
      demand({ minimumTcb: { ...entry.minimumTcb, fmc: 1 } }),
      'TCB_OUT_OF_DATE',
      'reportedTcb',
    ],
    ['a guest that is too old', demand({ minimumGuestSvn: 8 }), 'POLICY', 'guestSvn'],
    ['another generation', demand({ generations: ['milan', 'turin'] }), 'POLICY', 'generation'],
    ['a VLEK where no provider is named', vlek, 'POLICY', 'signingKey'],
    ['another provider', all(vlek, demand({ providers: ['CN=other.test'] })), 'POLICY', 'provider'],
    ['a VCEK where a provider is named', demand({ providers: ['CN=cc.cloud.test'] }), 'POLICY', 'provider'],
    ['another chip', demand({ chips: [other] }), 'POLICY', 'chipId'],
    ['a chip that is not shown', all(field('keyInfo', 2), demand({ chips: [id] })), 'POLICY', 'chipId'],
    ['a chip that is refused', demand({ refusedChips: [other, id] }), 'POLICY', 'chipId'],
    [
      'a chip that may be refused',
      all(field('keyInfo', 2), demand({ refusedChips: [other] })),
      'POLICY',
      'chipId',
    ],
    ['host data', field('hostData', 1), 'POLICY', 'hostData'],
    ['no host data where some is named', demand({ hostData: ['09'.repeat(32)] }), 'POLICY', 'hostData'],
    ['a family id', field('familyId', 1), 'POLICY', 'familyId'],
    ['an image id', field('imageId', 1), 'POLICY', 'imageId'],
    ['an id key', field('idKeyDigest', 1), 'POLICY', 'idKeyDigest'],
    ['an author key', field('authorKeyDigest', 1), 'POLICY', 'authorKeyDigest'],
  ])('refuses %s', async (_name, change, code, field) => {
    const appraisal = { forgery: amd.draft(now), entry: { ...entry } }
    change(appraisal)
    const error = await refusalOf(() => appraise(appraisal))
    expect(error).toMatchObject({ code, stage: 'appraise', field })
  })

  it.each(['vek', 'chain', 'crl'])('needs the collateral %s', async (name) => {
    const { report, root, ...made } = makeWithList(amd.draft(now))
    const collateral = Object.fromEntries(Object.entries(made).filter(([key]) => key !== name))
    const evidence: Evidence = { kind: 'sev-snp', bytes: report, collateral }
    const context = { now, checklist: new Checklist() }
    const verifier = sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })
    const error = await refusalOf(() => verifier.authenticate(evidence, context))
    expect(error).toMatchObject({ code: 'COLLATERAL_MISSING', field: name })
  })

  it('needs the list of the root, whichever other is shown', async () => {
    const forgery = amd.draft(now)
    forgery.authority.extensions = authorityExtensions({ pathLength: 0 })
    const crl = { ...amd.draftList(forgery), issuer: 'SEV-Genoa', signer: amd.authority }
    const { report, root, ...collateral } = amd.make({ ...forgery, crl })
    const verifier = sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })
    const evidence: Evidence = { kind: 'sev-snp', bytes: report, collateral }
    const context = { now, checklist: new Checklist() }
    const error = await refusalOf(() => verifier.authenticate(evidence, context))
    expect(error).toMatchObject({ code: 'COLLATERAL_MISSING', field: 'revocation' })
  })

  it('reads the revocation list that comes as collateral', async () => {
    const forgery = amd.draft(now)
    const crl = amd.draftList(forgery)
    const { report, root, ...collateral } = amd.make({
      ...forgery,
      crl: { ...crl, revoked: [forgery.authority.serialNumber] },
    })
    const verifier = sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })
    const evidence: Evidence = { kind: 'sev-snp', bytes: report, collateral }
    const context = { now, checklist: new Checklist() }
    expect((await refusalOf(() => verifier.authenticate(evidence, context))).code).toBe('REVOKED')
  })

  it.each([
    [0, 'c1'.repeat(64)],
    [2, null],
  ])('says on which chip it runs, unless that is hidden: key info %i', async (keyInfo, chip) => {
    const forgery = amd.draft(now)
    put('keyInfo', keyInfo)(forgery)
    const { report, root, ...collateral } = makeWithList(forgery)
    const verifier = sevSnpVerifierWith({ milan: [], genoa: [root], turin: [] })
    const evidence: Evidence = { kind: 'sev-snp', bytes: report, collateral }
    expect((await verifier.authenticate(evidence, { now, checklist: new Checklist() })).chip).toBe(chip)
  })

  it('refuses an entry for another TEE', async () => {
    const simulated = {
      tee: 'simulated',
      measurement: ['3e'.repeat(32)],
      key: 'A'.repeat(43),
      maximumAgeSeconds: 300,
    }
    const error = await refusalOf(() => appraise({ forgery: amd.draft(now), entry: simulated }))
    expect(error.code).toBe('TEE_MISMATCH')
  })
})
