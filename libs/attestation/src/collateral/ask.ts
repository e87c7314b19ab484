/**
 * Which collateral a piece of evidence asks for. Read from evidence that nobody has verified: it only says what to look up, at hosts
 * that are fixed elsewhere, and what comes back is verified like anything foreign.
 */
import { toHex } from '#libs/canonical'
import type { Evidence } from '../evidence.js'
import { parsePckPlatform } from '../dcap/pck-certificate.js'
import { parseQuote } from '../dcap/quote.js'
import { AttestationError } from '../errors.js'
import { generationOfCpu, type Generation } from '../sev-snp/generations.js'
import { parseSnpReport } from '../sev-snp/report.js'
import { parseCertificates } from '../x509/pem.js'
import { gpuManifestName, type GpuManifestAsk } from './gpu-manifests.js'

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

/** What evidence of a CPU asks for. */
export type CpuCollateralAsk = SnpCollateralAsk | TdxCollateralAsk

/** What evidence asks for. */
export type CollateralAsk = CpuCollateralAsk | GpuManifestAsk

/**
 * What evidence of a CPU asks for; null for kinds that carry all that they need.
 * @throws AttestationError `MALFORMED`, `WRONG_TYPE`, `CHAIN_UNTRUSTED` where evidence cannot even be read.
 */
export function collateralAskOf({ kind, bytes }: Pick<Evidence, 'kind' | 'bytes'>): CpuCollateralAsk | null {
  if (kind === 'sev-snp') return snpAsk(bytes)
  return kind === 'tdx' ? tdxAsk(bytes) : null
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
  if (ask.kind === 'gpu-manifest') return gpuManifestName(ask).replaceAll('_', '-')
  if (ask.kind === 'tdx') return `tdx-${ask.fmspc}-${ask.authority}`
  const { generation, key, chipId, reportedTcb } = ask
  const whose = key === 'VLEK' ? 'vlek' : `vcek-${chipId}`
  return `sev-snp-${generation ?? 'unnamed'}-${whose}-${reportedTcb}`
}

function unreadable(
  code: 'MALFORMED' | 'WRONG_TYPE' | 'CHAIN_UNTRUSTED',
  field: string,
  message: string,
): AttestationError {
  return new AttestationError(code, message, { stage: 'parse', field })
}
