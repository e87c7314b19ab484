/**
 * Protocol Buffers' wire format, read strictly: what ends early, has an over-long number or the wrong wire type is refused.
 * Source: protobuf.dev/programming-guides/encoding. Groups (wire types 3 and 4) are refused.
 */
import { ModelError } from './errors.js'

/** One field as it stands on the wire. */
export interface WireField {
  readonly number: number
  readonly value: WireValue
}

type WireValue =
  | { readonly wire: 'varint'; readonly number: bigint }
  | { readonly wire: 'fixed32' | 'fixed64' | 'bytes'; readonly bytes: Uint8Array }

/** The damage's place and the same way out of every damage. */
export function malformed(place: string, problem: string): ModelError {
  return new ModelError('MODEL_MALFORMED', problem, { place, mend: 'export the model again' })
}

/**
 * The fields of a message, in order.
 * @throws ModelError `MODEL_MALFORMED`.
 */
export function* readFields(bytes: Uint8Array, place: string): Generator<WireField> {
  let at = 0
  const varint = (): bigint => {
    const [value, next] = readVarint(bytes, at, place)
    at = next
    return value
  }
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at)
      throw malformed(place, `a field of ${length} bytes goes beyond its message`)
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = varint()
    if (key >> 3n === 0n || key > 0xffff_ffffn) throw malformed(place, 'a field number is out of range')
    const number = Number(key >> 3n)
    switch (Number(key & 7n)) {
      case 0:
        yield { number, value: { wire: 'varint', number: varint() } }
        break
      case 1:
        yield { number, value: { wire: 'fixed64', bytes: take(8) } }
        break
      case 2: {
        const length = varint()
        if (length > BigInt(bytes.length)) throw malformed(place, 'a field is longer than the file')
        yield { number, value: { wire: 'bytes', bytes: take(Number(length)) } }
        break
      }
      case 5:
        yield { number, value: { wire: 'fixed32', bytes: take(4) } }
        break
      default:
        throw malformed(place, `field ${number} has a wire type that is not in use`)
    }
  }
}

/** The number at a place and the place behind it; unsigned, as 64 bits. */
export function readVarint(bytes: Uint8Array, from: number, place: string): [value: bigint, next: number] {
  let low = 0
  // Most numbers are short: stay with doubles while they hold it exactly.
  for (let at = from, scale = 1; at < from + 7; at++, scale *= 128) {
    const byte = bytes[at]
    if (byte === undefined) throw malformed(place, 'a number ends early')
    low += (byte & 127) * scale
    if (byte < 128) return [BigInt(low), at + 1]
  }
  let value = BigInt(low)
  for (let at = from + 7, shift = 49n; at < from + 10; at++, shift += 7n) {
    const byte = bytes[at]
    if (byte === undefined) throw malformed(place, 'a number ends early')
    value |= BigInt(byte & 127) << shift
    if (byte < 128) {
      if (value >> 64n !== 0n) break
      return [value, at + 1]
    }
  }
  throw malformed(place, 'a number has more than 64 bits')
}
