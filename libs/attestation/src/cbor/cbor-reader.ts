/**
 * A strict reader of CBOR (RFC 8949): definite lengths, shortest forms, no tags, floats or undefined, no key twice, bounded depth
 * and size, nothing after the end. What COSE documents of hardware need, and no more.
 */
import { CodedError, fromUtf8 } from '#libs/canonical'
import { ByteReader } from '../bytes/byte-reader.js'
import { AttestationError } from '../errors.js'

/** A value. Keys of maps are text or integers. */
export type CborValue = number | string | boolean | null | Uint8Array | readonly CborValue[] | CborMap

/** A map in the order of its encoding. */
export type CborMap = ReadonlyMap<number | string, CborValue>

const maximumDepth = 8
const maximumItems = 256

/**
 * Reads the one value that `bytes` must be.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseCbor(bytes: Uint8Array, what: string): CborValue {
  const reader = new ByteReader(bytes, what)
  const value = readValue(reader, readHead(reader, what), what, 0)
  reader.end()
  return value
}

/**
 * Reads the one array that `bytes` must be, with `tag` before it or without.
 * @throws AttestationError `MALFORMED`, also where something else begins; `TRAILING_DATA`.
 */
export function parseCborArray(bytes: Uint8Array, what: string, tag: number): readonly CborValue[] {
  const reader = new ByteReader(bytes, what)
  let head = readHead(reader, what)
  if (head.major === 6 && head.argument === tag) head = readHead(reader, what)
  if (head.major !== 4) throw malformed(what, 'no array at its beginning')
  const items = readArray(reader, head.argument, what, 0)
  reader.end()
  return items
}

interface Head {
  readonly major: number
  readonly argument: number
}

// §3: the argument stands in the first byte or in 1, 2, 4 or 8 bytes after it; never longer than needed.
function readHead(reader: ByteReader, what: string): Head {
  const first = reader.uintBe(1, 'item')
  const [major, low] = [first >> 5, first & 0x1f]
  if (low < 24) return { major, argument: low }
  if (low > 27) throw malformed(what, 'an indefinite length or a reserved form')
  const length = 2 ** (low - 24)
  const argument =
    length === 8 ? Number(reader.u64Be('argument')) : reader.uintBe(length as 1 | 2 | 4, 'argument')
  if (!Number.isSafeInteger(argument)) throw malformed(what, 'an integer above 2^53')
  const least = length === 1 ? 24 : 2 ** (4 * length)
  if (major !== 7 && argument < least) throw malformed(what, 'an integer that is not in its shortest form')
  return { major, argument: major === 7 ? -1 : argument }
}

function readValue(reader: ByteReader, { major, argument }: Head, what: string, depth: number): CborValue {
  if (depth > maximumDepth) throw malformed(what, `more than ${maximumDepth} levels`)
  switch (major) {
    case 0:
      return argument
    case 1:
      return -1 - argument
    case 2:
      return reader.take(argument, 'byte string')
    case 3:
      return text(reader.take(argument, 'text'), what)
    case 4:
      return readArray(reader, argument, what, depth)
    case 5:
      return readMap(reader, argument, what, depth)
    case 7:
      return readSimple(argument, what)
    default:
      throw malformed(what, 'a tag where none is expected')
  }
}

function readArray(reader: ByteReader, length: number, what: string, depth: number): readonly CborValue[] {
  if (length > maximumItems) throw malformed(what, `an array of ${length} items`)
  return Array.from({ length }, () => readValue(reader, readHead(reader, what), what, depth + 1))
}

function readMap(reader: ByteReader, length: number, what: string, depth: number): CborMap {
  if (length > maximumItems) throw malformed(what, `a map of ${length} items`)
  const map = new Map<number | string, CborValue>()
  for (let i = 0; i < length; i++) {
    const key = readValue(reader, readHead(reader, what), what, depth + 1)
    if (typeof key !== 'number' && typeof key !== 'string')
      throw malformed(what, 'a key that is neither text nor integer')
    if (map.has(key)) throw malformed(what, 'a key that comes twice')
    map.set(key, readValue(reader, readHead(reader, what), what, depth + 1))
  }
  return map
}

function readSimple(value: number, what: string): CborValue {
  if (value === 20 || value === 21) return value === 21
  if (value === 22) return null
  throw malformed(what, 'a float or a simple value that is not used')
}

function text(bytes: Uint8Array, what: string): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw malformed(what, 'text that is not UTF-8', cause)
  }
}

function malformed(what: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError('MALFORMED', `${what}: CBOR with ${why}`, {
    stage: 'parse',
    field: what,
    cause,
  })
}
