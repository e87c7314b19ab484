/**
 * Whether an Azure confidential VM made evidence: hardware vouches for the hash of the runtime data, which
 * holds the attestation key of the vTPM, which signed the TPM quote. Azure's paravisor stands in between:
 * whoever trusts the vTPM trusts it. Says nothing about nonce and registers being those wanted.
 */
import { concatBytes, equalBytes, fromHex } from '#libs/canonical'
import { authenticateQuote, type AuthenticQuote } from '../dcap/authenticate.js'
import type { TrustAnchors } from '../dcap/chains.node.js'
import type { TdReport } from '../dcap/report.js'
import { AttestationError, type EvidenceRefusal } from '../errors.js'
import type { Collateral } from '../evidence.js'
import { authenticateSnpReport, type AuthenticSnpReport, type SnpTrust } from '../sev-snp/authenticate.js'
import { sha256Hex } from '../x509/signature.node.js'
import type { AzureEvidence } from './evidence-forms.js'
import { parseHclReport } from './hcl-report.js'
import { parseRuntimeData, type RuntimeData } from './runtime-data.js'
import { parseTpmStatement, quotedRegisters, type Registers, type TpmStatement } from './tpm-quote.js'
import { verifyTpmSignature } from './tpm-signature.node.js'

declare const authentic: unique symbol

/** Evidence of an Azure confidential VM. */
export interface AuthenticAzureVm<Hardware> {
  readonly [authentic]: true
  readonly hardware: Hardware
  /** SHA-256 of the runtime data, in hexadecimal. */
  readonly runtimeDigest: string
  readonly runtime: RuntimeData
  /** Null: no TPM quote came with it. */
  readonly statement: TpmStatement | null
  /** Values that the quote covers, by number; null: none came with it, only their digest. */
  readonly registers: Registers | null
}

/** Certificates of an SNP report; the evidence may hold the first itself. */
export interface AzureSnpCertificates {
  readonly vek?: Uint8Array | undefined
  readonly chain?: Uint8Array | undefined
  readonly crl?: Uint8Array | undefined
}

/**
 * Authenticates evidence of a VM on AMD SEV-SNP.
 * @throws AttestationError with a refusal of evidence.
 */
export function authenticateAzureSnp(
  evidence: AzureEvidence,
  { vek, chain, crl }: AzureSnpCertificates,
  trust: SnpTrust,
): AuthenticAzureVm<AuthenticSnpReport> {
  const { hardwareReport, runtimeData } = parseHclReport(evidence.hcl, 'sev-snp')
  const hardware = authenticateSnpReport(
    {
      report: hardwareReport,
      vek: needed(vek ?? evidence.vek, 'COLLATERAL_MISSING', 'vek'),
      chain: needed(chain, 'COLLATERAL_MISSING', 'chain'),
      ...(crl === undefined ? {} : { crl }),
    },
    trust,
  )
  return Object.freeze({
    hardware,
    ...authenticateVtpm(evidence, runtimeData, hardware.report.reportData),
  }) as AuthenticAzureVm<AuthenticSnpReport>
}

/**
 * Authenticates evidence of a VM on Intel TDX. The TDREPORT in the vTPM is only MACed, for the machine
 * itself: the TD quote is what others can verify.
 * @throws AttestationError with a refusal of evidence.
 */
export function authenticateAzureTdx(
  evidence: AzureEvidence,
  collateral: Collateral | null,
  anchors: TrustAnchors,
): AuthenticAzureVm<AuthenticQuote<'tdx'>> {
  const { hardwareReport, runtimeData } = parseHclReport(evidence.hcl, 'tdx')
  const quote = needed(evidence.tdQuote, 'QUOTE_MISSING', 'td_quote')
  const hardware = authenticateQuote({ quote, collateral }, 'tdx', anchors)
  checkTdReport(hardwareReport, hardware.quote.body)
  return Object.freeze({
    hardware,
    ...authenticateVtpm(evidence, runtimeData, hardware.quote.body.reportData),
  }) as AuthenticAzureVm<AuthenticQuote<'tdx'>>
}

function authenticateVtpm(
  { tpmQuote }: AzureEvidence,
  runtimeData: Uint8Array,
  reportData: Uint8Array,
): Omit<AuthenticAzureVm<never>, typeof authentic | 'hardware'> {
  const runtimeDigest = sha256Hex(runtimeData)
  const expected = new Uint8Array(64)
  expected.set(fromHex(runtimeDigest))
  if (!equalBytes(expected, reportData))
    throw refused('BINDING_MISMATCH', 'report_data', 'it is not the hash of the runtime data')
  const runtime = parseRuntimeData(runtimeData)
  if (tpmQuote === null) return { runtimeDigest, runtime, statement: null, registers: null }
  verifyTpmSignature(tpmQuote, runtime.attestationKey)
  const statement = parseTpmStatement(tpmQuote.message)
  const registers = tpmQuote.pcrs === null ? null : quotedRegisters(statement, tpmQuote.pcrs)
  return { runtimeDigest, runtime, statement, registers }
}

/** Where REPORTDATA and TDINFO stand in a TDREPORT (Intel TDX module ABI, TDREPORT_STRUCT). */
const tdReportFields = { reportData: [128, 192], tdInfo: [512, 912] } as const

// The quote was made of this TDREPORT: another one beside it is of another TD, or was tampered with.
function checkTdReport(report: Uint8Array, td: TdReport): void {
  const { tdAttributes, xfam, mrTd, mrConfigId, mrOwner, mrOwnerConfig, rtmrs, reportData } = td
  const tdInfo = concatBytes(tdAttributes, xfam, mrTd, mrConfigId, mrOwner, mrOwnerConfig, ...rtmrs)
  if (!equalBytes(report.subarray(...tdReportFields.reportData), reportData))
    throw refused('BINDING_MISMATCH', 'TDREPORT', 'its report data is not that of the TD quote')
  if (!equalBytes(report.subarray(...tdReportFields.tdInfo), tdInfo))
    throw refused('BINDING_MISMATCH', 'TDREPORT', 'it is of another TD than the TD quote')
}

function needed(
  file: Uint8Array | null | undefined,
  code: 'QUOTE_MISSING' | 'COLLATERAL_MISSING',
  field: string,
): Uint8Array {
  if (file !== null && file !== undefined) return file
  throw refused(code, field, 'it did not come with the evidence, and nothing is proven without it')
}

function refused(code: EvidenceRefusal, field: string, why: string): AttestationError {
  return new AttestationError(code, `Azure evidence: ${field}: ${why}`, { stage: 'authenticate', field })
}
