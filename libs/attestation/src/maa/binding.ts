/**
 * What ties a token of Microsoft Azure Attestation to an Offer. The hardware's own token holds what the guest wrote into its runtime data, of which
 * the service compared the hash with the hardware's report data; the guest's own token holds the nonce that the guest's client gave.
 */
import { CodedError, fromBase64, fromHex, fromUtf8 } from '#libs/canonical'
import { AttestationError } from '../errors.js'
import type { Carriage } from '../evidence.js'
import { objectIn, textIn, type ForeignObject } from '../json/foreign-json.js'
import { hardwareOf, isGuestToken } from './levels.js'

/** Report data as a token carries it. */
export interface CarriedReportData {
  readonly reportData: Uint8Array
  readonly carriage: Carriage
}

/**
 * Reads `user-data` of the hardware's level, 64 bytes in hexadecimal; of a guest's token `client-payload.nonce` of its own level, the base64 of a
 * nonce of 32 bytes in hexadecimal, as the service's client encodes what it is given.
 * @throws AttestationError `BINDING_MISMATCH` where there is none.
 */
export function carriedReportData(token: ForeignObject): CarriedReportData {
  if (!isGuestToken(token)) {
    const runtime = objectIn(hardwareOf(token).claims, 'x-ms-runtime')
    return { reportData: bytesOf(textIn(runtime, 'user-data'), 64, 'user-data'), carriage: 'whole' }
  }
  const payload = objectIn(objectIn(token, 'x-ms-runtime'), 'client-payload')
  const nonce = decoded(textIn(payload, 'nonce'))
  return { reportData: bytesOf(nonce, 32, 'client-payload.nonce'), carriage: 'nonce' }
}

function decoded(base64: string | null): string | null {
  if (base64 === null) return null
  try {
    return fromUtf8(fromBase64(base64))
  } catch (error) {
    if (error instanceof CodedError) return null
    throw error
  }
}

function bytesOf(text: string | null, bytes: number, field: string): Uint8Array {
  if (text !== null && text.length === 2 * bytes && /^[0-9a-fA-F]*$/.test(text))
    return fromHex(text.toLowerCase())
  throw new AttestationError(
    'BINDING_MISMATCH',
    `MAA token: x-ms-runtime: ${field} holds no ${bytes} bytes in hexadecimal, so that nothing ties it to an Offer`,
    { stage: 'bind', field },
  )
}
