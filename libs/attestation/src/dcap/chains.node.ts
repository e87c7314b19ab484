/**
 * Intel's hierarchy: root, then the CA of processors or platforms with its PCK certificates, and beside it
 * the key that signs TCB information. Guards that each is used for what it is for, and that Intel has not
 * revoked it.
 */
import type { Certificate } from '../x509/certificate.js'
import { verifyChain, type Chain } from '../x509/chain.node.js'
import { parseCertificates } from '../x509/pem.js'
import { parseRevocationList, type RevocationList } from '../x509/revocation-list.js'
import { verifyLists, verifyNotRevoked } from '../x509/revocation.node.js'
import { isRawEcdsa } from '../x509/signature.node.js'
import type { SignatureAlgorithm } from '../x509/signature-algorithm.js'
import type { DcapCollateral } from './collateral.js'
import { refusal } from './refusal.js'

/** When, and under which roots, by SHA-256 of their DER. */
export interface TrustAnchors {
  /** In milliseconds. */
  readonly at: number
  readonly roots: readonly string[]
}

const algorithms: readonly SignatureAlgorithm[] = ['ecdsa-sha256']
const pckAuthorities: readonly (string | null)[] = ['Intel SGX PCK Platform CA', 'Intel SGX PCK Processor CA']
const tcbSigner = 'Intel SGX TCB Signing'

/**
 * The chain of a PCK certificate, leaf first in a PEM text that some quoting services end with a zero byte.
 * @throws AttestationError `CHAIN_UNTRUSTED`, `ALGORITHM`, `NOT_YET_VALID`, `EXPIRED`, `MALFORMED`.
 */
export function verifyPckChain(pem: Uint8Array, anchors: TrustAnchors): Chain {
  const text = pem.at(-1) === 0 ? pem.subarray(0, -1) : pem
  const chain = chainOf(text, 'PCK certificate', anchors)
  const [leaf, authority] = chain
  checkUse(leaf, 'PCK certificate')
  if (chain.length !== 3 || !pckAuthorities.includes(authority?.subject.commonName ?? null))
    throw refusal('CHAIN_UNTRUSTED', 'PCK certificate', 'no CA of PCK certificates issued it')
  return chain
}

/** Revocation lists in DER, and the chain of the issuer of the second. */
export type RevocationFiles = Pick<DcapCollateral, 'root_ca_crl' | 'pck_crl' | 'pck_crl_issuer_chain'>

/** Lists that were verified. */
export interface VerifiedLists {
  readonly rootList: RevocationList
  /** When the first of them ends, in milliseconds. */
  readonly validUntil: number
}

/**
 * Checks that the lists of the root and of the PCK's CA are current and of the right issuers, and name nobody
 * in the chain.
 * @throws AttestationError `REVOKED`, `NOT_YET_VALID`, `EXPIRED`, `SIGNATURE_INVALID`, `COLLATERAL_MISMATCH`,
 * `CHAIN_UNTRUSTED`.
 */
export function verifyPckNotRevoked(
  chain: Chain,
  files: RevocationFiles,
  anchors: TrustAnchors,
): VerifiedLists {
  const rootList = listOf(files.root_ca_crl, 'root_ca_crl', chain[2])
  const pckList = listOf(files.pck_crl, 'pck_crl', chain[1])
  // The list's own chain proves nothing that the PCK's does not: it must be the same CA, and as good.
  const [issuer] = chainOf(files.pck_crl_issuer_chain, 'pck_crl_issuer_chain', anchors)
  if (issuer.subject.encoded !== pckList.issuer.encoded)
    throw refusal('COLLATERAL_MISMATCH', 'pck_crl_issuer_chain', `it is of ${nameOf(issuer)}`)
  verifyNotRevoked(chain, [rootList, pckList], { at: anchors.at, algorithms, demanded: 'every' })
  return { rootList, validUntil: Math.min(rootList.validity.until, pckList.validity.until) }
}

/** A text that Intel signed, with what shows it. */
export interface SignedText {
  readonly text: Uint8Array
  /** r‖s. */
  readonly signature: Uint8Array
  readonly issuerChain: Uint8Array
}

/**
 * Checks that Intel's key for TCB information signed exactly these bytes, and that Intel has not revoked it.
 * @throws AttestationError `SIGNATURE_INVALID`, `CHAIN_UNTRUSTED`, `REVOKED`, `NOT_YET_VALID`, `EXPIRED`,
 * `MALFORMED`.
 */
export function verifySignedText(
  signedText: SignedText,
  rootList: RevocationList,
  anchors: TrustAnchors,
  what: string,
): Chain {
  const chain = verifyTextSignature(signedText, anchors, what)
  verifyNotRevoked(chain, [rootList], { at: anchors.at, algorithms, demanded: 'every' })
  return chain
}

/**
 * The same without revocation, for telling how old a text is.
 * @throws AttestationError `SIGNATURE_INVALID`, `CHAIN_UNTRUSTED`, `NOT_YET_VALID`, `EXPIRED`, `MALFORMED`.
 */
export function verifyTextSignature(
  { text, signature, issuerChain }: SignedText,
  anchors: TrustAnchors,
  what: string,
): Chain {
  const chain = chainOf(issuerChain, `${what}_issuer_chain`, anchors)
  const [signer] = chain
  checkUse(signer, `${what}_issuer_chain`)
  // Other keys under the same root sign what any owner of a machine likes.
  if (chain.length !== 2 || signer.subject.commonName !== tcbSigner)
    throw refusal('CHAIN_UNTRUSTED', `${what}_issuer_chain`, `${nameOf(signer)} may not sign it`)
  const key = { curve: 'P-256', hash: 'sha256' } as const
  if (!isRawEcdsa({ signed: text, signature }, signer.publicKey, key, what))
    throw refusal('SIGNATURE_INVALID', what, 'it is not what Intel signed, byte for byte')
  return chain
}

function chainOf(pem: Uint8Array, what: string, { at, roots }: TrustAnchors): Chain {
  const [leaf, ...authorities] = parseCertificates(pem, what)
  if (leaf === undefined) throw refusal('MALFORMED', what, 'no certificate', 'parse')
  return verifyChain(leaf, authorities, { at, roots, algorithms, what })
}

/**
 * Checks that a list is current and was signed by an authority of a chain up to the root, and gives it. Says nothing about who is on it.
 * @throws AttestationError as {@link verifyPckNotRevoked}.
 */
export function verifyIntelList(
  der: Uint8Array,
  authorityChain: Uint8Array,
  anchors: TrustAnchors,
  what: string,
): RevocationList {
  const list = parseRevocationList(der, what)
  verifyLists([list], chainOf(authorityChain, what, anchors), { at: anchors.at, algorithms })
  return list
}

function listOf(der: Uint8Array, what: string, issuer: Certificate | undefined): RevocationList {
  const list = parseRevocationList(der, what)
  if (list.issuer.encoded !== issuer?.subject.encoded)
    throw refusal(
      'COLLATERAL_MISMATCH',
      what,
      `it is the list of ${list.issuer.commonName ?? 'an unnamed issuer'}; expected that of ${nameOf(issuer)}`,
    )
  return list
}

function checkUse({ keyUsage, basicConstraints, subject }: Certificate, what: string): void {
  if (basicConstraints.isAuthority || !(keyUsage ?? ['digitalSignature']).includes('digitalSignature'))
    throw refusal('CHAIN_UNTRUSTED', what, `${subject.commonName ?? 'it'} is no certificate of a signer`)
}

function nameOf(certificate: Certificate | undefined): string {
  return certificate?.subject.commonName ?? 'an unnamed issuer'
}
