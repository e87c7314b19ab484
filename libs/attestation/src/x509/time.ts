/** Times of certificates and revocation lists (RFC 5280 §4.1.2.5): UTC, to the second, only instants that exist. */
import { AttestationError } from '../errors.js'
import { derTag, type DerReader } from '../der/der-reader.js'

/**
 * Reads a UTCTime or GeneralizedTime, in milliseconds.
 * @throws AttestationError `MALFORMED`.
 */
export function parseDerTime(reader: DerReader, field: string): number {
  const short = reader.nextTag === derTag.utcTime
  const { content } = short ? reader.any(field) : reader.next(derTag.generalizedTime, field)
  const text = String.fromCharCode(...content.subarray(0, 20))
  if (!(short ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw notATime(field)
  // A year of two digits is 1950 to 2049.
  const digits = short ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const [year, month, day, hour, minute, second] = [
    digits.slice(0, 4),
    ...Array.from({ length: 5 }, (_, i) => digits.slice(4 + 2 * i, 6 + 2 * i)),
  ]
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = Date.parse(iso)
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) throw notATime(field)
  return time
}

/** The reader's next element is a time. */
export function isTime(reader: DerReader): boolean {
  return reader.nextTag === derTag.utcTime || reader.nextTag === derTag.generalizedTime
}

/**
 * Checks that `at` lies within a period, its ends included.
 * @throws AttestationError `NOT_YET_VALID`, `EXPIRED`.
 */
export function checkPeriod(
  what: string,
  period: { readonly from: number; readonly until: number },
  at: number,
): void {
  if (!Number.isFinite(at)) throw new RangeError('the time of a verdict is no time')
  const options = { stage: 'authenticate', field: 'validity' } as const
  if (at < period.from)
    throw new AttestationError(
      'NOT_YET_VALID',
      `${what} is valid from ${text(period.from)}; judged at ${text(at)}`,
      options,
    )
  if (at > period.until)
    throw new AttestationError(
      'EXPIRED',
      `${what} was valid until ${text(period.until)}; judged at ${text(at)}`,
      options,
    )
}

function text(time: number): string {
  return new Date(time).toISOString()
}

function notATime(field: string): AttestationError {
  return new AttestationError('MALFORMED', `${field} is not a time of a certificate`, {
    stage: 'parse',
    field,
  })
}
