/**
 * What the paravisor of an Azure confidential VM keeps in its vTPM (NV index 0x01400001): a report of the
 * hardware, and the runtime data whose hash that report carries. Says nothing about whether either is
 * genuine: see authenticate.ts.
 */
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError, type EvidenceRefusal } from '../errors.js'

/** The hardware below an Azure confidential VM. */
export type AzureHardware = 'sev-snp' | 'tdx'

/** The blob that anyone may have made. */
export interface HclReport {
  /** An SNP report, or a TDREPORT: 1184 bytes. */
  readonly hardwareReport: Uint8Array
  /** JSON as hashed. */
  readonly runtimeData: Uint8Array
}

const magic = 'HCLA'
const hardwareReportLength = 1184
const reportTypes: Readonly<Record<number, AzureHardware>> = { 2: 'sev-snp', 4: 'tdx' }
const sha256 = 1
const maximumLength = 65_536

/**
 * Reads the blob. The NV index has a fixed size: only zero bytes may follow the runtime data.
 * @throws AttestationError `MALFORMED`, `WRONG_TYPE`, `ALGORITHM`, `TRAILING_DATA`.
 */
export function parseHclReport(bytes: Uint8Array, hardware: AzureHardware): HclReport {
  if (bytes.length > maximumLength)
    throw refused('MALFORMED', 'length', `${bytes.length} bytes; at most ${maximumLength}`)
  const reader = new ByteReader(bytes, 'HCL report')
  const signature = String.fromCharCode(...reader.take(4, 'signature'))
  if (signature !== magic) throw refused('MALFORMED', 'signature', `it does not begin with ${magic}`)
  const version = reader.uintLe(4, 'version')
  if (version < 1 || version > 2) throw refused('MALFORMED', 'version', `it is ${version}; expected 1 or 2`)
  reader.take(8, 'report size and request type')
  reader.reserved(16, 'status and reserved')
  const hardwareReport = reader.take(hardwareReportLength, 'hardware report')

  reader.take(4, 'data size')
  const dataVersion = reader.uintLe(4, 'data version')
  if (dataVersion !== 1) throw refused('MALFORMED', 'data version', `it is ${dataVersion}; expected 1`)
  const seen = reportTypes[reader.uintLe(4, 'report type')]
  if (seen !== hardware)
    throw refused('WRONG_TYPE', 'report type', `it is of ${seen ?? 'other hardware'}; expected ${hardware}`)
  const hash = reader.uintLe(4, 'hash type')
  if (hash !== sha256) throw refused('ALGORITHM', 'hash type', `it is ${hash}; expected 1 (SHA-256)`)
  const runtimeData = reader.take(reader.uintLe(4, 'runtime data length'), 'runtime data')
  const rest = reader.take(reader.remaining, 'padding')
  if (rest.some((byte) => byte !== 0))
    throw refused('TRAILING_DATA', 'padding', `${rest.length} bytes follow the runtime data, not all zero`)
  return { hardwareReport, runtimeData }
}

const reportTypeOffset = 1224

/** Which hardware a blob says it is of, for those who look; SEV-SNP unless it says TDX. */
export function hardwareOfHcl(bytes: Uint8Array): AzureHardware {
  return bytes[reportTypeOffset] === 4 ? 'tdx' : 'sev-snp'
}

function refused(code: EvidenceRefusal, field: string, why: string): AttestationError {
  return new AttestationError(code, `HCL report: ${field}: ${why}`, { stage: 'parse', field })
}
