/**
 * Whether Intel vouches for a quote: that a genuine quoting enclave on a platform that Intel certified signed
 * it, by collateral that is complete, current and of this platform. Says how good the platform's firmware is,
 * and not whether that is good enough; nor which code runs.
 */
import { equalBytes, fromHex, toHex } from '#libs/canonical'
import type { Collateral } from '../evidence.js'
import type { Chain } from '../x509/chain.node.js'
import { isRawEcdsa, publicKeyOfPoint, sha256Hex } from '../x509/signature.node.js'
import { checkPeriod } from '../x509/time.js'
import { verifyPckChain, verifyPckNotRevoked, verifySignedText, type TrustAnchors } from './chains.node.js'
import { completeCollateral, type DcapCollateral } from './collateral.js'
import { parsePckPlatform, type PckPlatform } from './pck-certificate.js'
import { masked, parseQeIdentity, quotingEnclaveState, type QeIdentity } from './qe-identity.js'
import { parseQuote, type Quote, type QuoteBodies, type QuotedTee } from './quote.js'
import { refusal } from './refusal.js'
import type { TdReport } from './report.js'
import { moduleState, parseTcbInfo, platformState, type TcbInfo } from './tcb-info.js'
import { mergeTcbStates, type TcbState } from './tcb-status.js'

/** A quote with what Intel publishes for it. */
export interface QuoteEvidence {
  readonly quote: Uint8Array
  readonly collateral: Collateral | null
}

declare const authentic: unique symbol

/** A quote that Intel vouches for. Only {@link authenticateQuote} makes it. */
export interface AuthenticQuote<Tee extends QuotedTee = QuotedTee> {
  readonly [authentic]: true
  readonly quote: Quote<Tee>
  readonly platform: PckPlatform
  /** Merged over platform, quoting enclave and TDX module. */
  readonly tcb: TcbState
  /** The lower of Intel's two numbers: how recent its knowledge is. */
  readonly evaluationDataNumber: number
  /** When the first of the texts and certificates ends, in milliseconds. */
  readonly validUntil: number
}

const intelVendor = '939a7233f79c4ca9940a0db3957f0607'
const p256 = { curve: 'P-256', hash: 'sha256' } as const

/**
 * Authenticates a quote of one TEE.
 * @throws AttestationError with a refusal of evidence; see the steps.
 */
export function authenticateQuote<Tee extends QuotedTee>(
  evidence: QuoteEvidence,
  tee: Tee,
  anchors: TrustAnchors,
): AuthenticQuote<Tee> {
  const quote = parseQuote(evidence.quote, tee)
  const pckChain = verifyQuoteSignatures(quote, anchors)
  const platform = parsePckPlatform(pckChain[0])
  const collateral = completeCollateral(evidence.collateral)
  const { tcbInfo, qeIdentity, validUntil } = verifyCollateral(collateral, tee, platform, pckChain, anchors)
  return Object.freeze({
    quote,
    platform,
    tcb: mergeTcbStates(statesOf(quote, tee, platform, tcbInfo, qeIdentity)),
    evaluationDataNumber: Math.min(tcbInfo.tcbEvaluationDataNumber, qeIdentity.tcbEvaluationDataNumber),
    validUntil,
  }) as AuthenticQuote<Tee>
}

/**
 * Checks the signatures within a quote, from Intel's root to header and body. Says nothing about revocation
 * and firmware.
 * @throws AttestationError `CHAIN_UNTRUSTED`, `SIGNATURE_INVALID`, `BINDING_MISMATCH`, `WRONG_TYPE`,
 * `NOT_YET_VALID`, `EXPIRED`.
 */
export function verifyQuoteSignatures(quote: Quote, anchors: TrustAnchors): Chain {
  const pckChain = verifyPckChain(quote.pckCertificates, anchors)
  const { quotingEnclave, attestationKey } = quote
  const pck = pckChain[0].publicKey
  if (!isRawEcdsa(quotingEnclave, pck, p256, 'quoting enclave report'))
    throw refusal('SIGNATURE_INVALID', 'quoting enclave report', 'the PCK did not sign it')
  // The quoting enclave's report names its key: SHA-256(key ‖ authentication data), filled up with zeros.
  const expected = new Uint8Array(64)
  expected.set(fromHex(sha256Hex(attestationKey, quotingEnclave.authenticationData)))
  if (!equalBytes(expected, quotingEnclave.report.reportData))
    throw refusal('BINDING_MISMATCH', 'attestation key', "the quoting enclave's report names another key")
  if (!isRawEcdsa(quote, publicKeyOfPoint('P-256', attestationKey), p256, 'quote'))
    throw refusal('SIGNATURE_INVALID', 'quote', 'the attestation key did not sign it')
  if (toHex(quote.vendorId) !== intelVendor)
    throw refusal('WRONG_TYPE', 'quoting enclave vendor', `${toHex(quote.vendorId)} is not Intel's`)
  return pckChain
}

interface VerifiedCollateral {
  readonly tcbInfo: TcbInfo
  readonly qeIdentity: QeIdentity
  readonly validUntil: number
}

function verifyCollateral(
  collateral: DcapCollateral,
  tee: QuotedTee,
  platform: PckPlatform,
  pckChain: Chain,
  anchors: TrustAnchors,
): VerifiedCollateral {
  const lists = verifyPckNotRevoked(pckChain, collateral, anchors)
  const tcbInfoChain = verifySignedText(
    {
      text: collateral.tcb_info,
      signature: collateral.tcb_info_signature,
      issuerChain: collateral.tcb_info_issuer_chain,
    },
    lists.rootList,
    anchors,
    'tcb_info',
  )
  const qeIdentityChain = verifySignedText(
    {
      text: collateral.qe_identity,
      signature: collateral.qe_identity_signature,
      issuerChain: collateral.qe_identity_issuer_chain,
    },
    lists.rootList,
    anchors,
    'qe_identity',
  )
  const tcbInfo = parseTcbInfo(collateral.tcb_info, tee, platform)
  const qeIdentity = parseQeIdentity(collateral.qe_identity, tee)
  const ends = [...pckChain, ...tcbInfoChain, ...qeIdentityChain].map(({ validity }) => validity.until)
  for (const [what, text] of [
    ['tcb_info', tcbInfo],
    ['qe_identity', qeIdentity],
  ] as const) {
    checkPeriod(what, { from: text.issueDate, until: text.nextUpdate }, anchors.at)
    ends.push(text.nextUpdate)
  }
  return { tcbInfo, qeIdentity, validUntil: Math.min(...ends, lists.validUntil) }
}

function statesOf(
  quote: Quote,
  tee: QuotedTee,
  platform: PckPlatform,
  tcbInfo: TcbInfo,
  qeIdentity: QeIdentity,
): readonly TcbState[] {
  const quotingEnclave = quotingEnclaveState(qeIdentity, quote.quotingEnclave.report)
  if (tee === 'sgx') return [platformState(tcbInfo, platform, null), quotingEnclave]
  const td = quote.body as QuoteBodies['tdx']
  const { signer, state } = moduleState(tcbInfo, td)
  checkModule(td, signer)
  const parts = [platformState(tcbInfo, platform, td), quotingEnclave]
  return state === null ? parts : [...parts, state]
}

// The module stands between host and TD: it must be Intel's, and no debug build of it.
function checkModule(td: TdReport, signer: ReturnType<typeof moduleState>['signer']): void {
  if (signer === undefined)
    throw refusal('COLLATERAL_MISMATCH', 'tcb_info', 'it says nothing about the TDX module')
  if (toHex(td.mrSignerSeam) !== signer.mrsigner)
    throw refusal('MEASUREMENT_MISMATCH', 'MRSIGNERSEAM', `it is not ${signer.mrsigner.slice(0, 16)}…`)
  if (masked(td.seamAttributes, signer.attributesMask) !== signer.attributes)
    throw refusal(
      'MEASUREMENT_MISMATCH',
      'SEAMATTRIBUTES',
      `they are ${toHex(td.seamAttributes)}; expected ${signer.attributes} under ${signer.attributesMask}`,
    )
}
