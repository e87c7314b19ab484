/** Which kind of evidence a file holds, told from its bytes alone. A guess for people who look: nothing is believed on it. */
import { CodedError, fromHex, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { readAzureFiles } from '../az-vtpm/evidence-forms.js'
import { hardwareOfHcl } from '../az-vtpm/hcl-report.js'
import { confidentialSpaceIssuer } from '../gcp-cs/production.js'
import { isForeignObject, parseForeignJson, textIn } from '../json/foreign-json.js'
import { hardwareOf } from '../maa/levels.js'
import { snpReportLength } from '../sev-snp/report.js'
import { parseCompactToken } from '../token/compact-token.js'

/** What can be looked at, whether or not a release can rest on it. */
export const inspectedKinds = [
  'sev-snp',
  'tdx',
  'sgx',
  'hcl-report',
  'az-snp-vtpm',
  'az-tdx-vtpm',
  'nitro',
  'nvidia-gpu',
  'nras',
  'maa-snp',
  'maa-tdx',
  'gcp-cs',
  'token',
] as const

/** One of {@link inspectedKinds}. */
export type InspectedKind = (typeof inspectedKinds)[number]

/** A file's bytes in their raw form with the kind that they look like. */
export interface DetectedEvidence {
  readonly kind: InspectedKind
  /** Hexadecimal text is decoded. */
  readonly bytes: Uint8Array
}

/** Larger files are refused before anything is read from them. */
export const maximumInspectedBytes = 4_194_304

/**
 * Tells the kind.
 * @throws AttestationError `EVIDENCE_TOO_LARGE`; `MALFORMED` where it looks like none.
 */
export function detectEvidence(bytes: Uint8Array): DetectedEvidence {
  if (bytes.length > maximumInspectedBytes)
    throw new AttestationError(
      'EVIDENCE_TOO_LARGE',
      `the evidence has ${bytes.length} bytes; expected at most ${maximumInspectedBytes}`,
      { stage: 'parse', field: 'length' },
    )
  const raw = kindOfBytes(bytes)
  if (raw !== undefined) return { kind: raw, bytes }
  const decoded = fromHexText(bytes)
  const inside = decoded === undefined ? undefined : kindOfBytes(decoded)
  if (decoded !== undefined && inside !== undefined) return { kind: inside, bytes: decoded }
  const text = kindOfText(bytes)
  if (text === 'token') return kindOfToken(withoutSpaceAround(bytes))
  if (text !== undefined) return { kind: text, bytes }
  throw new AttestationError(
    'MALFORMED',
    `the bytes look like no evidence known here (${inspectedKinds.join(', ')}); name the kind with --kind`,
    { stage: 'parse', field: 'kind' },
  )
}

function kindOfBytes(bytes: Uint8Array): InspectedKind | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = bytes
  if (bytes.length === snpReportLength && a >= 2 && a <= 5 && b === 0) return 'sev-snp'
  if (String.fromCharCode(a, b, c, d) === 'HCLA') return 'hcl-report'
  // A quote's version, then the type of its key; the type of TEE stands behind.
  if (a >= 3 && a <= 5 && b === 0 && c === 2 && d === 0 && bytes.length > 48)
    return bytes[4] === 0x81 ? 'tdx' : 'sgx'
  if (a === 0x11 && b === 0xe0) return 'nvidia-gpu'
  // COSE_Sign1 with its tag, or the bare array of four.
  if ((a === 0xd2 && b === 0x84) || (a === 0x84 && b >= 0x40 && b <= 0x5b)) return 'nitro'
  return undefined
}

function fromHexText(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return fromHex(fromUtf8(bytes).trim().replace(/^0x/i, '').toLowerCase())
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function kindOfText(bytes: Uint8Array): InspectedKind | undefined {
  const first = bytes.find((byte) => byte > 0x20)
  // Every compact token begins so: base64url of an object's brace and quote.
  if (first === 0x65) return 'token'
  if (first !== 0x7b && first !== 0x5b) return undefined
  const json = parseForeignJson(bytes, 'evidence')
  if (Array.isArray(json)) return Array.isArray(json[0]) ? 'nras' : 'nvidia-gpu'
  if (!isForeignObject(json)) return undefined
  if (['evidences', 'evidence_list'].some((name) => Object.hasOwn(json, name))) return 'nvidia-gpu'
  const names = ['hcl_report', 'report', 'tpm_quote', 'platform']
  if (!names.some((name) => Object.hasOwn(json, name))) return undefined
  return hardwareOfHcl(readAzureFiles({ evidenceJson: bytes }).hcl) === 'tdx' ? 'az-tdx-vtpm' : 'az-snp-vtpm'
}

function kindOfToken(bytes: Uint8Array): DetectedEvidence {
  const { unverifiedClaims: claims } = parseCompactToken(fromUtf8(bytes), 'token')
  if (textIn(claims, 'iss') === confidentialSpaceIssuer) return { kind: 'gcp-cs', bytes }
  const { tee } = hardwareOf(claims)
  if (tee === null) return { kind: 'token', bytes }
  return { kind: tee === 'sevsnpvm' ? 'maa-snp' : 'maa-tdx', bytes }
}

// A token is one line; files of one end with a line break.
function withoutSpaceAround(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(
    bytes.findIndex((byte) => byte > 0x20),
    bytes.findLastIndex((byte) => byte > 0x20) + 1,
  )
}
