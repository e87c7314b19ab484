/** The forms in which tools hand over evidence of GPUs. Nothing in them is trusted, a nonce beside a report least of all. */
import { CodedError, fromBase64, fromHex, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { expectArray, expectObject, expectText, memberOf, parseForeignJson } from '../json/foreign-json.js'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificates } from '../x509/pem.js'

/** The report of one GPU, and the certificates that vouch for its key. */
export interface GpuElement {
  /** SPDM request and response. */
  readonly report: Uint8Array
  /** Leaf first. */
  readonly chain: readonly [leaf: Certificate, ...Certificate[]]
}

/** What holds the elements of a JSON form: the file itself, or a member of it. */
const containers = {
  'nvsdk-json': null,
  'evidences-json': 'evidences',
  'nras-request-json': 'evidence_list',
} as const

/** A JSON form: of NVIDIA's SDK, of an enclave's own answer, of a request to NVIDIA's service. */
export type GpuJsonFormat = keyof typeof containers

const what = 'GPU evidence'
const maximumGpus = 64

/**
 * Reads evidence in a JSON form.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseGpuJson(bytes: Uint8Array, format: GpuJsonFormat): readonly GpuElement[] {
  const file = parseForeignJson(bytes, what)
  const container = containers[format]
  const list = container === null ? file : memberOf(expectObject(file, what), container)
  const elements = expectArray(list, what)
  if (elements.length === 0 || elements.length > maximumGpus)
    throw malformed(`it has ${elements.length} elements; expected 1 to ${maximumGpus}`)
  return elements.map((value, index) => {
    const name = `${what} ${index}`
    const element = expectObject(value, name)
    const report = decode(fromBase64, memberOf(element, 'evidence'), `${name}: evidence`)
    const certificate = decode(fromBase64, memberOf(element, 'certificate'), `${name}: certificate`)
    return { report, chain: parseGpuChain(certificate) }
  })
}

/**
 * Reads one report in hexadecimal, with its chain in PEM.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseGpuHex(report: Uint8Array, chain: Uint8Array): readonly GpuElement[] {
  let text
  try {
    text = fromUtf8(report).trim().toLowerCase()
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed('it is not text', cause)
  }
  return [{ report: decode(fromHex, text, `${what}: report`), chain: parseGpuChain(chain) }]
}

// The driver copies the chain into a buffer of its own size and hands out the zeros after it as well.
function parseGpuChain(bytes: Uint8Array): GpuElement['chain'] {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  const [leaf, ...issuers] = parseCertificates(bytes.subarray(0, end), 'GPU certificate chain')
  if (leaf === undefined) throw malformed('it has no certificate')
  return [leaf, ...issuers]
}

function decode(from: (text: string) => Uint8Array, value: unknown, field: string): Uint8Array {
  const text = expectText(value, field)
  try {
    return from(text)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(`${field} is in another encoding than expected`, cause)
  }
}

function malformed(why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: ${why}`, { stage: 'parse', field: what, cause })
}
