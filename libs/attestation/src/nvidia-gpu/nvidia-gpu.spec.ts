import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, toBase64, utf8 } from '#libs/canonical'
import {
  FakeNvidia,
  flipBit,
  gpuField,
  keyUsage,
  makeKey,
  slow,
  type GpuForgery,
  type ManifestForgery,
} from '#libs/testing'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import type { EvidenceVerdict } from '../verdict.js'
import { parseXml } from '../xml/xml-reader.js'
import { judgeGpus, judgeManifests } from './production.js'

const now = Date.parse('2026-11-23T12:00:00.000Z')
const year = 365 * 86_400_000
const nvidia = new FakeNvidia()
const stranger = makeKey('ecdsa-sha384')
const nonce = new Uint8Array(32).fill(0x0e)

interface Given {
  readonly forgeries?: readonly GpuForgery[]
  readonly manifests?: readonly ManifestForgery[]
  readonly asked?: Uint8Array
}

function judge({ forgeries = [draft()], manifests = [], asked = nonce }: Given): Promise<EvidenceVerdict> {
  const reports = forgeries.map((forgery) => nvidia.make(forgery))
  const made = manifests.map((manifest) => nvidia.makeManifest(manifest))
  const elements = reports.map(({ report, chain }) => ({
    evidence: toBase64(report),
    certificate: toBase64(chain),
  }))
  return judgeGpus(
    { format: 'nvsdk-json', evidence: utf8(JSON.stringify(elements)) },
    { nonce: asked, manifests: made.map(({ manifest }) => manifest) },
    {
      at: now,
      deviceRoots: reports.map(({ root }) => root),
      manifestRoots: made.map(({ root }) => root),
    },
  )
}

const draft = (): GpuForgery => nvidia.draft(now, nonce)
const drafts = (): ManifestForgery[] => [
  nvidia.draftManifest(now, 'driver'),
  nvidia.draftManifest(now, 'vbios'),
]

describe('a report of the fake NVIDIA', () => {
  it('is genuine and fit for production, with golden values that its measurements meet', async () => {
    const verdict = await judge({ manifests: drafts() })
    expect(verdict).toMatchObject({ authentic: true, production: true, refusal: null })
    expect(verdict.facts).toMatchObject({
      gpus: 1,
      blocks: 64,
      driver: '550.90.07',
      vbios: '96.00.5E.00.01',
      rim: [
        // The video decoder is off: its value does not count.
        { active: 2, match: 2, differing: [] },
        { active: 3, match: 3, differing: [] },
      ],
    })
  })

  it('is genuine without the id of its firmware, and with zeros after its chain', async () => {
    const forgery = draft()
    forgery.opaque.delete(gpuField.firmwareId)
    forgery.onTheWay.chain = (chain) => concatBytes(chain, new Uint8Array(5))
    expect(await judge({ forgeries: [forgery] })).toMatchObject({ production: true })
  })

  it.each<[string, (f: GpuForgery) => void, AttestationErrorCode]>([
    ['a byte missing', (f) => (f.onTheWay.report = (r) => r.subarray(0, -1)), 'MALFORMED'],
    [
      'a byte after its signature',
      (f) => (f.onTheWay.report = (r) => concatBytes(r, new Uint8Array(1))),
      'TRAILING_DATA',
    ],
    ['another version of SPDM', (f) => (f.request[0] = 0x12), 'MALFORMED'],
    ['another request', (f) => (f.request[1] = 0xe1), 'MALFORMED'],
    ['a request for one block', (f) => (f.request[3] = 1), 'MALFORMED'],
    ['a count of blocks that is wrong', (f) => (f.onTheWay.response = (r) => setByte(r, 4, 63)), 'MALFORMED'],
    ['blocks in another order', (f) => (f.onTheWay.response = (r) => setByte(r, 8, 2)), 'MALFORMED'],
    [
      'an opaque field twice',
      (f) => (f.onTheWay.response = (r) => setByte(r, r.length - 52, gpuField.videoDecoder)),
      'MALFORMED',
    ],
    ['no driver version', (f) => f.opaque.delete(gpuField.driver), 'WRONG_TYPE'],
    ['a driver version that is no text', (f) => f.opaque.set(gpuField.driver, Uint8Array.of(7)), 'MALFORMED'],
    ['a VBIOS version of another length', (f) => f.opaque.set(gpuField.vbios, Uint8Array.of(7)), 'MALFORMED'],
    [
      'a firmware id of another length',
      (f) => f.opaque.set(gpuField.firmwareId, Uint8Array.of(7)),
      'MALFORMED',
    ],
    [
      'the id of other firmware',
      (f) => f.opaque.set(gpuField.firmwareId, new Uint8Array(48)),
      'BINDING_MISMATCH',
    ],
    ['the signature of a stranger', (f) => (f.signer = stranger), 'SIGNATURE_INVALID'],
    ['a leaf that a stranger signed', (f) => (f.leaf.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['an authority that is none', (f) => (f.authority.extensions = []), 'CHAIN_UNTRUSTED'],
    [
      'a leaf that may sign certificates only',
      (f) => (f.leaf.extensions = [{ id: '2.5.29.15', value: keyUsage([5]) }]),
      'CHAIN_UNTRUSTED',
    ],
    ['the leaf of a switch', (f) => (f.leaf.subject = 'LS10 A01 FSP FMC LF'), 'WRONG_TYPE'],
    ['a leaf of later', (f) => (f.leaf.from = now + 1000), 'NOT_YET_VALID'],
    ['an authority of before', (f) => (f.authority.until = now - year / 3), 'EXPIRED'],
    [
      'a chain with text after it',
      (f) => (f.onTheWay.chain = (c) => concatBytes(c, utf8('more'))),
      'TRAILING_DATA',
    ],
    ['no chain', (f) => (f.onTheWay.chain = () => new Uint8Array()), 'MALFORMED'],
  ])('is not genuine with %s', async (_name, change, code) => {
    const forgery = draft()
    change(forgery)
    const { refusal, reason, authentic } = await judge({ forgeries: [forgery] })
    expect([refusal, authentic], reason ?? '').toEqual([code, false])
  })

  it('is refused for another nonce, in any of several', async () => {
    const other = nvidia.draft(now, new Uint8Array(32))
    expect(await judge({ forgeries: [draft(), other] })).toMatchObject({
      authentic: true,
      production: false,
      refusal: 'BINDING_MISMATCH',
    })
  })

  it('is refused under another root', async () => {
    const { report, chain } = nvidia.make(draft())
    const verdict = await judgeGpus(
      { format: 'spdm-hex', evidence: utf8(Buffer.from(report).toString('hex')), chain },
      { nonce, manifests: [] },
      { at: now, deviceRoots: ['00'.repeat(32)], manifestRoots: [] },
    )
    expect(verdict.refusal).toBe('CHAIN_UNTRUSTED')
  })

  it('is refused with any one bit of it turned over', async () => {
    const bits = nvidia.make(draft()).report.length * 8
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bits - 1 }), async (bit) => {
        const forgery = draft()
        forgery.onTheWay.report = (report) => flipBit(report, bit)
        expect((await judge({ forgeries: [forgery] })).authentic).toBe(false)
      }),
      { numRuns: slow ? 2000 : 60 },
    )
  })

  it('ends in a refusal for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        for (const format of ['nvsdk-json', 'evidences-json', 'nras-request-json'] as const) {
          const evidence = { format, evidence: bytes }
          const trust = { at: now, deviceRoots: [], manifestRoots: [] }
          expect((await judgeGpus(evidence, { nonce, manifests: [] }, trust)).authentic).toBe(false)
        }
        const forgery = draft()
        forgery.onTheWay.report = (report) => concatBytes(report.subarray(0, 37), bytes)
        expect((await judge({ forgeries: [forgery] })).authentic).toBe(false)
      }),
      { numRuns: slow ? 1000 : 40 },
    )
  })
})

describe('golden values', () => {
  it.each<[string, (driver: ManifestForgery, vbios: ManifestForgery, report: GpuForgery) => void]>([
    ['a value that differs', (driver) => driver.golden.set(7, ['ab'.repeat(48)])],
    ['a value that the device did not measure', (driver) => driver.golden.set(200, ['ab'.repeat(48)])],
    [
      'an index that both have',
      (driver) => driver.golden.set(8, [(9).toString(16).padStart(2, '0').repeat(48)]),
    ],
    ['the manifest of another driver', (driver) => (driver.version = '550.144.03')],
    ['the manifest of another VBIOS', (_driver, vbios) => (vbios.version = '96.00.74.00.1A')],
    [
      'a video decoder that is on, and differs',
      (driver, _vbios, report) => {
        driver.golden.set(35, ['ab'.repeat(48)])
        report.opaque.set(gpuField.videoDecoder, Uint8Array.of(0xaa))
      },
    ],
  ])('refuse %s', async (_name, change) => {
    const [driver, vbios] = drafts() as [ManifestForgery, ManifestForgery]
    const report = draft()
    change(driver, vbios, report)
    expect(await judge({ forgeries: [report], manifests: [driver, vbios] })).toMatchObject({
      authentic: true,
      production: false,
      refusal: 'MEASUREMENT_MISMATCH',
    })
  })
})

describe('a manifest of the fake NVIDIA', () => {
  const judgeOne = (forgery: ManifestForgery): Promise<EvidenceVerdict> => {
    const { manifest, root } = nvidia.makeManifest(forgery)
    return judgeManifests([manifest], { at: now, manifestRoots: [root] })
  }

  it.each<[string, (f: ManifestForgery) => void]>([
    ['as it is', () => undefined],
    [
      'with a declaration of its encoding',
      (f) => (f.onTheWay.document = (x) => `<?xml version="1.0" encoding="UTF-8"?>\n${x}`),
    ],
    [
      'with elements written shorter',
      (f) => (f.onTheWay.document = (x) => x.replaceAll('></Resource>', ' />')),
    ],
    [
      'with attributes in another order',
      (f) =>
        (f.onTheWay.document = (x) => x.replace('name="GH100" tagId="fake"', "tagId='fake'\n name='GH100'")),
    ],
    [
      'with characters by number',
      (f) => (f.onTheWay.document = (x) => x.replace('"GH100"', '"&#71;&#x48;100"')),
    ],
    ['with lines that end otherwise', (f) => (f.onTheWay.document = (x) => x.replaceAll('\n', '\r\n'))],
  ])('is genuine %s', async (_name, change) => {
    const forgery = nvidia.draftManifest(now, 'driver')
    change(forgery)
    expect(await judgeOne(forgery)).toMatchObject({ production: true, facts: { rims: [{ active: 3 }] } })
  })

  const edit = (from: string, to: string) => (f: ManifestForgery) => {
    f.onTheWay.document = (xml) => xml.replace(from, to)
  }
  const sign = (from: string, to: string) => (f: ManifestForgery) => {
    f.onTheWay.content = (xml) => xml.replace(from, to)
  }
  const info = (from: string, to: string) => (f: ManifestForgery) => {
    f.onTheWay.signedInfo = (xml) => xml.replace(from, to)
  }

  it.each<[string, (f: ManifestForgery) => void, AttestationErrorCode]>([
    ['a document type', edit('<Soft', '<!DOCTYPE x [<!ENTITY a "b">]><Soft'), 'MALFORMED'],
    ['a comment', edit('<Payload>', '<!-- --><Payload>'), 'MALFORMED'],
    ['CDATA', edit('<Payload>', '<![CDATA[ ]]><Payload>'), 'MALFORMED'],
    ['an instruction', edit('<Payload>', '<?a b?><Payload>'), 'MALFORMED'],
    ['an unknown entity', edit('"GH100"', '"&gh;"'), 'MALFORMED'],
    ['an attribute twice', edit('name="GH100"', 'name="GH100" name="GH100"'), 'MALFORMED'],
    ['an undeclared prefix', edit('name="GH100"', 'x:name="GH100"'), 'MALFORMED'],
    ['another element after it', (f) => (f.onTheWay.document = (x) => `${x}<a/>`), 'TRAILING_DATA'],
    ['another document', (f) => (f.onTheWay.document = () => '<a/>'), 'WRONG_TYPE'],
    ['an active value made inactive', edit('active="True"', 'active="False"'), 'SIGNATURE_INVALID'],
    ['a value changed', edit('08080808', '08080809'), 'SIGNATURE_INVALID'],
    ['white space more', edit('<Payload>', '<Payload> '), 'SIGNATURE_INVALID'],
    ['a second payload that nobody signed', edit('<Payload>', '<Payload/><Payload>'), 'SIGNATURE_INVALID'],
    [
      'no signature',
      (f) => (f.onTheWay.document = (x) => x.replace(/<ds:Signature .*<\/ds:Signature>/, '')),
      'MALFORMED',
    ],
    [
      'its signature twice',
      (f) => (f.onTheWay.document = (x) => x.replace(/<ds:Signature .*<\/ds:Signature>/, '$&$&')),
      'MALFORMED',
    ],
    ['its signature hidden deeper', edit('<ds:Signature ', '<a/><ds:Signature '), 'SIGNATURE_INVALID'],
    ['the signature of a stranger', (f) => (f.signer = stranger), 'SIGNATURE_INVALID'],
    ['a signer whom a stranger certified', (f) => (f.signerCertificate.signer = stranger), 'CHAIN_UNTRUSTED'],
    ['a signer that has expired', (f) => (f.signerCertificate.until = now - 1), 'EXPIRED'],
    ['a signer of later', (f) => (f.signerCertificate.from = now + 1000), 'NOT_YET_VALID'],
    ['a reference to a part', info('URI=""', 'URI="#part"'), 'MALFORMED'],
    [
      'a digest of SHA-1',
      info('http://www.w3.org/2001/04/xmldsig-more#sha384', 'http://www.w3.org/2000/09/xmldsig#sha1'),
      'ALGORITHM',
    ],
    ['another canonical form', info('2006/12/xml-c14n11', '2001/10/xml-exc-c14n#'), 'ALGORITHM'],
    ['a signature by shared secret', info('more#ecdsa-sha384', 'more#hmac-sha384'), 'ALGORITHM'],
    ['a hash that is short', sign('08080808', '0808'), 'MALFORMED'],
    ['an index twice', sign('index="21"', 'index="7"'), 'MALFORMED'],
    ['fewer hashes than it says', sign('alternatives="2"', 'alternatives="3"'), 'MALFORMED'],
    ['a state that is neither', sign('active="True"', 'active="true"'), 'MALFORMED'],
    ['a version of nothing known', (f) => (f.version = 'latest'), 'WRONG_TYPE'],
  ])('is not genuine with %s', async (_name, change, code) => {
    const forgery = nvidia.draftManifest(now, 'driver')
    change(forgery)
    const { refusal, reason, authentic } = await judgeOne(forgery)
    expect([refusal, authentic], reason ?? '').toEqual([code, false])
  })

  it('is refused where none was given', async () => {
    expect((await judgeManifests([], { at: now, manifestRoots: [] })).refusal).toBe('COLLATERAL_MISSING')
  })

  it('ends in a refusal for any text, and for any depth', () => {
    const fragments = fc.constantFrom(
      '<a',
      '>',
      '</a>',
      '/>',
      ' b="',
      '"',
      '&lt;',
      '&#x41;',
      '<!--',
      'xmlns:p="u"',
      '<p:q',
      'x',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 40 }), (parts) => {
        try {
          parseXml(utf8(parts.join('')), 'fuzz')
        } catch (error) {
          expect(error).toBeInstanceOf(AttestationError)
        }
      }),
      { numRuns: slow ? 20_000 : 500 },
    )
    expect(() => parseXml(utf8('<a>'.repeat(100_000)), 'deep')).toThrow(AttestationError)
    expect(() => parseXml(utf8(`<a>${'&'.repeat(100_000)}</a>`), 'references')).toThrow(AttestationError)
  })
})

function setByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? value : byte))
}
