/**
 * The attestation report of AMD SEV-SNP (AMD 56860, table 23): 1184 bytes, little-endian. Anyone may have made it; see
 * authenticate.ts.
 */
import { AttestationError } from '../errors.js'
import { ByteReader } from '../bytes/byte-reader.js'
import { concatBytes } from '#libs/canonical'
import { isGuestPolicyWellFormed, isPlatformInfoWellFormed } from './flags.js'

/** Bytes of a report, no more and no less. */
export const snpReportLength = 1184
/** Bytes from the beginning that are signed. */
export const snpSignedLength = 0x2a0

/** Which key signed. `none`: the report is not signed. */
export type SigningKeyKind = 'VCEK' | 'VLEK' | 'none' | 'reserved'

/** A report, read and not verified. Bit fields are as they stand; see flags.ts and tcb.ts. */
export interface SnpReport {
  readonly version: number
  readonly guestSvn: number
  readonly policy: bigint
  readonly familyId: Uint8Array
  readonly imageId: Uint8Array
  readonly vmpl: number
  readonly platformInfo: bigint
  readonly authorKeyEnabled: boolean
  readonly chipKeyMasked: boolean
  readonly signingKey: SigningKeyKind
  readonly reportData: Uint8Array
  readonly measurement: Uint8Array
  readonly hostData: Uint8Array
  readonly idKeyDigest: Uint8Array
  readonly authorKeyDigest: Uint8Array
  readonly reportId: Uint8Array
  readonly migrationReportId: Uint8Array
  /** Eight bytes each; which byte is which depends on the generation. */
  readonly currentTcb: Uint8Array
  readonly reportedTcb: Uint8Array
  readonly committedTcb: Uint8Array
  readonly launchTcb: Uint8Array
  /** Family and model of the processor; null in version 2. */
  readonly cpuid: { readonly family: number; readonly model: number; readonly stepping: number } | null
  readonly chipId: Uint8Array
  readonly currentFirmware: string
  readonly committedFirmware: string
  readonly signed: Uint8Array
  /** r‖s, 48 bytes each, big-endian. */
  readonly signature: Uint8Array
  /** Names of reserved fields that are not zero, or hold a value that has no meaning. */
  readonly reservedFieldsSet: readonly string[]
}

const versions: readonly number[] = [2, 3, 5]
const ecdsaP384WithSha384 = 1
const signingKeys: Readonly<Record<number, SigningKeyKind>> = { 0: 'VCEK', 1: 'VLEK', 7: 'none' }

/**
 * Reads a report. Reserved fields are noted and not refused here, so that a bit that was changed on the way is told as a
 * broken signature: see {@link checkReserved}.
 * @throws AttestationError `MALFORMED` for length and version, `ALGORITHM`.
 */
export function parseSnpReport(bytes: Uint8Array): SnpReport {
  if (bytes.length !== snpReportLength)
    throw malformed('length', `it has ${bytes.length} bytes; expected ${snpReportLength}`)
  const set: string[] = []
  const reader = new ByteReader(bytes, 'SNP report')
  const mustBeZero = (length: number, field: string) => {
    if (reader.take(length, field).some((byte) => byte !== 0)) set.push(field)
  }

  const version = reader.uintLe(4, 'VERSION')
  if (!versions.includes(version)) throw malformed('VERSION', `it is ${version}; expected 2, 3 or 5`)
  const guestSvn = reader.uintLe(4, 'GUEST_SVN')
  const policy = reader.u64Le('POLICY')
  const familyId = reader.take(16, 'FAMILY_ID')
  const imageId = reader.take(16, 'IMAGE_ID')
  const vmpl = reader.uintLe(4, 'VMPL')
  const algorithm = reader.uintLe(4, 'SIGNATURE_ALGO')
  if (algorithm !== ecdsaP384WithSha384)
    throw new AttestationError(
      'ALGORITHM',
      `SNP report: SIGNATURE_ALGO is ${algorithm}; expected 1, ECDSA P-384 with SHA-384`,
      { stage: 'parse', field: 'SIGNATURE_ALGO' },
    )
  const currentTcb = reader.take(8, 'CURRENT_TCB')
  const platformInfo = reader.u64Le('PLATFORM_INFO')
  const keyInfo = reader.uintLe(4, 'KEY_INFO')
  mustBeZero(4, 'reserved at 4Ch')
  const reportData = reader.take(64, 'REPORT_DATA')
  const measurement = reader.take(48, 'MEASUREMENT')
  const hostData = reader.take(32, 'HOST_DATA')
  const idKeyDigest = reader.take(48, 'ID_KEY_DIGEST')
  const authorKeyDigest = reader.take(48, 'AUTHOR_KEY_DIGEST')
  const reportId = reader.take(32, 'REPORT_ID')
  const migrationReportId = reader.take(32, 'REPORT_ID_MA')
  const reportedTcb = reader.take(8, 'REPORTED_TCB')
  const cpuid = version >= 3 ? readCpuid(reader) : null
  mustBeZero(version >= 3 ? 21 : 24, 'reserved after REPORTED_TCB')
  const chipId = reader.take(64, 'CHIP_ID')
  const committedTcb = reader.take(8, 'COMMITTED_TCB')
  const currentFirmware = readFirmware(reader, 'CURRENT_VERSION')
  mustBeZero(1, 'reserved after CURRENT_VERSION')
  const committedFirmware = readFirmware(reader, 'COMMITTED_VERSION')
  mustBeZero(1, 'reserved after COMMITTED_VERSION')
  const launchTcb = reader.take(8, 'LAUNCH_TCB')
  if (version >= 5) reader.take(16, 'mitigation vectors')
  mustBeZero(snpSignedLength - reader.offset, 'reserved before the signature')
  const r = reader.take(48, 'R')
  mustBeZero(24, 'reserved after R')
  const s = reader.take(48, 'S')
  mustBeZero(24, 'reserved after S')
  mustBeZero(reader.remaining, 'reserved after the signature')
  reader.end()

  const signingKey = signingKeys[(keyInfo >> 2) & 7] ?? 'reserved'
  if (!isGuestPolicyWellFormed(policy)) set.push('POLICY')
  if (!isPlatformInfoWellFormed(platformInfo)) set.push('PLATFORM_INFO')
  if (keyInfo >> 5 !== 0 || signingKey === 'reserved') set.push('KEY_INFO')
  // FFFFFFFFh is a report that the host asked for, about a guest that did not.
  if (vmpl > 3) set.push('VMPL')

  return Object.freeze({
    version,
    guestSvn,
    policy,
    familyId,
    imageId,
    vmpl,
    platformInfo,
    authorKeyEnabled: (keyInfo & 1) !== 0,
    chipKeyMasked: (keyInfo & 2) !== 0,
    signingKey,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportId,
    migrationReportId,
    currentTcb,
    reportedTcb,
    committedTcb,
    launchTcb,
    cpuid,
    chipId,
    currentFirmware,
    committedFirmware,
    signed: bytes.subarray(0, snpSignedLength),
    signature: concatBytes(r.toReversed(), s.toReversed()),
    reservedFieldsSet: set,
  })
}

/**
 * Refuses reserved fields that are set: what firmware means by them is not known here.
 * @throws AttestationError `MALFORMED`.
 */
export function checkReserved({ reservedFieldsSet }: SnpReport): void {
  const [field] = reservedFieldsSet
  if (field !== undefined) throw malformed(field, 'it holds a value that has no meaning in this version')
}

function readCpuid(reader: ByteReader): SnpReport['cpuid'] {
  const family = reader.uintLe(1, 'CPUID_FAM_ID')
  const model = reader.uintLe(1, 'CPUID_MOD_ID')
  return { family, model, stepping: reader.uintLe(1, 'CPUID_STEP') }
}

function readFirmware(reader: ByteReader, field: string): string {
  const [build, minor, major] = reader.take(3, field)
  return [major, minor, build].join('.')
}

function malformed(field: string, why: string): AttestationError {
  return new AttestationError('MALFORMED', `SNP report: ${field}: ${why}`, { stage: 'parse', field })
}
