/**
 * Enveloped XML signatures (W3C XML Signature 1.1) of one shape: one reference to the whole document, Canonical XML 1.1,
 * SHA-384, ECDSA on P-384. Every other shape is refused, so that what is read afterwards is exactly what was signed.
 */
import { CodedError, equalBytes, fromBase64, fromHex } from '#libs/canonical'
import { AttestationError, type AttestationErrorCode } from '../errors.js'
import { parseCertificate, type Certificate } from '../x509/certificate.js'
import { hashHex, isRawEcdsa } from '../x509/signature.node.js'
import { canonicalXml } from './canonical-xml.js'
import { attributeOf, childrenOf, elementsOf, onlyChild, textOf } from './xml-query.js'
import type { XmlElement } from './xml-reader.js'

const dsig = 'http://www.w3.org/2000/09/xmldsig#'
const c14n11 = 'http://www.w3.org/2006/12/xml-c14n11'
const enveloped = `${dsig}enveloped-signature`
const ecdsaSha384 = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384'
const sha384 = 'http://www.w3.org/2001/04/xmldsig-more#sha384'
const maximumCertificates = 8

/** The certificates that a signature carries, in its order. Nobody has vouched for them yet. */
export type SignatureCertificates = readonly [signer: Certificate, ...Certificate[]]

/** A signature as it stands in a document. */
export interface EnvelopedSignature {
  readonly element: XmlElement
  readonly certificates: SignatureCertificates
}

/**
 * Finds the signature, directly below the document's element, and the certificates in it.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseEnvelopedSignature(root: XmlElement): EnvelopedSignature {
  const element = onlyChild(root, dsig, 'Signature')
  const x509 = onlyChild(onlyChild(element, dsig, 'KeyInfo'), dsig, 'X509Data')
  const [signer, ...others] = childrenOf(x509, dsig, 'X509Certificate').map((certificate) =>
    parseCertificate(base64(certificate), 'certificate of an XML signature'),
  )
  if (signer === undefined || others.length >= maximumCertificates)
    throw refused('MALFORMED', 'X509Data', `it has not 1 to ${maximumCertificates} certificates`)
  return { element, certificates: [signer, ...others] }
}

/**
 * Checks that the signer's key signed the whole document but for the signature.
 * @throws AttestationError `MALFORMED`, `ALGORITHM`, `SIGNATURE_INVALID`.
 */
export function verifyEnvelopedSignature(root: XmlElement, signature: EnvelopedSignature): void {
  const { element, certificates } = signature
  const info = onlyChild(element, dsig, 'SignedInfo')
  expectAlgorithm(onlyChild(info, dsig, 'CanonicalizationMethod'), c14n11)
  expectAlgorithm(onlyChild(info, dsig, 'SignatureMethod'), ecdsaSha384)
  const reference = onlyChild(info, dsig, 'Reference')
  if (attributeOf(reference, 'URI') !== '')
    throw refused('MALFORMED', 'Reference', 'it is not to the whole document')
  const transforms = elementsOf(onlyChild(reference, dsig, 'Transforms'))
  if (transforms.length !== 2) throw refused('ALGORITHM', 'Transforms', `${transforms.length}; expected 2`)
  for (const [at, algorithm] of [enveloped, c14n11].entries()) expectAlgorithm(transforms[at], algorithm)
  expectAlgorithm(onlyChild(reference, dsig, 'DigestMethod'), sha384)

  const digest = fromHex(hashHex('sha384', canonicalXml({ path: [root], without: element })))
  if (!equalBytes(digest, base64(onlyChild(reference, dsig, 'DigestValue'))))
    throw refused('SIGNATURE_INVALID', 'DigestValue', 'the document was changed after it was signed')
  const signed = canonicalXml({ path: [root, element, info] })
  const value = base64(onlyChild(element, dsig, 'SignatureValue'))
  const p384 = { curve: 'P-384', hash: 'sha384' } as const
  if (!isRawEcdsa({ signed, signature: value }, certificates[0].publicKey, p384, 'XML signature'))
    throw refused('SIGNATURE_INVALID', 'SignatureValue', "the signer's key did not make it")
}

function expectAlgorithm(element: XmlElement | undefined, expected: string): void {
  const seen = element === undefined ? null : attributeOf(element, 'Algorithm')
  if (element === undefined || seen !== expected || elementsOf(element).length > 0)
    throw refused(
      'ALGORITHM',
      element?.local ?? 'Transform',
      `it is ${seen ?? 'absent'}; expected ${expected}`,
    )
}

function base64(element: XmlElement): Uint8Array {
  try {
    return fromBase64(textOf(element).replace(/[ \t\n\r]/g, ''))
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw refused('MALFORMED', element.local, 'it is not base64', cause)
  }
}

function refused(code: AttestationErrorCode, field: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError(code, `XML signature: ${field}: ${why}`, {
    stage: 'authenticate',
    field,
    cause,
  })
}
