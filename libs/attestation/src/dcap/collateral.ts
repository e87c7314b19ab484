/**
 * What Intel publishes about a platform beside its quote: TCB information, the quoting enclave's identity,
 * revocation lists, and the chains of who signed them. Comes from anyone; authenticate.ts verifies it.
 */
import { z } from 'zod'
import { CodedError, fromHex, utf8 } from '#libs/canonical'
import type { Collateral } from '../evidence.js'
import { parseForeignJson } from '../json/foreign-json.js'
import { refusal } from './refusal.js'

/**
 * The names of the collateral of a quote: texts as signed, raw signatures r‖s, lists in DER, chains in PEM.
 */
export const dcapCollateralNames = [
  'tcb_info',
  'tcb_info_signature',
  'tcb_info_issuer_chain',
  'qe_identity',
  'qe_identity_signature',
  'qe_identity_issuer_chain',
  'root_ca_crl',
  'pck_crl',
  'pck_crl_issuer_chain',
] as const

/** One of {@link dcapCollateralNames}. */
export type DcapCollateralName = (typeof dcapCollateralNames)[number]

/** All of it, nothing empty. */
export type DcapCollateral = Readonly<Record<DcapCollateralName, Uint8Array>>

/**
 * All that a verdict needs, or none at all: what is missing could be what would have refused.
 * @throws AttestationError `COLLATERAL_MISSING`.
 */
export function completeCollateral(collateral: Collateral | null | undefined): DcapCollateral {
  const complete = dcapCollateralNames.map((name) => [name, present(collateral ?? {}, name)] as const)
  return Object.fromEntries(complete) as DcapCollateral
}

function present(collateral: Collateral, name: DcapCollateralName): Uint8Array {
  const bytes = Object.hasOwn(collateral, name) ? collateral[name] : undefined
  if (bytes === undefined || bytes.length === 0)
    throw refusal('COLLATERAL_MISSING', name, 'it did not come with the quote, or is empty; fetch it anew')
  return bytes
}

const maximumFileLength = 4_194_304
const inHex: readonly DcapCollateralName[] = [
  'tcb_info_signature',
  'qe_identity_signature',
  'root_ca_crl',
  'pck_crl',
]
const fileSchema = z.looseObject(
  Object.fromEntries(dcapCollateralNames.map((name) => [name, z.string().nullish()])),
)

/**
 * Reads the JSON file in which verifiers of quotes exchange collateral: signatures and lists in hexadecimal.
 * What is absent in the file is absent in the result.
 * @throws AttestationError `MALFORMED`.
 */
export function parseDcapCollateral(file: Uint8Array): Collateral {
  if (file.length > maximumFileLength)
    throw refusal('MALFORMED', 'collateral', `${file.length} bytes; at most ${maximumFileLength}`, 'parse')
  const result = fileSchema.safeParse(parseForeignJson(file, 'collateral'))
  if (!result.success)
    throw refusal('MALFORMED', 'collateral', 'not an object of texts', 'parse', result.error)
  const fields = dcapCollateralNames.flatMap((name) => {
    const text = result.data[name]
    return typeof text === 'string' ? [[name, bytesOf(name, text)] as const] : []
  })
  return Object.fromEntries(fields)
}

function bytesOf(name: DcapCollateralName, text: string): Uint8Array {
  if (!inHex.includes(name)) return utf8(text)
  try {
    return fromHex(text.toLowerCase())
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw refusal('MALFORMED', name, 'it is not hexadecimal', 'parse', cause)
  }
}
