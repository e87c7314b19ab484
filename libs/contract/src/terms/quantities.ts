/** Numbers, dates, digests and keys of a contract. One spelling each, so that equal terms are equal bytes. */
import { z } from 'zod'

export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/)

/** RFC 7638 thumbprint; the last of 43 characters carries four bits, so two of its bits are zero. */
export const thumbprintSchema = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)

/** 32 bytes in unpadded base64url. */
export const secretSchema = thumbprintSchema

export const countSchema = z.int().min(0)
export const positiveSchema = z.int().min(1)

const canonicalDecimal = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{0,29}[1-9])?$/
const anyDecimal = /^[+-]?\d{1,30}(?:\.\d{1,30})?$/

/** The one spelling of a decimal number: no exponent, no sign but minus, no zeros that say nothing; null if it is none. */
export function canonicalDecimalOf(text: string): string | null {
  if (!anyDecimal.test(text)) return null
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.')
  const digits = whole.replace(/^0+(?=\d)/, '')
  const rest = fraction.replace(/0+$/, '')
  const magnitude = rest === '' ? digits : `${digits}.${rest}`
  const decimal = text.startsWith('-') && magnitude !== '0' ? `-${magnitude}` : magnitude
  return canonicalDecimal.test(decimal) ? decimal : null
}

/** -1, 0 or 1 as `a` is less than, equal to or greater than `b`; exact, both as {@link canonicalDecimalOf} writes them. */
export function compareDecimals(a: string, b: string): number {
  const [scaledA, scaledB] = [scaled(a), scaled(b)]
  return scaledA < scaledB ? -1 : scaledA > scaledB ? 1 : 0
}

function scaled(decimal: string): bigint {
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.')
  const magnitude = BigInt(whole + fraction.padEnd(30, '0'))
  return decimal.startsWith('-') ? -magnitude : magnitude
}

/**
 * A number with a point, as a YAML text writes it. Only fields that take decimals take it: elsewhere `550.90` without quotes
 * would lose its zero in silence.
 */
export class WrittenDecimal {
  constructor(readonly source: string) {}
}

/** A number that need not be whole: a decimal string in the canonical form; authors may write a YAML number. */
export const decimalSchema = z
  .union([z.int(), z.string(), z.instanceof(WrittenDecimal)])
  .transform((value, context) => {
    const decimal = canonicalDecimalOf(value instanceof WrittenDecimal ? value.source : String(value))
    if (decimal !== null) return decimal
    context.addIssue({ code: 'custom', message: 'not a decimal number' })
    return z.NEVER
  })

export const positiveDecimalSchema = decimalSchema.refine((decimal) => compareDecimals(decimal, '0') > 0)

/** A day, `2026-11-01`. */
export const dateSchema = z.string().refine((text) => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00.000Z`)
  return Number.isFinite(time) && new Date(time).toISOString().startsWith(text)
})

/** An instant, `2026-11-01T09:30:00.000Z`. */
export const timestampSchema = z.string().refine((text) => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text)) return false
  const time = Date.parse(text)
  return Number.isFinite(time) && new Date(time).toISOString() === text
})

/** Milliseconds of the first instant of a day, UTC. */
export function startOfDay(date: string): number {
  return Date.parse(`${date}T00:00:00.000Z`)
}

/** Milliseconds of the last instant of a day, UTC. */
export function endOfDay(date: string): number {
  return Date.parse(`${date}T23:59:59.999Z`)
}
