/**
 * Walks the bytes of a CSV file (RFC 4180) for its structure only: where records begin, how many fields they have, what is
 * broken. The database reads the values; this finds the line that a person must look at.
 */

/** One record of the file, the header included. */
export interface CsvRecord {
  /** Line on which it begins, from 1. */
  readonly line: number
  readonly fields: number
  /** Nothing at all between two line ends. */
  readonly blank: boolean
  /** A quote that is not closed, or text after a closing quote. */
  readonly quoteBroken: boolean
  readonly lengthBytes: number
}

const [lineFeed, carriageReturn, quote] = [0x0a, 0x0d, 0x22]

/** Takes a file in pieces, in order. */
export class CsvScanner {
  readonly #delimiter: number
  readonly #onRecord: (record: CsvRecord) => void
  #line = 1
  #startLine = 1
  #fields = 1
  #length = 0
  #state: 'start' | 'plain' | 'quoted' | 'closing' = 'start'
  #quoteBroken = false
  #pendingReturn = false
  /** How many records ended in LF, CRLF, and CR alone. */
  readonly lineEnds = { lf: 0, crlf: 0, cr: 0 }

  constructor(delimiter: string, onRecord: (record: CsvRecord) => void) {
    this.#delimiter = delimiter.charCodeAt(0)
    this.#onRecord = onRecord
  }

  /** Reads the next bytes. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#pendingReturn) {
        this.#pendingReturn = false
        this.lineEnds[byte === lineFeed ? 'crlf' : 'cr']++
        this.#endRecord()
        if (byte === lineFeed) continue
      }
      this.#read(byte)
    }
  }

  /** Ends the file; a last record without a line end counts. */
  finish(): void {
    if (this.#pendingReturn) {
      this.lineEnds.cr++
      this.#endRecord()
    }
    if (this.#length === 0) return
    if (this.#state === 'quoted') this.#quoteBroken = true
    this.#endRecord()
  }

  #read(byte: number): void {
    if (this.#state === 'quoted') {
      this.#length++
      if (byte === quote) this.#state = 'closing'
      else if (byte === lineFeed) this.#line++
      return
    }
    if (byte === carriageReturn) {
      this.#pendingReturn = true
      return
    }
    if (byte === lineFeed) {
      this.lineEnds.lf++
      this.#endRecord()
      return
    }
    this.#length++
    if (byte === this.#delimiter) {
      this.#fields++
      this.#state = 'start'
    } else if (byte === quote && this.#state !== 'plain') {
      this.#state = 'quoted'
    } else {
      if (this.#state === 'closing' || byte === quote) this.#quoteBroken = true
      this.#state = 'plain'
    }
  }

  #endRecord(): void {
    this.#onRecord({
      line: this.#startLine,
      fields: this.#fields,
      blank: this.#length === 0,
      quoteBroken: this.#quoteBroken,
      lengthBytes: this.#length,
    })
    this.#line++
    this.#startLine = this.#line
    this.#fields = 1
    this.#length = 0
    this.#state = 'start'
    this.#quoteBroken = false
  }
}

/** The fields of a file's first record, or undefined where it does not end within the text. */
export function firstRecord(text: string, delimiter: string, isWholeFile: boolean): string[] | undefined {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (quoted) {
      if (char !== '"') field += char
      else if (text[i + 1] === '"') {
        field += char
        i++
      } else quoted = false
    } else if (char === '"' && field === '') quoted = true
    else if (char === delimiter) {
      fields.push(field)
      field = ''
    } else if (char === '\n' || char === '\r') return [...fields, field]
    else field += char
  }
  return isWholeFile && !quoted ? [...fields, field] : undefined
}
