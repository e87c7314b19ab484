/**
 * A strict reader of DER (ITU-T X.690 §10, §11): definite and shortest lengths, one-byte tags, bounded size and depth,
 * nothing after the end. Default values that were encoded all the same are let through: genuine AMD certificates have them.
 */
import { AttestationError, type AttestationErrorCode } from '../errors.js'

/** The tags that certificates and revocation lists use. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The tag of a constructed context-specific element `[n]`. */
export function contextTag(n: number): number {
  return 0xa0 | n
}

/** The tag of a primitive context-specific element `[n]`. */
export function primitiveContextTag(n: number): number {
  return 0x80 | n
}

/** One element: its content, and all of it as it was encoded. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
  readonly encoded: Uint8Array
}

const maximumDepth = 16
const maximumLength = 16 * 1024 * 1024

/**
 * Opens the one element that `bytes` must be.
 * @throws AttestationError `MALFORMED`, `TRAILING_DATA`.
 */
export function parseDer(bytes: Uint8Array, what: string, tag: number = derTag.sequence): DerReader {
  const outer = readDer(bytes, what)
  const element = outer.next(tag, what)
  if (!outer.atEnd)
    throw refusal('TRAILING_DATA', what, 'length', `${bytes.length - element.encoded.length} bytes follow it`)
  return outer.enter(element)
}

/**
 * Reads elements that stand side by side, without opening one.
 * @throws AttestationError `MALFORMED` where there are too many bytes.
 */
export function readDer(bytes: Uint8Array, what: string): DerReader {
  if (bytes.length > maximumLength)
    throw refusal('MALFORMED', what, 'length', `it has ${bytes.length} bytes; at most ${maximumLength}`)
  return new DerReader(bytes, what, 0)
}

/** Reads elements one after the other. */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  readonly #depth: number
  #offset = 0

  constructor(bytes: Uint8Array, what: string, depth: number) {
    if (depth > maximumDepth) throw refusal('MALFORMED', what, 'depth', `more than ${maximumDepth} levels`)
    this.#bytes = bytes
    this.#what = what
    this.#depth = depth
  }

  /** Whether nothing is left at this level. */
  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  /** The tag that comes next, undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset]
  }

  /** The next element, of any tag. */
  any(field: string): DerElement {
    const start = this.#offset
    const tag = this.#byte(field)
    if (tag === 0 || (tag & 0x1f) === 0x1f)
      throw refusal('MALFORMED', this.#what, field, `tag ${tag} is not used here`)
    const length = this.#length(field)
    if (length > this.#bytes.length - this.#offset)
      throw refusal('MALFORMED', this.#what, field, `${length} bytes announced, fewer left`)
    const content = this.#bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += length
    return { tag, content, encoded: this.#bytes.subarray(start, this.#offset) }
  }

  /** The next element, which must have this tag. */
  next(tag: number, field: string): DerElement {
    if (this.nextTag !== tag)
      throw refusal('MALFORMED', this.#what, field, `tag is ${this.nextTag ?? 'missing'}; expected ${tag}`)
    return this.any(field)
  }

  /** The next element if it has this tag. */
  optional(tag: number, field: string): DerElement | undefined {
    return this.nextTag === tag ? this.any(field) : undefined
  }

  /** Reads within an element. */
  enter(element: Pick<DerElement, 'content'>): DerReader {
    return new DerReader(element.content, this.#what, this.#depth + 1)
  }

  /** Reads within the next element, a SEQUENCE unless told otherwise. */
  nested(field: string, tag: number = derTag.sequence): DerReader {
    return this.enter(this.next(tag, field))
  }

  /** The content of an INTEGER, two's complement, shortest form. */
  integerBytes(field: string, tag: number = derTag.integer): Uint8Array {
    const { content } = this.next(tag, field)
    const [first, second] = content
    if (first === undefined) throw refusal('MALFORMED', this.#what, field, 'an integer without bytes')
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
      throw refusal('MALFORMED', this.#what, field, 'an integer that is not in its shortest form')
    return content
  }

  /** An INTEGER from 0 to 2^31 - 1. */
  smallInteger(field: string, tag: number = derTag.integer): number {
    const bytes = this.integerBytes(field, tag)
    if (bytes.length > 4 || (bytes[0] ?? 0) >= 0x80)
      throw refusal('MALFORMED', this.#what, field, 'an integer that is negative or too large')
    return bytes.reduce((value, byte) => value * 256 + byte, 0)
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  objectIdentifier(field: string): string {
    const { content } = this.next(derTag.objectIdentifier, field)
    const text = dotted(content)
    if (text === undefined) throw refusal('MALFORMED', this.#what, field, 'not an object identifier')
    return text
  }

  /** A BOOLEAN: 0x00 or 0xff. */
  boolean(field: string): boolean {
    const { content } = this.next(derTag.boolean, field)
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
      throw refusal('MALFORMED', this.#what, field, 'not a boolean')
    return content[0] === 0xff
  }

  /** The bytes of an OCTET STRING. */
  octetString(field: string): Uint8Array {
    return this.next(derTag.octetString, field).content
  }

  /** The bytes of a BIT STRING whose last byte is full, as keys and signatures are. */
  bitStringBytes(field: string): Uint8Array {
    const { content } = this.next(derTag.bitString, field)
    if (content[0] !== 0) throw refusal('MALFORMED', this.#what, field, 'a bit string with unused bits')
    return content.subarray(1)
  }

  /** The named bits of a BIT STRING, the first as bit 0: at most 16 of them. */
  namedBits(field: string): number {
    const { content } = this.next(derTag.bitString, field)
    const [unused, ...bytes] = content
    const last = bytes.at(-1) ?? 0
    if (unused === undefined || unused > 7 || bytes.length > 2 || (bytes.length === 0 && unused !== 0))
      throw refusal('MALFORMED', this.#what, field, 'not a list of named bits')
    if ((last & ((1 << unused) - 1)) !== 0)
      throw refusal('MALFORMED', this.#what, field, 'a bit string with unused bits set')
    let bits = 0
    for (let n = 0; n < bytes.length * 8; n++)
      if (((bytes[n >> 3] ?? 0) & (0x80 >> (n & 7))) !== 0) bits |= 1 << n
    return bits
  }

  /** Nothing may be left at this level. */
  end(field: string): void {
    if (!this.atEnd)
      throw refusal(
        'MALFORMED',
        this.#what,
        field,
        `${this.#bytes.length - this.#offset} bytes more than expected`,
      )
  }

  #byte(field: string): number {
    const byte = this.#bytes[this.#offset]
    if (byte === undefined) throw refusal('MALFORMED', this.#what, field, 'it ends here')
    this.#offset++
    return byte
  }

  // X.690 §10.1: the definite form, with the fewest octets.
  #length(field: string): number {
    const first = this.#byte(field)
    if (first < 0x80) return first
    const count = first & 0x7f
    if (count === 0 || count > 4)
      throw refusal('MALFORMED', this.#what, field, `length in ${count} bytes; expected 1 to 4`)
    let length = 0
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte(field)
    if (length < 0x80 || length < 256 ** (count - 1))
      throw refusal('MALFORMED', this.#what, field, 'length not in its shortest form')
    return length
  }
}

// X.690 §8.19: base 128, the first two arcs in one number, no leading 0x80.
function dotted(content: Uint8Array): string | undefined {
  if (content.length === 0 || content.length > 64 || (content.at(-1) ?? 0x80) >= 0x80) return undefined
  const arcs: number[] = []
  let value = 0
  let begins = true
  for (const byte of content) {
    if (begins && byte === 0x80) return undefined
    value = value * 128 + (byte & 0x7f)
    if (value > Number.MAX_SAFE_INTEGER / 128) return undefined
    begins = byte < 0x80
    if (begins) {
      arcs.push(value)
      value = 0
    }
  }
  const [first = 0, ...rest] = arcs
  const root = Math.min(Math.floor(first / 40), 2)
  return [root, first - 40 * root, ...rest].join('.')
}

function refusal(code: AttestationErrorCode, what: string, field: string, why: string): AttestationError {
  return new AttestationError(code, `${what}: ${field}: ${why}`, { stage: 'parse', field })
}
