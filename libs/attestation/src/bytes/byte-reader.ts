/**
 * Reads fixed layouts from foreign bytes: every length exact, every read bounded, nothing padded or trimmed. Says nothing
 * about what the fields mean.
 */
import { AttestationError } from '../errors.js'

/** Reads fields one after the other. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #offset = 0

  /** `what` names the structure in refusals, as `SNP report`. */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#offset
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  /**
   * The next bytes, as a view.
   * @throws AttestationError `MALFORMED` where fewer are left.
   */
  take(length: number, field: string): Uint8Array {
    if (length > this.remaining)
      throw new AttestationError(
        'MALFORMED',
        `${this.#what} ends within ${field}: ${length} bytes expected, ${this.remaining} left`,
        { stage: 'parse', field },
      )
    this.#offset += length
    return this.#bytes.subarray(this.#offset - length, this.#offset)
  }

  /** An unsigned integer of 1 to 6 bytes, least significant first. */
  uintLe(length: 1 | 2 | 3 | 4 | 5 | 6, field: string): number {
    return this.take(length, field).reduceRight((value, byte) => value * 256 + byte, 0)
  }

  /** An unsigned integer of 1 to 6 bytes, most significant first. */
  uintBe(length: 1 | 2 | 3 | 4 | 5 | 6, field: string): number {
    return this.take(length, field).reduce((value, byte) => value * 256 + byte, 0)
  }

  /** An unsigned integer of 8 bytes, least significant first. */
  u64Le(field: string): bigint {
    return this.take(8, field).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n)
  }

  /** An unsigned integer of 8 bytes, most significant first. */
  u64Be(field: string): bigint {
    return this.take(8, field).reduce((value, byte) => value * 256n + BigInt(byte), 0n)
  }

  /**
   * Reserved bytes: they must be zero, since what they will mean one day is not known.
   * @throws AttestationError `MALFORMED`.
   */
  reserved(length: number, field: string): void {
    if (this.take(length, field).some((byte) => byte !== 0))
      throw new AttestationError('MALFORMED', `${this.#what} has ${field} set; expected zero`, {
        stage: 'parse',
        field,
      })
  }

  /**
   * Nothing may be left.
   * @throws AttestationError `TRAILING_DATA`.
   */
  end(): void {
    if (this.remaining > 0)
      throw new AttestationError(
        'TRAILING_DATA',
        `${this.#what} is followed by ${this.remaining} bytes; expected none after ${this.#offset}`,
        { stage: 'parse', field: 'length' },
      )
  }
}
