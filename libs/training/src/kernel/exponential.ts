import { f64x2, i64x2, type Code, type Local } from './assembler.js'

/** Below it e^x is taken to be what it is here, 3e-308: nothing beside 1. */
const least = -708
/** Added to a number, and taken away, it leaves the nearest whole one; the sum's last bits are that whole number. */
const rounding = 1.5 * 2 ** 52
/** ln 2 in two parts: a whole number times the first is exact (Cody and Waite, Software Manual for the Elementary Functions, chapter 6). */
const [ln2High, ln2Low] = [0.6931471803691238, 1.9082149292705877e-10]

/** 1/12!, 1/11!, …, 1: what is left out of the series is below 2e-16 up to half of ln 2. */
const series = Array.from({ length: 13 }, (_, i) => 1 / factorial(12 - i))

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1)
}

/** Instructions that put e^x into `power`, for two x of at most zero that stand in `power`. What is no number stays so. */
export function exponential(power: Local, shifted: Local, rest: Local): readonly Code[] {
  const whole = f64x2.sub(shifted.get, f64x2.constant(rounding))
  const takeOff = (part: number) => rest.set(f64x2.sub(rest.get, f64x2.mul(whole, f64x2.constant(part))))
  const horner = series.reduce<Code>(
    (sum, coefficient) => f64x2.add(f64x2.mul(sum, rest.get), f64x2.constant(coefficient)),
    f64x2.constant(0),
  )
  // The whole number moves into the exponent of 1.
  const scaled = i64x2.add(i64x2.shiftLeft(shifted.get, 52), f64x2.constant(1))
  return [
    rest.set(f64x2.max(power.get, f64x2.constant(least))),
    shifted.set(f64x2.add(f64x2.mul(rest.get, f64x2.constant(Math.LOG2E)), f64x2.constant(rounding))),
    takeOff(ln2High),
    takeOff(ln2Low),
    power.set(f64x2.mul(horner, scaled)),
  ]
}
