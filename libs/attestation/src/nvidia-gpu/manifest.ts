/**
 * Reference integrity manifests of NVIDIA: signed SWID tags (ISO/IEC 19770-2, TCG RIM information model) with the golden
 * measurements of one driver or one VBIOS. Guards signature and chain to a pinned root. Says nothing about whether it is the
 * manifest of the device at hand.
 */
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { verifyChain } from '../x509/chain.node.js'
import { parseEnvelopedSignature, verifyEnvelopedSignature } from '../xml/enveloped-signature.js'
import { attributeOf, elementsOf, onlyChild } from '../xml/xml-query.js'
import { parseXml, type XmlElement } from '../xml/xml-reader.js'

/** Whose manifests are believed, and when. */
export interface ManifestTrust {
  /** In milliseconds. */
  readonly at: number
  /** SHA-256 fingerprints. */
  readonly manifestRoots: readonly string[]
}

/** One measurement that counts, with the values that are good. */
export interface GoldenValue {
  /** From 0; SPDM block `index + 1`. */
  readonly index: number
  /** SHA-384 in hexadecimal: any one of them. */
  readonly alternatives: readonly string[]
}

declare const authentic: unique symbol

/** A manifest that NVIDIA signed. */
export interface AuthenticManifest {
  readonly [authentic]: true
  readonly subject: 'driver' | 'vbios'
  readonly tagId: string
  /** Of the driver, as `550.144.03`, or of the VBIOS, as `96.00.5E.00.01`. */
  readonly version: string
  /** Active measurements only, by index. */
  readonly golden: ReadonlyMap<number, GoldenValue>
  /** When the signer's certificate is valid, in milliseconds. */
  readonly signerValidity: { readonly from: number; readonly until: number }
}

const algorithms = ['ecdsa-sha384'] as const
const swid = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd'
const sha384 = 'http://www.w3.org/2001/04/xmlenc#sha384'
const hashLength = 48
const maximumIndex = 254

/**
 * Authenticates a manifest.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`, `WRONG_TYPE`, `ALGORITHM`, `CHAIN_UNTRUSTED`, `NOT_YET_VALID`,
 * `EXPIRED`, `SIGNATURE_INVALID`.
 */
export function authenticateManifest(bytes: Uint8Array, trust: ManifestTrust): AuthenticManifest {
  const root = parseXml(bytes, 'RIM')
  if (root.namespace !== swid || root.local !== 'SoftwareIdentity')
    throw refused('WRONG_TYPE', root.local, 'it is no SWID tag')
  const signature = parseEnvelopedSignature(root)
  const [signer, ...issuers] = signature.certificates
  verifyChain(signer, issuers, {
    at: trust.at,
    roots: trust.manifestRoots,
    algorithms,
    what: 'RIM signer',
  })
  if (
    signer.basicConstraints.isAuthority ||
    !(signer.keyUsage ?? ['digitalSignature']).includes('digitalSignature')
  )
    throw refused('CHAIN_UNTRUSTED', 'X509Data', 'its first certificate may not sign manifests')
  verifyEnvelopedSignature(root, signature)

  const version = attributeOf(onlyChild(root, swid, 'Meta'), 'colloquialVersion')
  const tagId = attributeOf(root, 'tagId')
  if (version === null || tagId === null)
    throw refused('MALFORMED', 'Meta', 'it has no version, or no tag id')
  const manifest: Omit<AuthenticManifest, typeof authentic> = {
    subject: subjectOf(version),
    tagId,
    version,
    golden: goldenValues(onlyChild(root, swid, 'Payload')),
    signerValidity: signer.validity,
  }
  return Object.freeze(manifest) as AuthenticManifest
}

// A VBIOS version is five bytes in hexadecimal, a driver's two or three decimal numbers.
function subjectOf(version: string): AuthenticManifest['subject'] {
  if (/^[0-9A-Fa-f]{2}(?:\.[0-9A-Fa-f]{2}){4}$/.test(version)) return 'vbios'
  if (/^\d+(?:\.\d+){1,2}$/.test(version)) return 'driver'
  throw refused('WRONG_TYPE', 'colloquialVersion', 'the version is of no driver and no VBIOS')
}

function goldenValues(payload: XmlElement): ReadonlyMap<number, GoldenValue> {
  const golden = new Map<number, GoldenValue>()
  const seen = new Set<number>()
  for (const resource of elementsOf(payload)) {
    if (
      resource.namespace !== swid ||
      resource.local !== 'Resource' ||
      attributeOf(resource, 'type') !== 'Measurement'
    )
      throw refused('MALFORMED', resource.local, 'the payload holds something else than measurements')
    const index = numberOf(resource, 'index')
    if (index > maximumIndex || seen.has(index))
      throw refused('MALFORMED', 'index', `${index} is too large, or twice`)
    seen.add(index)
    const active = attributeOf(resource, 'active')
    if (active !== 'True' && active !== 'False')
      throw refused('MALFORMED', 'active', 'neither True nor False')
    if (active === 'True') golden.set(index, { index, alternatives: alternativesOf(resource, index) })
  }
  return golden
}

function alternativesOf(resource: XmlElement, index: number): readonly string[] {
  const count = numberOf(resource, 'alternatives')
  const hashes = resource.attributes.filter(
    ({ namespace, local }) => namespace === sha384 && local.startsWith('Hash'),
  )
  if (count === 0 || hashes.length !== count || numberOf(resource, 'size') !== hashLength)
    throw refused('MALFORMED', `Resource ${index}`, 'its hashes are not as many or as long as it says')
  return Array.from({ length: count }, (_, at) => {
    const hash = attributeOf(resource, `Hash${at}`, sha384)?.toLowerCase()
    if (hash?.length !== 2 * hashLength || !/^[0-9a-f]*$/.test(hash))
      throw refused('MALFORMED', `Resource ${index}`, `Hash${at} is no SHA-384`)
    return hash
  })
}

function numberOf(resource: XmlElement, name: string): number {
  const text = attributeOf(resource, name)
  if (text === null || !/^\d{1,4}$/.test(text)) throw refused('MALFORMED', name, 'it is no number')
  return Number(text)
}

function refused(code: AttestationErrorCode, field: string, why: string): AttestationError {
  return new AttestationError(code, `RIM: ${field}: ${why}`, { stage: 'authenticate', field })
}
