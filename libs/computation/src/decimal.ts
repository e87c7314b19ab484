/** Decimal numbers of any size, exactly: a whole number of units of ten to the minus `scale`. */
export interface Decimal {
  readonly units: bigint
  readonly scale: number
}

const spelling = /^(-?)(\d{1,400})(?:\.(\d{1,400}))?(?:e([+-]?\d{1,3}))?$/

/** The decimal of a text such as `-12.50` or `1e-7`; undefined where it is none. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = spelling.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const units = BigInt(sign + whole + fraction)
  const scale = fraction.length - Number(exponent)
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

/** The decimal that a finite number is written as: the shortest that reads back as the same number. */
export function decimalOf(value: number | string): Decimal {
  const decimal = parseDecimal(String(value))
  if (decimal === undefined) throw new RangeError('not a finite number')
  return decimal
}

/** Below zero, zero or above zero as `a` is less than, equal to or greater than `b`. */
export function compareDecimal(a: Decimal, b: Decimal): number {
  const [left, right] = align(a, b)
  return left < right ? -1 : left > right ? 1 : 0
}

/** The multiple of `step`, above zero, nearest to the value; of two as near, the one further from zero. */
export function roundToStep(value: Decimal, step: Decimal): Decimal {
  const [units, size] = align(value, step)
  const magnitude = units < 0n ? -units : units
  const multiples = (2n * magnitude + size) / (2n * size)
  const rounded = multiples * size
  return { units: units < 0n ? -rounded : rounded, scale: Math.max(value.scale, step.scale) }
}

/** The text of a decimal, without an exponent or zeros that say nothing. */
export function decimalText({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = scale === 0 ? '' : digits.slice(digits.length - scale).replace(/0+$/, '')
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  return units < 0n && text !== '0' ? `-${text}` : text
}

function align(a: Decimal, b: Decimal): [bigint, bigint] {
  const scale = Math.max(a.scale, b.scale)
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale)]
}
