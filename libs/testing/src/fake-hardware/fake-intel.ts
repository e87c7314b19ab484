/**
 * An Intel that signs whatever it is asked to: root, PCK, TCB signing, quoting enclave, quotes of TDs and
 * enclaves, collateral.
 */
import type { DcapCollateralName } from '#libs/attestation'
import { toHex, utf8 } from '#libs/canonical'
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
import {
  draftBodyHeader,
  draftEnclave,
  draftHeader,
  draftQuotingEnclave,
  draftTd,
  makeQuote,
  type FakeQuoteForm,
} from './fake-quote.js'
import {
  draftQeIdentity,
  draftTcbInfo,
  platformExtension,
  sgxExtension,
  type FakePlatform,
} from './fake-tcb.js'

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
    Record<DcapCollateralName | 'quote' | 'pckChain', (bytes: Uint8Array) => Uint8Array | undefined>
  >
}

/** A quote as a host hands it over, and the fingerprint of its root. */
export interface FakeQuote {
  readonly quote: Uint8Array
  readonly collateral: Readonly<Record<string, Uint8Array>>
  readonly root: string
}

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
    const collateral: Record<DcapCollateralName, Uint8Array> = {
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
      const change = onTheWay[name as DcapCollateralName]
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

function p256(): FakeKey {
  return makeKey('ecdsa-sha256', { curve: 'P-256' })
}
