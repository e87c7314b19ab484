import { concatBytes, fromHex, utf8 } from '#libs/canonical'

/** One DER element. Writes whatever it is told, well-formed or not. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = concatBytes(...contents)
  const { length } = content
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x10000
          ? [tag, 0x82, length >> 8, length & 0xff]
          : [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  return concatBytes(Uint8Array.from(head), content)
}

export const derSequence = (...items: readonly Uint8Array[]) => der(0x30, ...items)
export const derOctets = (bytes: Uint8Array) => der(0x04, bytes)
export const derBits = (bytes: Uint8Array, unused = 0) => der(0x03, Uint8Array.of(unused), bytes)
export const derBoolean = (value: boolean) => der(0x01, Uint8Array.of(value ? 0xff : 0))
export const derText = (text: string, tag = 0x0c) => der(tag, utf8(text))

/** An INTEGER that is not negative. */
export function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const digits = value.toString(16)
  const bytes = fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? concatBytes(Uint8Array.of(0), bytes) : bytes)
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derOid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Uint8Array.from([40 * first + second, ...rest].flatMap(base128)))
}

/** A GeneralizedTime, or a UTCTime before 2050 as RFC 5280 has it. */
export function derTime(time: number): Uint8Array<ArrayBuffer> {
  const digits = new Date(time).toISOString().replace(/\D/g, '').slice(0, 14)
  return digits < '2050' ? der(0x17, utf8(`${digits.slice(2)}Z`)) : der(0x18, utf8(`${digits}Z`))
}

function base128(arc: number): number[] {
  const bytes = [arc & 0x7f]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift(0x80 | (rest & 0x7f))
  return bytes
}
