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
    const packed = new WireWriter()
    for (const value of values) packed.#push(varint(value))
    return this.bytes(field, packed)
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

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}
