/** Dates and timestamps between text and the database's counts of days and microseconds since 1970, without time zones. */

const dayMilliseconds = 86_400_000

/** `2025-01-31`; null for years before 1 and after 9999, which have no spelling that every reader agrees on. */
export function dateText(days: number): string | null {
  return calendarText(days * dayMilliseconds)?.slice(0, 10) ?? null
}

/** `2025-01-31 13:45:00`, with six decimals where there is a fraction. */
export function timestampText(micros: bigint): string | null {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const text = calendarText(Number((micros - fraction) / 1000n))
    ?.slice(0, 19)
    .replace('T', ' ')
  if (text === undefined) return null
  return fraction === 0n ? text : `${text}.${String(fraction).padStart(6, '0')}`
}

/** Days since 1970 of `2025-01-31`. */
export function dayNumber(text: string): number {
  return Date.parse(`${text}T00:00:00Z`) / dayMilliseconds
}

/** Microseconds since 1970 of `2025-01-31 13:45:00[.ffffff]`. */
export function microseconds(text: string): bigint {
  const [seconds = '', fraction = ''] = text.split('.')
  return (
    BigInt(Date.parse(`${seconds.replace(' ', 'T')}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
  )
}

const datePattern = /^\d{4}-\d{2}-\d{2}$/
const timestampPattern = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/

/** Whether this is a day of the calendar in our spelling. */
export function isDate(text: string): boolean {
  return datePattern.test(text) && dateText(dayNumber(text)) === text
}

/** Whether this is a point of time in our spelling. */
export function isTimestamp(text: string): boolean {
  return (
    timestampPattern.test(text) &&
    isDate(text.slice(0, 10)) &&
    !Number.isNaN(Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`))
  )
}

function calendarText(milliseconds: number): string | undefined {
  const date = new Date(milliseconds)
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999 ? date.toISOString() : undefined
}
