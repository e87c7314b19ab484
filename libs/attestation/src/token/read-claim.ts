/** Claims of a token that must be of one form. One that is not, or is not there, refuses the token as malformed. */
import { AttestationError } from '../errors.js'
import { memberOf, seenOf, type ForeignObject } from '../json/foreign-json.js'

/** Reads claims of one level of a token. */
export class ClaimReader {
  constructor(
    private readonly claims: ForeignObject,
    private readonly what: string,
  ) {}

  /** Bytes in hexadecimal of either case, as lower case. */
  hex(name: string, bytes: number): string {
    const value = memberOf(this.claims, name)
    if (typeof value === 'string' && value.length === 2 * bytes && /^[0-9a-fA-F]*$/.test(value))
      return value.toLowerCase()
    throw this.malformed(name, `${bytes} bytes in hexadecimal`)
  }

  /** A whole number from 0 to `maximum`. */
  integer(name: string, maximum: number): number {
    const value = memberOf(this.claims, name)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maximum) return value
    throw this.malformed(name, `a whole number of at most ${maximum}`)
  }

  flag(name: string): boolean {
    const value = memberOf(this.claims, name)
    if (typeof value === 'boolean') return value
    throw this.malformed(name, 'true or false')
  }

  /** A flag that older services do not state: then its unsafe value. */
  flagOr(name: string, unsafe: boolean): boolean {
    return memberOf(this.claims, name) === undefined ? unsafe : this.flag(name)
  }

  private malformed(name: string, expected: string): AttestationError {
    const seen = seenOf(memberOf(this.claims, name))
    return new AttestationError('MALFORMED', `${this.what}: ${name} is ${seen}; expected ${expected}`, {
      stage: 'parse',
      field: name,
    })
  }
}
