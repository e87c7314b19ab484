/**
 * Numbers of RFC 8785: lines `hex of an IEEE-754 double, text` as in appendix B, with or without a heading and a comment, and as in
 * the hundred million lines of es6testfile100m.txt, packed or not. Read as a stream.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CodedError, canonicalJson } from '#libs/canonical'
import { MalformedVectors, type VectorCase, type VectorKind } from './kind.js'
import { isGzip, type VectorFile } from './vector-file.js'

const row = /^([0-9a-f]{1,16}),"?(-?\d[-+.\de]*|NaN|-?Infinity|)"?(?:,.*)?$/i

export const jcsNumbers: VectorKind = {
  name: 'canonical JSON (RFC 8785), numbers',
  looksFor: 'lines of hexadecimal and number, such as 4340000000000001,9007199254740994',
  recognise(file) {
    if (file.name.toLowerCase().endsWith('.json')) return undefined
    const [first = '', second] = file.head.split(/\r?\n/)
    if (!row.test(first) && (second === undefined || !row.test(second))) return undefined
    return { cases: () => casesOf(file) }
  },
}

async function* casesOf(file: VectorFile): AsyncGenerator<VectorCase> {
  let number = 0
  for await (const line of createInterface({ input: textOf(file), crlfDelay: Infinity })) {
    number++
    const [, hex, text] = row.exec(line) ?? []
    if (hex !== undefined && text !== undefined) yield caseOf(`line ${number}`, hex, text)
    // Only the first line may be a heading.
    else if (number > 1 && line !== '')
      throw new MalformedVectors(`line ${number} is not hexadecimal and a number: ${line.slice(0, 60)}`)
  }
}

function caseOf(id: string, hex: string, text: string): VectorCase {
  const double = Buffer.from(hex.padStart(16, '0'), 'hex').readDoubleBE()
  // RFC 8785 §3.2.2.3: what is not finite must end in an error.
  return {
    id: `${id} (${hex})`,
    expected: Number.isFinite(double) ? text : 'refused',
    see: () => canonicalOrRefused(double),
  }
}

function canonicalOrRefused(double: number): string {
  try {
    return canonicalJson(double)
  } catch (error) {
    if (!(error instanceof CodedError)) throw error
    return 'refused'
  }
}

function textOf(file: VectorFile): Readable {
  const bytes = createReadStream(file.path)
  if (!isGzip(file.beginning)) return bytes
  const unpacked = createGunzip()
  bytes.on('error', (error) => unpacked.destroy(error))
  return bytes.pipe(unpacked)
}
