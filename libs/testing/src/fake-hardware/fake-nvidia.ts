/** An NVIDIA that signs whatever it is asked to: device root, GPUs with their reports, and reference manifests. */
import { createHash } from 'node:crypto'
import { concatBytes, fromHex, toBase64, utf8 } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  keyUsage,
  makeCertificate,
  makeKey,
  pem,
  signRaw,
  type FakeCertificate,
  type FakeKey,
} from './certificate-authority.js'
import { derInteger, derOctets, derOid, derSequence } from './der-writer.js'
import { littleEndian } from './little-endian.js'

const day = 86_400_000
const signing = [{ id: '2.5.29.15', critical: true, value: keyUsage([0]) }]

/** Types of opaque fields. */
export const gpuField = {
  driver: 3,
  vbios: 6,
  videoDecoder: 11,
  chipSku: 15,
  project: 17,
  projectSku: 18,
  firmwareId: 20,
} as const

/** A report of a GPU before anything is signed. Change what you like. */
export interface GpuForgery {
  /** 37 bytes; the nonce is at 4. */
  request: Uint8Array
  /** Values by block, the first as block 1. */
  blocks: Uint8Array[]
  /** Values by type of field. */
  opaque: Map<number, Uint8Array>
  leaf: FakeCertificate
  authority: FakeCertificate
  root: FakeCertificate
  /** Who signs the report, whatever its certificate says. */
  signer: FakeKey
  /** What becomes of bytes before and after the signature. */
  onTheWay: {
    response?: (response: Uint8Array) => Uint8Array
    report?: (report: Uint8Array) => Uint8Array
    chain?: (chain: Uint8Array) => Uint8Array
  }
}

/** A report as a driver hands it over, and the fingerprint of its root. */
export interface FakeGpuReport {
  readonly report: Uint8Array
  readonly chain: Uint8Array
  readonly root: string
}

/** A manifest before it is signed. Change what you like. */
export interface ManifestForgery {
  version: string
  /** Good values by index. */
  golden: Map<number, string[]>
  inactive: number[]
  signerCertificate: FakeCertificate
  root: FakeCertificate
  signer: FakeKey
  /** What becomes of the text before it is signed, of what is signed, and of the finished document. */
  onTheWay: {
    content?: (xml: string) => string
    signedInfo?: (xml: string) => string
    document?: (xml: string) => string
  }
}

/** A manifest as it is published, and the fingerprint of its root. */
export interface FakeManifest {
  readonly manifest: Uint8Array
  readonly root: string
}

/** The keys of one NVIDIA. */
export class FakeNvidia {
  readonly root = makeKey('ecdsa-sha384')
  readonly authority = makeKey('ecdsa-sha384')
  readonly gpu = makeKey('ecdsa-sha384')
  readonly manifestRoot = makeKey('ecdsa-sha384')
  readonly manifestSigner = makeKey('ecdsa-sha384')

  /** A genuine report about `nonce`, valid for a year around `now`. */
  draft(now: number, nonce: Uint8Array): GpuForgery {
    const period = { from: now - 180 * day, until: now + 180 * day }
    const firmwareId = fromHex('f1'.repeat(48))
    return {
      request: concatBytes(fromHex('11e001ff'), nonce, Uint8Array.of(0)),
      blocks: Array.from({ length: 64 }, (_, at) => new Uint8Array(48).fill(at + 1)),
      opaque: new Map<number, Uint8Array>([
        [gpuField.vbios, fromHex('005e009601000000')],
        [gpuField.chipSku, utf8('882\0\0')],
        [gpuField.project, utf8('1010\0')],
        [gpuField.projectSku, utf8('0200\0')],
        [gpuField.driver, utf8('550.90.07\0')],
        [gpuField.videoDecoder, Uint8Array.of(0x55)],
        [gpuField.firmwareId, firmwareId],
      ]),
      leaf: {
        subject: 'GH100 A01 GSP FMC LF',
        issuer: 'GH100 authority',
        serialNumber: 3,
        ...period,
        key: this.gpu,
        signer: this.authority,
        extensions: [...signing, { id: '2.23.133.5.4.1', value: tcbInfo(firmwareId, this.gpu) }],
      },
      authority: {
        subject: 'GH100 authority',
        issuer: 'Fake Device Identity CA',
        serialNumber: 2,
        ...period,
        key: this.authority,
        signer: this.root,
        extensions: authorityExtensions(),
      },
      root: rootOf('Fake Device Identity CA', this.root, period),
      signer: this.gpu,
      onTheWay: {},
    }
  }

  /** Makes what the draft says. */
  make(forgery: GpuForgery): FakeGpuReport {
    const { leaf, authority, root, signer, onTheWay } = forgery
    const rootCertificate = makeCertificate(root)
    const chain = pem([makeCertificate(leaf), makeCertificate(authority), rootCertificate])
    const response = responseOf(forgery)
    const signed = concatBytes(forgery.request, onTheWay.response?.(response) ?? response)
    const report = concatBytes(signed, signRaw(signer, signed))
    return {
      report: onTheWay.report?.(report) ?? report,
      chain: onTheWay.chain?.(chain) ?? chain,
      root: fingerprint(rootCertificate),
    }
  }

  /** A genuine manifest whose golden values the drafted report meets. */
  draftManifest(now: number, subject: 'driver' | 'vbios'): ManifestForgery {
    const period = { from: now - 180 * day, until: now + 180 * day }
    const measured = (index: number): string => (index + 1).toString(16).padStart(2, '0').repeat(48)
    const indices = subject === 'driver' ? [7, 21, 35] : [0, 1, 8]
    return {
      version: subject === 'driver' ? '550.90.07' : '96.00.5E.00.01',
      golden: new Map(indices.map((index) => [index, ['0'.repeat(96), measured(index)]])),
      inactive: [60, 61],
      signerCertificate: {
        subject: 'RIM signer',
        issuer: 'Fake RIM CA',
        serialNumber: 2,
        ...period,
        key: this.manifestSigner,
        signer: this.manifestRoot,
        extensions: signing,
      },
      root: rootOf('Fake RIM CA', this.manifestRoot, period),
      signer: this.manifestSigner,
      onTheWay: {},
    }
  }

  /** Makes what the draft says. Its text is its own canonical form, so that nothing of the product takes part in signing. */
  makeManifest(forgery: ManifestForgery): FakeManifest {
    const { signerCertificate, root, signer, onTheWay } = forgery
    const rootCertificate = makeCertificate(root)
    const plain = contentOf(forgery)
    const content = onTheWay.content?.(plain) ?? plain
    const digest = createHash('sha384').update(`${head}${content}</SoftwareIdentity>`).digest('base64')
    const drafted = signedInfoOf(digest)
    const signedInfo = onTheWay.signedInfo?.(drafted) ?? drafted
    // What is declared around SignedInfo is a part of what is signed.
    const canonical = signedInfo.replace('<ds:SignedInfo>', `<ds:SignedInfo ${swid} ${dsig} ${enc}>`)
    const value = toBase64(signRaw(signer, utf8(canonical)))
    const certificates = [makeCertificate(signerCertificate), rootCertificate]
      .map((certificate) => `<ds:X509Certificate>${toBase64(certificate)}</ds:X509Certificate>`)
      .join('')
    const signature = `<ds:Signature ${dsig}>${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>${certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>`
    const document = `${head}${content}${signature}</SoftwareIdentity>\n`
    return {
      manifest: utf8(onTheWay.document?.(document) ?? document),
      root: fingerprint(rootCertificate),
    }
  }
}

function rootOf(
  name: string,
  key: FakeKey,
  period: { readonly from: number; readonly until: number },
): FakeCertificate {
  const extensions = authorityExtensions()
  return { subject: name, issuer: name, serialNumber: 1, ...period, key, signer: key, extensions }
}

// NVIDIA's form: version, public key, and the firmware's hash.
function tcbInfo(firmwareId: Uint8Array, { spki }: FakeKey): Uint8Array {
  const id = derSequence(derOid('2.16.840.1.101.3.4.2.2'), derOctets(firmwareId))
  return derSequence(derInteger(1), spki, id)
}

function responseOf({ blocks, opaque }: GpuForgery): Uint8Array {
  const record = concatBytes(
    ...blocks.flatMap((value, at) => [
      Uint8Array.of(at + 1, 1),
      littleEndian(value.length + 3, 2),
      Uint8Array.of(1),
      littleEndian(value.length, 2),
      value,
    ]),
  )
  const fields = concatBytes(
    ...[...opaque].flatMap(([type, value]) => [littleEndian(type, 2), littleEndian(value.length, 2), value]),
  )
  return concatBytes(
    fromHex('11600000'),
    Uint8Array.of(blocks.length),
    littleEndian(record.length, 3),
    record,
    new Uint8Array(32).fill(0x7e),
    littleEndian(fields.length, 2),
    fields,
  )
}

const swid = 'xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd"'
const enc = 'xmlns:ns2="http://www.w3.org/2001/04/xmlenc#sha384"'
const dsig = 'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
const head = `<SoftwareIdentity ${swid} ${enc} name="GH100" tagId="fake">`

function contentOf({ version, golden, inactive }: ManifestForgery): string {
  const active = [...golden].map(([index, hashes]) => resource(index, 'True', hashes))
  const others = inactive.map((index) => resource(index, 'False', ['0'.repeat(96)]))
  return `<Meta colloquialVersion="${version}"></Meta>\n<Payload>${[...active, ...others].join('\n')}</Payload>`
}

function resource(index: number, active: string, hashes: readonly string[]): string {
  const values = hashes.map((hash, at) => `ns2:Hash${at}="${hash}"`).join(' ')
  return `<Resource active="${active}" alternatives="${hashes.length}" index="${index}" size="48" type="Measurement" ${values}></Resource>`
}

function signedInfoOf(digest: string): string {
  const c14n = 'Algorithm="http://www.w3.org/2006/12/xml-c14n11"'
  const transforms = `<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform ${c14n}></ds:Transform></ds:Transforms>`
  const method =
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"></ds:DigestMethod>'
  return `<ds:SignedInfo><ds:CanonicalizationMethod ${c14n}></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod><ds:Reference URI="">${transforms}${method}<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`
}
