/**
 * What the CPU states in a quote: the report of an SGX enclave (Intel SDM volume 3D §38.15) or of a TD (Intel
 * TDX module ABI, TD_REPORT as quotes carry it, 1.0 and 1.5). Says nothing about whether a CPU stated it: see
 * authenticate.ts.
 */
import { ByteReader } from '../bytes/byte-reader.js'

/**
 * The report of an SGX enclave: the body of SGX quotes, and the quoting enclave's own report in every quote.
 */
export interface EnclaveReport {
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array
  /** 4 bytes in the order of the report. */
  readonly miscSelect: Uint8Array
  /** 8 bytes of flags, 8 bytes of XFRM. */
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  /** 64 bytes. */
  readonly reportData: Uint8Array
}

/** The report of a TD. Measurements have 48 bytes. */
export interface TdReport {
  /** 16 bytes: the TDX module's SVN, its version, and the SVNs below it. */
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly xfam: Uint8Array
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  readonly reportData: Uint8Array
  /** TD 1.5 only: the SVNs after updates under the running TD, and what may migrate it. */
  readonly later: { readonly teeTcbSvn: Uint8Array; readonly mrServiceTd: Uint8Array } | null
}

/** Bytes of an {@link EnclaveReport}. */
export const enclaveReportLength = 384
/** Bytes of a {@link TdReport} 1.0. */
export const tdReport10Length = 584
/** Bytes of a {@link TdReport} 1.5. */
export const tdReport15Length = 648

/**
 * Reads a report of 384 bytes. What it reserves is not looked at: it is signed, and newer CPUs use more of
 * it.
 */
export function parseEnclaveReport(bytes: Uint8Array, what: string): EnclaveReport {
  const reader = new ByteReader(bytes, what)
  const cpuSvn = reader.take(16, 'CPUSVN')
  const miscSelect = reader.take(4, 'MISCSELECT')
  reader.take(28, 'reserved')
  const attributes = reader.take(16, 'ATTRIBUTES')
  const mrEnclave = reader.take(32, 'MRENCLAVE')
  reader.take(32, 'reserved')
  const mrSigner = reader.take(32, 'MRSIGNER')
  reader.take(96, 'reserved')
  const isvProdId = reader.uintLe(2, 'ISVPRODID')
  const isvSvn = reader.uintLe(2, 'ISVSVN')
  reader.take(60, 'reserved')
  const reportData = reader.take(64, 'REPORTDATA')
  reader.end()
  return { cpuSvn, miscSelect, attributes, mrEnclave, mrSigner, isvProdId, isvSvn, reportData }
}

/** Reads a report of 584 bytes (1.0) or 648 bytes (1.5). */
export function parseTdReport(bytes: Uint8Array): TdReport {
  const reader = new ByteReader(bytes, 'TD report')
  const measurement = (field: string): Uint8Array => reader.take(48, field)
  const report = {
    teeTcbSvn: reader.take(16, 'TEE_TCB_SVN'),
    mrSeam: measurement('MRSEAM'),
    mrSignerSeam: measurement('MRSIGNERSEAM'),
    seamAttributes: reader.take(8, 'SEAMATTRIBUTES'),
    tdAttributes: reader.take(8, 'TDATTRIBUTES'),
    xfam: reader.take(8, 'XFAM'),
    mrTd: measurement('MRTD'),
    mrConfigId: measurement('MRCONFIGID'),
    mrOwner: measurement('MROWNER'),
    mrOwnerConfig: measurement('MROWNERCONFIG'),
    rtmrs: [measurement('RTMR0'), measurement('RTMR1'), measurement('RTMR2'), measurement('RTMR3')],
    reportData: reader.take(64, 'REPORTDATA'),
  } as const
  const later =
    reader.remaining === 0
      ? null
      : { teeTcbSvn: reader.take(16, 'TEE_TCB_SVN_2'), mrServiceTd: measurement('MRSERVICETD') }
  reader.end()
  return { ...report, later }
}
