/** Writes Protocol Buffers: fields in the order of their numbers, numbers as short as they can be, lists packed. */

/** A message that grows. */
export class WireWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  /** A 64-bit number. */
  int(field: number, value: bigint | number): this {
    return this.#push(varint(BigInt(field) << 3n)).#push(varint(BigInt(value)))
  }

  /** A float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    return this.#push(varint((BigInt(field) << 3n) | 5n)).#push(bytes)
  }

  /** Bytes, or an inner message. */
  bytes(field: number, value: Uint8Array | WireWriter): this {
    const length = value instanceof WireWriter ? value.#length : value.length
    this.#push(varint((BigInt(field) << 3n) | 2n)).#push(varint(BigInt(length)))
    if (value instanceof WireWriter) for (const part of value.#parts) this.#push(part)
    else this.#push(value)
    return this
  }

  /** Text in UTF-8. */
  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  /** Each of a list as a field of its own. */
  each<T>(values: readonly T[], write: (writer: this, value: T) => void): this {
    for (const value of values) write(this, value)
    return this
  }

  /** 64-bit numbers, packed; nothing where there are none. */
  ints(field: number, values: readonly bigint[]): this {
    if (values.length === 0) return this
    // One array for all: there may be millions.
    const packed = new Uint8Array(values.length * longestVarint)
    let length = 0
    for (const value of values) length = writeVarint(value, packed, length)
    return this.bytes(field, packed.slice(0, length))
  }

  /** The message. */
  finish(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length)
    let at = 0
    for (const part of this.#parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    this.#length += bytes.length
    return this
  }
}

/** Bytes of 64 bits, seven at a time. */
const longestVarint = 10

function varint(value: bigint): Uint8Array {
  const bytes = new Uint8Array(longestVarint)
  return bytes.slice(0, writeVarint(value, bytes, 0))
}

/** Writes a number and answers the place behind it. */
function writeVarint(value: bigint, into: Uint8Array, from: number): number {
  let at = from
  let rest = BigInt.asUintN(64, value)
  for (; rest > 127n; rest >>= 7n) into[at++] = Number(rest & 127n) | 128
  into[at++] = Number(rest)
  return at
}
