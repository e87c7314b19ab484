/**
 * What AMD certifies of a key that signs reports (AMD 57230): a VCEK belongs to one chip, a VLEK to one cloud provider, each
 * to one TCB. Read from the certificate's own extensions; whether AMD signed them is authenticate.ts's.
 */
import { fromUtf8, CodedError } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import { derTag, readDer } from '../der/der-reader.js'
import type { Certificate } from '../x509/certificate.js'
import { generationOfName, type Generation } from './generations.js'
import { tcbComponents, type Tcb, type TcbComponent } from './tcb.js'

/** A certificate of a signing key, read and not verified. */
export interface Endorsement {
  readonly kind: 'VCEK' | 'VLEK'
  /** Of the authority that its issuer's name stands for. */
  readonly generation: Generation
  /** Of the product that it names itself; undefined for one that is not known here. */
  readonly product: Generation | undefined
  readonly tcb: Tcb
  /** 64 bytes, 8 on Turin; null in a VLEK. */
  readonly hardwareId: Uint8Array | null
  /** The provider's id; null in a VCEK. */
  readonly provider: string | null
}

const prefix = '1.3.6.1.4.1.3704.1'
const splOf: Readonly<Record<TcbComponent, string>> = {
  bootloader: `${prefix}.3.1`,
  tee: `${prefix}.3.2`,
  snp: `${prefix}.3.3`,
  spl4: `${prefix}.3.4`,
  spl5: `${prefix}.3.5`,
  spl6: `${prefix}.3.6`,
  spl7: `${prefix}.3.7`,
  microcode: `${prefix}.3.8`,
  fmc: `${prefix}.3.9`,
}
const productName = `${prefix}.2`
const hardwareId = `${prefix}.4`
const providerId = `${prefix}.5`
const needed: readonly TcbComponent[] = ['bootloader', 'tee', 'snp', 'microcode']
const issuerName = /^SEV-(VLEK-)?([A-Za-z]+)$/

/**
 * Reads what a certificate says of its key.
 * @throws AttestationError `MALFORMED`, `CHAIN_UNTRUSTED` for an issuer that is none of AMD's, `WRONG_TYPE`.
 */
export function parseEndorsement(certificate: Certificate): Endorsement {
  const { commonName } = certificate.issuer
  const [, vlek, name = ''] = issuerName.exec(commonName ?? '') ?? []
  const generation = generationOfName(name)
  if (generation === undefined)
    throw new AttestationError(
      'CHAIN_UNTRUSTED',
      `the report's certificate is issued by ${commonName ?? 'nobody by name'}; expected SEV-Milan, SEV-VLEK-Milan or their like`,
      { stage: 'authenticate', field: 'issuer' },
    )
  const kind = vlek === undefined ? 'VCEK' : 'VLEK'
  const chip = certificate.extensions.get(hardwareId)
  const csp = certificate.extensions.get(providerId)
  if ((kind === 'VCEK') !== (chip !== undefined) || (kind === 'VLEK') !== (csp !== undefined))
    throw new AttestationError(
      'WRONG_TYPE',
      `a certificate of ${commonName ?? 'AMD'} is a ${kind}; its chip id and provider id say otherwise`,
      { stage: 'parse', field: kind },
    )
  return {
    kind,
    generation,
    product: generationOfName(parseProduct(certificate)),
    tcb: parseTcb(certificate, generation),
    hardwareId: chip === undefined ? null : parseHardwareId(chip.value, generation),
    provider: csp === undefined ? null : parseText(csp.value, 'CSP id'),
  }
}

// "Milan-B0": the stepping is AMD's affair.
function parseProduct({ extensions }: Certificate): string {
  const extension = extensions.get(productName)
  if (extension === undefined) throw malformed('product name', 'it is missing')
  return parseText(extension.value, 'product name').split('-')[0] ?? ''
}

function parseTcb({ extensions }: Certificate, generation: Generation): Tcb {
  const read = (component: TcbComponent): number => {
    const extension = extensions.get(splOf[component])
    if (extension === undefined) {
      if (needed.includes(component) || (component === 'fmc' && generation === 'turin'))
        throw malformed(component, 'its security version is missing')
      return 0
    }
    const reader = readDer(extension.value, 'endorsement')
    const version = reader.smallInteger(component)
    reader.end(component)
    if (version > 255) throw malformed(component, `its security version is ${version}; expected at most 255`)
    return version
  }
  return Object.fromEntries(tcbComponents.map((component) => [component, read(component)])) as unknown as Tcb
}

// AMD writes the id bare; some generators wrap it into an OCTET STRING.
function parseHardwareId(value: Uint8Array, generation: Generation): Uint8Array {
  const wrapped = value[0] === derTag.octetString && value[1] === value.length - 2
  const id = wrapped && value.length !== 64 && value.length !== 8 ? value.subarray(2) : value
  if (id.length === 64 || (generation === 'turin' && id.length === 8)) return id
  throw malformed('hwID', `it has ${id.length} bytes; expected ${generation === 'turin' ? '8' : '64'}`)
}

function parseText(value: Uint8Array, field: string): string {
  const reader = readDer(value, 'endorsement')
  const element = reader.any(field)
  reader.end(field)
  const { tag, content } = element
  if (![derTag.ia5String, derTag.utf8String, derTag.printableString].some((known) => known === tag))
    throw malformed(field, 'it is no text')
  try {
    return fromUtf8(content)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(field, 'it is no text', cause)
  }
}

function malformed(field: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `certificate of the report's key: ${field}: ${why}`, {
    stage: 'parse',
    field,
    cause,
  })
}
