/**
 * Which collateral a piece of evidence asks for. Read from evidence that nobody has verified: it only says what to look up, at hosts
 * that are fixed elsewhere, and what comes back is verified like anything foreign.
 */
import { toHex, utf8 } from '#libs/canonical'
import { readAzureFiles, type AzureEvidence } from '../az-vtpm/evidence-forms.js'
import { parseHclReport } from '../az-vtpm/hcl-report.js'
import type { Evidence } from '../evidence.js'
import { parsePckPlatform } from '../dcap/pck-certificate.js'
import { parseQuote } from '../dcap/quote.js'
import { AttestationError } from '../errors.js'
import { parseEndorsement } from '../sev-snp/endorsement.js'
import { generationOfCpu, type Generation } from '../sev-snp/generations.js'
import { parseSnpReport } from '../sev-snp/report.js'
import { textIn } from '../json/foreign-json.js'
import { parseCompactToken } from '../token/compact-token.js'
import { tokenText } from '../token/service-token.js'
import { parseCertificates } from '../x509/pem.js'
import { gpuManifestName, type GpuManifestAsk } from './gpu-manifests.js'
import { sha256Hex } from '../x509/signature.node.js'

/** The certificate of the key that signed an SNP report, its chain, and AMD's revocation list. */
export interface SnpCollateralAsk {
  readonly kind: 'sev-snp'
  /** Null: the report is of version 2, which does not name its processor. */
  readonly generation: Generation | null
  readonly key: 'VCEK' | 'VLEK'
  /** 64 bytes in hexadecimal; zero where the chip does not show itself. */
  readonly chipId: string
  /** REPORTED_TCB as it stands in the report, 8 bytes in hexadecimal. */
  readonly reportedTcb: string
}

/** What Intel publishes of a family of platforms: TCB information, identity of the quoting enclave, revocation lists. */
export interface TdxCollateralAsk {
  readonly kind: 'tdx'
  /** 6 bytes in hexadecimal. */
  readonly fmspc: string
  /** Which of Intel's two authorities certified the platform. */
  readonly authority: 'platform' | 'processor'
}

/** The key set of a service that signs tokens. */
export interface KeySetAsk {
  readonly kind: 'jwks'
  /** As the token names it: whoever looks it up compares it with the services that are configured, and never asks at a place that it names. */
  readonly unverifiedIssuer: string
}

/** What evidence of a CPU asks for. */
export type CpuCollateralAsk = SnpCollateralAsk | TdxCollateralAsk | KeySetAsk

/** What evidence asks for. */
export type CollateralAsk = CpuCollateralAsk | GpuManifestAsk

/**
 * What evidence of a CPU asks for; null for kinds that carry all that they need.
 * @throws AttestationError `MALFORMED`, `WRONG_TYPE`, `CHAIN_UNTRUSTED`, `QUOTE_MISSING` where evidence cannot even be read.
 */
export function collateralAskOf({ kind, bytes }: Pick<Evidence, 'kind' | 'bytes'>): CpuCollateralAsk | null {
  switch (kind) {
    case 'sev-snp':
      return snpAsk(bytes)
    case 'tdx':
      return tdxAsk(bytes)
    case 'az-snp-vtpm':
      return azureSnpAsk(bytes)
    case 'az-tdx-vtpm':
      return azureTdxAsk(bytes)
    case 'maa-snp':
    case 'maa-tdx':
    case 'gcp-cs':
      return keySetAsk(bytes)
    case 'simulated':
    case 'nitro':
      return null
  }
}

const maximumIssuerLength = 1000

function keySetAsk(bytes: Uint8Array): KeySetAsk {
  const unverifiedIssuer = textIn(
    parseCompactToken(tokenText(bytes, 'token'), 'token').unverifiedClaims,
    'iss',
  )
  if (unverifiedIssuer === null || unverifiedIssuer.length > maximumIssuerLength)
    throw unreadable('MALFORMED', 'iss', 'a token names no issuer')
  return { kind: 'jwks', unverifiedIssuer }
}

function azureEvidenceIn(bytes: Uint8Array): AzureEvidence {
  return readAzureFiles({ evidenceJson: bytes })
}

// Azure's reports are of version 2; the certificate that the document may hold names the processor.
function azureSnpAsk(bytes: Uint8Array): SnpCollateralAsk {
  const { hcl, vek } = azureEvidenceIn(bytes)
  const ask = snpAsk(parseHclReport(hcl, 'sev-snp').hardwareReport)
  const [certificate] = vek === null ? [] : parseCertificates(vek, 'VCEK')
  if (ask.generation !== null || certificate === undefined) return ask
  return { ...ask, generation: parseEndorsement(certificate).generation }
}

function azureTdxAsk(bytes: Uint8Array): TdxCollateralAsk {
  const { tdQuote } = azureEvidenceIn(bytes)
  if (tdQuote === null) throw unreadable('QUOTE_MISSING', 'td_quote', 'there is no quote of the TD in it')
  return tdxAsk(tdQuote)
}

function snpAsk(bytes: Uint8Array): SnpCollateralAsk {
  const { cpuid, signingKey, chipId, reportedTcb } = parseSnpReport(bytes)
  if (signingKey !== 'VCEK' && signingKey !== 'VLEK')
    throw unreadable('WRONG_TYPE', 'KEY_INFO', `an SNP report names no VCEK or VLEK as its key`)
  return {
    kind: 'sev-snp',
    generation: cpuid === null ? null : (generationOfCpu(cpuid) ?? null),
    key: signingKey,
    chipId: toHex(chipId),
    reportedTcb: toHex(reportedTcb),
  }
}

function tdxAsk(bytes: Uint8Array): TdxCollateralAsk {
  const { pckCertificates } = parseQuote(bytes, 'tdx')
  const pem = pckCertificates.at(-1) === 0 ? pckCertificates.subarray(0, -1) : pckCertificates
  const [leaf] = parseCertificates(pem, 'PCK certificate')
  if (leaf === undefined) throw unreadable('MALFORMED', 'PCK certificate', 'a quote carries no certificate')
  const issuer = leaf.issuer.commonName
  const authority =
    issuer === 'Intel SGX PCK Platform CA'
      ? 'platform'
      : issuer === 'Intel SGX PCK Processor CA'
        ? 'processor'
        : undefined
  if (authority === undefined)
    throw unreadable('CHAIN_UNTRUSTED', 'PCK certificate', 'no CA of PCK certificates issued it')
  return { kind: 'tdx', fmspc: parsePckPlatform(leaf).fmspc, authority }
}

/**
 * The one name of an ask: of lower-case letters, digits and hyphens, so that it is a file name anywhere. A VLEK belongs to a provider, not to
 * a chip, so that its name holds none.
 */
export function collateralName(ask: CollateralAsk): string {
  // A digest, since an issuer is a URL that anyone wrote.
  if (ask.kind === 'jwks') return `jwks-${sha256Hex(utf8(ask.unverifiedIssuer)).slice(0, 32)}`
  if (ask.kind === 'gpu-manifest') return gpuManifestName(ask).replaceAll('_', '-')
  if (ask.kind === 'tdx') return `tdx-${ask.fmspc}-${ask.authority}`
  const { generation, key, chipId, reportedTcb } = ask
  const whose = key === 'VLEK' ? 'vlek' : `vcek-${chipId}`
  return `sev-snp-${generation ?? 'unnamed'}-${whose}-${reportedTcb}`
}

function unreadable(
  code: 'MALFORMED' | 'WRONG_TYPE' | 'CHAIN_UNTRUSTED' | 'QUOTE_MISSING',
  field: string,
  message: string,
): AttestationError {
  return new AttestationError(code, message, { stage: 'parse', field })
}
