/** Reads a message by a table of its fields: every field that is not in the table is refused, every single one may stand once. */
import { Allowance } from './allowance.js'
import { ModelError } from './errors.js'
import { modelLimits } from './limits.js'
import { malformed, readFields, readVarint, type WireField } from './wire-reader.js'

/** Fields of one message, by number, as they were found. */
export class MessageReader {
  readonly place: string
  readonly #fields = new Map<number, WireField['value'][]>()
  readonly #allowance: Allowance

  /**
   * @param known - names by number of the fields that are read or may be left out without changing what the model computes.
   * @param allowance - of the whole file; {@link MessageReader.inner} hands it on.
   * @throws ModelError `MODEL_MALFORMED`, `FIELD_UNKNOWN`, `LIMIT_EXCEEDED`.
   */
  constructor(
    bytes: Uint8Array,
    place: string,
    known: Readonly<Record<number, string>>,
    allowance = new Allowance(),
  ) {
    this.place = place
    this.#allowance = allowance
    for (const { number, value } of readFields(bytes, place)) {
      allowance.spendField(place)
      if (!Object.hasOwn(known, number))
        throw new ModelError(
          'FIELD_UNKNOWN',
          `field ${number} is not one of ${Object.values(known).join(', ')}`,
          {
            place,
            mend: 'export the model without it',
          },
        )
      const values = this.#fields.get(number)
      if (values === undefined) this.#fields.set(number, [value])
      else values.push(value)
    }
  }

  /** A reader of a message that stands in this one. */
  inner(bytes: Uint8Array, place: string, known: Readonly<Record<number, string>>): MessageReader {
    return new MessageReader(bytes, place, known, this.#allowance)
  }

  /** Whether the field is there, empty or not. */
  has(number: number): boolean {
    return this.#fields.has(number)
  }

  /** Bytes of a single field. */
  findBytes(number: number): Uint8Array | undefined {
    const value = this.#single(number)
    if (value === undefined) return undefined
    if (value.wire !== 'bytes') throw this.#wrongWire(number)
    return value.bytes
  }

  /** Bytes of each of a repeated field. */
  allBytes(number: number, maximum: number): Uint8Array[] {
    const values = this.#fields.get(number) ?? []
    this.requireAtMost(values.length, maximum, `field ${number}`)
    return values.map((value) => {
      if (value.wire !== 'bytes') throw this.#wrongWire(number)
      return value.bytes
    })
  }

  /** A name; empty where the field is missing. */
  text(number: number): string {
    const bytes = this.findBytes(number)
    return bytes === undefined ? '' : this.#decode(bytes)
  }

  /** Each of a repeated name. */
  texts(number: number, maximum: number): string[] {
    return this.allBytes(number, maximum).map((bytes) => this.#decode(bytes))
  }

  /** A signed 64-bit number. */
  findInt(number: number): bigint | undefined {
    const value = this.#single(number)
    if (value === undefined) return undefined
    if (value.wire !== 'varint') throw this.#wrongWire(number)
    return BigInt.asIntN(64, value.number)
  }

  /** A number that must be small and not negative; 0 where the field is missing. */
  smallInt(number: number): number {
    const value = this.findInt(number) ?? 0n
    if (value < 0n || value > 0x7fff_ffffn) throw malformed(this.place, `field ${number} is out of range`)
    return Number(value)
  }

  /** Signed 64-bit numbers, packed or one by one. */
  ints(number: number, maximum: number): bigint[] {
    const found: bigint[] = []
    for (const value of this.#fields.get(number) ?? []) {
      if (value.wire === 'varint') found.push(BigInt.asIntN(64, value.number))
      else if (value.wire === 'bytes')
        for (let at = 0; at < value.bytes.length;) {
          this.#allowance.spendNumber(this.place)
          const [item, next] = readVarint(value.bytes, at, this.place)
          found.push(BigInt.asIntN(64, item))
          at = next
          this.requireAtMost(found.length, maximum, `field ${number}`)
        }
      else throw this.#wrongWire(number)
    }
    this.requireAtMost(found.length, maximum, `field ${number}`)
    return found
  }

  /** Little-endian values of a fixed width, packed or one by one, as their bytes. */
  fixed(number: number, wire: 'fixed32' | 'fixed64'): Uint8Array {
    const width = wire === 'fixed32' ? 4 : 8
    const parts = (this.#fields.get(number) ?? []).map((value) => {
      if ((value.wire !== wire && value.wire !== 'bytes') || value.bytes.length % width !== 0)
        throw this.#wrongWire(number)
      return value.bytes
    })
    const [only] = parts
    if (only !== undefined && parts.length === 1) return only
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      joined.set(part, at)
      at += part.length
    }
    return joined
  }

  /** A float. */
  findFloat(number: number): number | undefined {
    const value = this.#single(number)
    if (value === undefined) return undefined
    if (value.wire !== 'fixed32') throw this.#wrongWire(number)
    return new DataView(value.bytes.buffer, value.bytes.byteOffset, 4).getFloat32(0, true)
  }

  /** @throws ModelError `LIMIT_EXCEEDED`. */
  requireAtMost(count: number, maximum: number, what: string): void {
    if (count > maximum)
      throw new ModelError('LIMIT_EXCEEDED', `${what} has more than ${maximum} values`, {
        place: this.place,
        mend: 'make the model smaller',
      })
  }

  #single(number: number): WireField['value'] | undefined {
    const values = this.#fields.get(number)
    // Readers differ on which of two counts: none does.
    if (values !== undefined && values.length > 1) throw malformed(this.place, `field ${number} stands twice`)
    return values?.[0]
  }

  #decode(bytes: Uint8Array): string {
    this.requireAtMost(bytes.length, modelLimits.nameBytes, 'a name')
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new ModelError(
        'MODEL_MALFORMED',
        'a name is not UTF-8',
        {
          place: this.place,
          mend: 'export the model again',
        },
        { cause },
      )
    }
  }

  #wrongWire(number: number): ModelError {
    return malformed(this.place, `field ${number} has another wire type than its kind`)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
