/**
 * PCK certificates: which platform, at which TCB, holds the key (Intel SGX PCK certificate and CRL profile
 * §1.3.5). Says nothing about whether Intel issued one: see chains.node.ts.
 */
import { toHex } from '#libs/canonical'
import { parseDer, type DerReader } from '../der/der-reader.js'
import type { Certificate } from '../x509/certificate.js'
import { refusal } from './refusal.js'

/** The platform that a PCK certificate is for. */
export interface PckPlatform {
  /** Tells one platform from all others: 16 bytes in hexadecimal; null where the certificate leaves it out. */
  readonly ppid: string | null
  /** Family, model, stepping, platform type and custom SKU: 6 bytes in hexadecimal. */
  readonly fmspc: string
  /** Provisioning certification enclave: 2 bytes in hexadecimal. */
  readonly pceId: string
  /** 16 SVNs. */
  readonly components: readonly number[]
  readonly pceSvn: number
}

const sgxExtensions = '1.2.840.113741.1.13.1'
const ppid = `${sgxExtensions}.1`
const tcb = `${sgxExtensions}.2`
const pceId = `${sgxExtensions}.3`
const fmspc = `${sgxExtensions}.4`
const pceSvn = `${tcb}.17`

/**
 * Reads the platform out of a PCK certificate.
 * @throws AttestationError `CHAIN_UNTRUSTED` where it is none; `MALFORMED`.
 */
export function parsePckPlatform(certificate: Certificate): PckPlatform {
  const extension = certificate.extensions.get(sgxExtensions)
  if (extension === undefined)
    throw refusal('CHAIN_UNTRUSTED', 'PCK certificate', 'it names no SGX platform: it is no PCK certificate')
  const fields = parseFields(parseDer(extension.value, 'SGX extensions'))
  const levels = parseFields(found(fields, tcb).nested('TCB'))
  return {
    ppid: fields.has(ppid) ? octets(fields, ppid, 16) : null,
    fmspc: octets(fields, fmspc, 6),
    pceId: octets(fields, pceId, 2),
    components: Array.from({ length: 16 }, (_, n) => svn(levels, `${tcb}.${n + 1}`, 255)),
    pceSvn: svn(levels, pceSvn, 65_535),
  }
}

type Fields = ReadonlyMap<string, DerReader>

// Each reader stands before the value of its field.
function parseFields(list: DerReader): Fields {
  const fields = new Map<string, DerReader>()
  while (!list.atEnd) {
    const field = list.nested('SGX extension')
    const id = field.objectIdentifier('SGX extension')
    if (fields.has(id)) throw refusal('MALFORMED', 'PCK certificate', `it has ${id} twice`, 'parse')
    fields.set(id, field)
  }
  return fields
}

function found(fields: Fields, id: string): DerReader {
  const field = fields.get(id)
  if (field === undefined) throw refusal('MALFORMED', 'PCK certificate', `it has no ${id}`, 'parse')
  return field
}

function octets(fields: Fields, id: string, length: number): string {
  const field = found(fields, id)
  const value = field.octetString(id)
  field.end(id)
  if (value.length !== length)
    throw refusal(
      'MALFORMED',
      'PCK certificate',
      `${id} has ${value.length} bytes; expected ${length}`,
      'parse',
    )
  return toHex(value)
}

function svn(fields: Fields, id: string, maximum: number): number {
  const field = found(fields, id)
  const value = field.smallInteger(id)
  field.end(id)
  if (value > maximum)
    throw refusal('MALFORMED', 'PCK certificate', `${id} is ${value}; at most ${maximum}`, 'parse')
  return value
}
