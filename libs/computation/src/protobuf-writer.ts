/** The little of protocol buffers that a model's file needs: varints, and fields that hold bytes. */

/** One field after the other. */
export function message(...fields: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(fields.reduce((length, field) => length + field.length, 0))
  let at = 0
  for (const field of fields) {
    joined.set(field, at)
    at += field.length
  }
  return joined
}

/** A whole number of at least 0. */
export function numberField(field: number, value: number): Uint8Array {
  return message(varint(field * 8), varint(value))
}

/** Bytes, a text, or a message in a message. */
export function bytesField(field: number, value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return message(varint(field * 8 + 2), varint(bytes.length), bytes)
}

function varint(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError('a field takes a whole number of at least 0')
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Uint8Array.of(...bytes, rest)
}
