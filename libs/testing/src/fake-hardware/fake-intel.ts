/**
 * An Intel that signs whatever it is asked to: root, PCK, TCB signing, quoting enclave, quotes of TDs and
 * enclaves, collateral.
 */
import { createHash } from 'node:crypto'
import { concatBytes, fromHex, toHex, utf8 } from '#libs/canonical'
import {
  authorityExtensions,
  fingerprint,
  keyUsage,
  makeCertificate,
  makeKey,
  makeRevocationList,
  pem,
  signRaw,
  type FakeCertificate,
  type FakeKey,
  type FakeRevocationList,
} from './certificate-authority.js'
import { der, derInteger, derOctets, derOid, derSequence } from './der-writer.js'

/** Names of collateral, as files of it have them. */
export type FakeCollateralName =
  | 'tcb_info'
  | 'tcb_info_signature'
  | 'tcb_info_issuer_chain'
  | 'qe_identity'
  | 'qe_identity_signature'
  | 'qe_identity_issuer_chain'
  | 'root_ca_crl'
  | 'pck_crl'
  | 'pck_crl_issuer_chain'

/** The platform that a PCK certificate names. */
export interface FakePlatform {
  fmspc: string
  pceId: string
  components: number[]
  pceSvn: number
}

/** A quote and what goes with it, before anything is signed. Change what you like. */
export interface QuoteForgery {
  /** 48 bytes. */
  header: Uint8Array
  /** Version 5: type and length of the body. */
  bodyHeader: Uint8Array
  body: Uint8Array
  /** 384 bytes. Its report data is filled in where `namesKey` is true. */
  qeReport: Uint8Array
  namesKey: boolean
  authenticationData: Uint8Array
  /** What the quote shows, and what signs it. */
  attestationKey: FakeKey
  attestationSigner: FakeKey
  qeSigner: FakeKey
  platform: FakePlatform
  /** Null: the platform above. */
  pckExtension: Uint8Array | null
  root: FakeCertificate
  authority: FakeCertificate
  pck: FakeCertificate
  tcbSigning: FakeCertificate
  tcbInfoSigner: FakeKey
  qeIdentitySigner: FakeKey
  tcbInfo: Record<string, unknown>
  qeIdentity: Record<string, unknown>
  rootList: FakeRevocationList
  pckList: FakeRevocationList
  /** Certification data types, outer and inner. */
  certificationTypes: [number, number]
  padding: Uint8Array
  /** What becomes of the finished bytes on their way. Undefined: they get lost. */
  onTheWay: Partial<
    Record<FakeCollateralName | 'quote' | 'pckChain', (bytes: Uint8Array) => Uint8Array | undefined>
  >
}

/** A quote as a host hands it over, and the fingerprint of its root. */
export interface FakeQuote {
  readonly quote: Uint8Array
  readonly collateral: Readonly<Record<string, Uint8Array>>
  readonly root: string
}

/** Offsets in the report of a TD. */
export const tdField = {
  teeTcbSvn: 0,
  mrSeam: 16,
  mrSignerSeam: 64,
  seamAttributes: 112,
  tdAttributes: 120,
  xfam: 128,
  mrTd: 136,
  mrConfigId: 184,
  mrOwner: 232,
  mrOwnerConfig: 280,
  rtmr0: 328,
  rtmr1: 376,
  rtmr2: 424,
  rtmr3: 472,
  reportData: 520,
  teeTcbSvn2: 584,
  mrServiceTd: 600,
} as const

/** Offsets in the report of an enclave. */
export const enclaveField = {
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
} as const

const vendor = '939a7233f79c4ca9940a0db3957f0607'
const sgxExtension = '1.2.840.113741.1.13.1'
const qeSigner = 'dc'.repeat(32)
const zeros = (bytes: number): string => '00'.repeat(bytes)
const components = (svn: number) => Array.from({ length: 16 }, () => ({ svn }))

/** A form of quote: TEE, version, and for TDs whether their report is 1.0 or 1.5. */
export type FakeQuoteForm = 'sgx v3' | 'sgx v4' | 'sgx v5' | 'td 1.0 v4' | 'td 1.0 v5' | 'td 1.5 v5'

/** The forms of quotes. */
export const fakeQuoteForms: readonly FakeQuoteForm[] = [
  'sgx v3',
  'sgx v4',
  'sgx v5',
  'td 1.0 v4',
  'td 1.0 v5',
  'td 1.5 v5',
]

/** The keys of one Intel. */
export class FakeIntel {
  readonly root = p256()
  readonly authority = p256()
  readonly pck = p256()
  readonly tcbSigning = p256()
  readonly attestation = p256()

  /** Genuine evidence of one form, to be changed before it is made. Valid for a month around `now`. */
  draft(now: number, form: FakeQuoteForm = 'td 1.0 v4'): QuoteForgery {
    const period = { from: now - 15 * 86_400_000, until: now + 15 * 86_400_000 }
    const isTd = form.startsWith('td')
    const version = Number(form.at(-1))
    const rootName = 'Intel SGX Root CA'
    const authorityName = 'Intel SGX PCK Platform CA'
    const leaf = [{ id: '2.5.29.15', critical: true, value: keyUsage([0]) }]
    const certificate = (
      fields: Pick<FakeCertificate, 'subject' | 'issuer' | 'serialNumber' | 'key' | 'signer' | 'extensions'>,
    ) => ({ ...period, ...fields })
    const body = isTd ? draftTd(form === 'td 1.5 v5') : draftEnclave()
    return {
      header: draftHeader(version, isTd ? 0x81 : 0),
      bodyHeader: version === 5 ? draftBodyHeader(form, body.length) : new Uint8Array(),
      body,
      qeReport: draftQuotingEnclave(),
      namesKey: true,
      authenticationData: new Uint8Array(32).fill(7),
      attestationKey: this.attestation,
      attestationSigner: this.attestation,
      qeSigner: this.pck,
      platform: {
        fmspc: 'b0c06f000000',
        pceId: '0000',
        components: Array.from({ length: 16 }, () => 5),
        pceSvn: 11,
      },
      pckExtension: null,
      root: certificate({
        subject: rootName,
        issuer: rootName,
        serialNumber: 1,
        key: this.root,
        signer: this.root,
        extensions: authorityExtensions({ pathLength: 1 }),
      }),
      authority: certificate({
        subject: authorityName,
        issuer: rootName,
        serialNumber: 2,
        key: this.authority,
        signer: this.root,
        extensions: authorityExtensions({ pathLength: 0 }),
      }),
      pck: certificate({
        subject: 'Intel SGX PCK Certificate',
        issuer: authorityName,
        serialNumber: 3,
        key: this.pck,
        signer: this.authority,
        extensions: leaf,
      }),
      tcbSigning: certificate({
        subject: 'Intel SGX TCB Signing',
        issuer: rootName,
        serialNumber: 4,
        key: this.tcbSigning,
        signer: this.root,
        extensions: leaf,
      }),
      tcbInfoSigner: this.tcbSigning,
      qeIdentitySigner: this.tcbSigning,
      tcbInfo: draftTcbInfo(isTd, period),
      qeIdentity: draftQeIdentity(isTd, period),
      rootList: { issuer: rootName, signer: this.root, ...period, revoked: [77], extensions: [] },
      pckList: { issuer: authorityName, signer: this.authority, ...period, revoked: [], extensions: [] },
      certificationTypes: [6, 5],
      padding: new Uint8Array(),
      onTheWay: {},
    }
  }

  /** Signs everything. */
  make(forgery: QuoteForgery): FakeQuote {
    const { onTheWay, root, authority, tcbSigning, platform, pckExtension } = forgery
    const rootCertificate = makeCertificate(root)
    const authorityCertificate = makeCertificate(authority)
    const value = pckExtension ?? platformExtension(platform)
    const pck = makeCertificate({
      ...forgery.pck,
      extensions: [...forgery.pck.extensions, { id: sgxExtension, value }],
    })
    const signingChain = pem([makeCertificate(tcbSigning), rootCertificate])
    const pckChain = pem([pck, authorityCertificate, rootCertificate])
    const tcbInfo = utf8(JSON.stringify(forgery.tcbInfo))
    const qeIdentity = utf8(JSON.stringify(forgery.qeIdentity))
    const collateral: Record<FakeCollateralName, Uint8Array> = {
      tcb_info: tcbInfo,
      tcb_info_signature: signRaw(forgery.tcbInfoSigner, tcbInfo, 'sha256'),
      tcb_info_issuer_chain: signingChain,
      qe_identity: qeIdentity,
      qe_identity_signature: signRaw(forgery.qeIdentitySigner, qeIdentity, 'sha256'),
      qe_identity_issuer_chain: signingChain,
      root_ca_crl: makeRevocationList(forgery.rootList),
      pck_crl: makeRevocationList(forgery.pckList),
      pck_crl_issuer_chain: pem([authorityCertificate, rootCertificate]),
    }
    const arrived = Object.entries(collateral).flatMap(([name, bytes]) => {
      const change = onTheWay[name as FakeCollateralName]
      const changed = change === undefined ? bytes : change(bytes)
      return changed === undefined ? [] : [[name, changed] as const]
    })
    const chain = onTheWay.pckChain?.(pckChain) ?? pckChain
    const quote = makeQuote(forgery, chain)
    return {
      quote: onTheWay.quote?.(quote) ?? quote,
      collateral: Object.fromEntries(arrived),
      root: fingerprint(rootCertificate),
    }
  }
}

/** Collateral in the JSON file in which it is exchanged. */
export function collateralFile(collateral: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const isHex = (name: string): boolean => name.endsWith('signature') || name.endsWith('crl')
  const fields = Object.entries(collateral).map(([name, bytes]) => [
    name,
    isHex(name) ? toHex(bytes) : new TextDecoder().decode(bytes),
  ])
  return utf8(JSON.stringify(Object.fromEntries(fields)))
}

/** The PCK extension that names a platform. */
export function platformExtension({ fmspc, pceId, components, pceSvn }: FakePlatform): Uint8Array {
  const field = (id: string, value: Uint8Array) => derSequence(derOid(`${sgxExtension}.${id}`), value)
  const levels = [
    ...components.map((svn, n) => field(`2.${n + 1}`, derInteger(svn))),
    field('2.17', derInteger(pceSvn)),
    field('2.18', derOctets(Uint8Array.from(components))),
  ]
  return derSequence(
    field('1', derOctets(new Uint8Array(16))),
    field('2', derSequence(...levels)),
    field('3', derOctets(fromHex(pceId))),
    field('4', derOctets(fromHex(fmspc))),
    field('5', der(0x0a, Uint8Array.of(1))),
  )
}

/** An integer of so many bytes, least significant first. */
export function littleEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => Math.floor(value / 256 ** n) & 0xff)
}

function p256(): FakeKey {
  return makeKey('ecdsa-sha256', { curve: 'P-256' })
}

function makeQuote(forgery: QuoteForgery, pckChain: Uint8Array): Uint8Array {
  const { attestationKey, authenticationData, certificationTypes } = forgery
  const point = attestationKey.spki.subarray(-64)
  const qeReport = concatBytes(forgery.qeReport)
  if (forgery.namesKey)
    qeReport.set(createHash('sha256').update(point).update(authenticationData).digest(), 320)
  const certification = concatBytes(
    qeReport,
    signRaw(forgery.qeSigner, qeReport, 'sha256'),
    littleEndian(authenticationData.length, 2),
    authenticationData,
    certificationData(certificationTypes[1], pckChain),
  )
  const signed = concatBytes(forgery.header, forgery.bodyHeader, forgery.body)
  const signature = concatBytes(
    signRaw(forgery.attestationSigner, signed, 'sha256'),
    point,
    forgery.header[0] === 3 ? certification : certificationData(certificationTypes[0], certification),
  )
  return concatBytes(signed, littleEndian(signature.length, 4), signature, forgery.padding)
}

function certificationData(type: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(littleEndian(type, 2), littleEndian(bytes.length, 4), bytes)
}

function draftHeader(version: number, teeType: number): Uint8Array {
  return concatBytes(
    littleEndian(version, 2),
    littleEndian(2, 2),
    littleEndian(teeType, 4),
    new Uint8Array(4),
    fromHex(vendor),
    new Uint8Array(20),
  )
}

function draftBodyHeader(form: FakeQuoteForm, length: number): Uint8Array {
  const type = form.startsWith('sgx') ? 1 : form.startsWith('td 1.0') ? 2 : 3
  return concatBytes(littleEndian(type, 2), littleEndian(length, 4))
}

function draftTd(isLater: boolean): Uint8Array {
  const body = new Uint8Array(isLater ? 648 : 584)
  body.set([5, 1, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], tdField.teeTcbSvn)
  body.fill(0x5e, tdField.mrSeam, tdField.mrSeam + 48)
  body.set([0, 0, 0, 0x10], tdField.tdAttributes)
  body.set([0xe7, 0x02, 0x06], tdField.xfam)
  body.fill(0xd1, tdField.mrTd, tdField.mrTd + 48)
  body.fill(0xda, tdField.reportData, tdField.reportData + 64)
  return body
}

function draftEnclave(): Uint8Array {
  const body = new Uint8Array(384)
  body.set([0x05], enclaveField.attributes)
  body.fill(0xe1, enclaveField.mrEnclave, enclaveField.mrEnclave + 32)
  body.fill(0xe2, enclaveField.mrSigner, enclaveField.mrSigner + 32)
  body.set([1], enclaveField.isvProdId)
  body.set([3], enclaveField.isvSvn)
  body.fill(0xda, enclaveField.reportData, enclaveField.reportData + 64)
  return body
}

function draftQuotingEnclave(): Uint8Array {
  const report = new Uint8Array(384)
  report.set([0x11, 0, 0, 0, 0, 0, 0, 0, 0xe7], enclaveField.attributes)
  report.set(fromHex(qeSigner), enclaveField.mrSigner)
  report.set([2], enclaveField.isvProdId)
  report.set([4], enclaveField.isvSvn)
  return report
}

function published({ from, until }: { from: number; until: number }): Record<string, unknown> {
  const text = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
  return { issueDate: text(from), nextUpdate: text(until), tcbEvaluationDataNumber: 17 }
}

function draftTcbInfo(isTd: boolean, period: { from: number; until: number }): Record<string, unknown> {
  const signer = { mrsigner: zeros(48), attributes: zeros(8), attributesMask: 'FF'.repeat(8) }
  const level = (svn: number, pcesvn: number, tcbStatus: string, advisoryIDs: string[]) => ({
    tcb: {
      sgxtcbcomponents: components(svn),
      pcesvn,
      // The second is the version of the module, which no level asks for.
      ...(isTd ? { tdxtcbcomponents: components(svn).with(1, { svn: 0 }) } : {}),
    },
    tcbDate: '2026-01-01T00:00:00Z',
    tcbStatus,
    ...(advisoryIDs.length === 0 ? {} : { advisoryIDs }),
  })
  const td = {
    tdxModule: signer,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...signer,
        tcbLevels: [
          { tcb: { isvsvn: 5 }, tcbDate: '2026-01-01T00:00:00Z', tcbStatus: 'UpToDate' },
          {
            tcb: { isvsvn: 2 },
            tcbDate: '2025-01-01T00:00:00Z',
            tcbStatus: 'OutOfDate',
            advisoryIDs: ['INTEL-SA-00002'],
          },
        ],
      },
    ],
  }
  return {
    id: isTd ? 'TDX' : 'SGX',
    version: 3,
    ...published(period),
    fmspc: 'B0C06F000000',
    pceId: '0000',
    tcbType: 0,
    ...(isTd ? td : {}),
    tcbLevels: [level(5, 11, 'UpToDate', []), level(3, 5, 'OutOfDate', ['INTEL-SA-00001'])],
  }
}

function draftQeIdentity(isTd: boolean, period: { from: number; until: number }): Record<string, unknown> {
  return {
    id: isTd ? 'TD_QE' : 'QE',
    version: 2,
    ...published(period),
    miscselect: zeros(4),
    miscselectMask: 'FF'.repeat(4),
    attributes: `11${zeros(15)}`,
    attributesMask: `FB${'FF'.repeat(7)}${zeros(8)}`,
    mrsigner: qeSigner.toUpperCase(),
    isvprodid: 2,
    tcbLevels: [
      { tcb: { isvsvn: 4 }, tcbDate: '2026-01-01T00:00:00Z', tcbStatus: 'UpToDate' },
      {
        tcb: { isvsvn: 3 },
        tcbDate: '2025-01-01T00:00:00Z',
        tcbStatus: 'OutOfDate',
        advisoryIDs: ['INTEL-SA-00003'],
      },
    ],
  }
}
