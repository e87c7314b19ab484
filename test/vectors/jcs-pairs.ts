/**
 * RFC 8785 as cyberphone/json-canonicalization lays it out: `input/X.json` comes out as the bytes of `output/X.json`, which
 * `outhex/X.txt` shows in hexadecimal. This format is one of names: nothing in a file says which side it is.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { canonicalBytes, fromUtf8, parseCanonical, toHex } from '#libs/canonical'
import { MalformedVectors, type VectorCase, type VectorKind } from './kind.js'
import type { VectorFile } from './vector-file.js'

export const jcsPairs: VectorKind = {
  name: 'canonical JSON (RFC 8785), files',
  looksFor: 'a folder input beside a folder output (and outhex) with files of the same names',
  recognise(file) {
    const side = basename(dirname(file.path))
    const testdata = join(dirname(file.path), '..')
    if (!['input', 'output', 'outhex'].includes(side)) return undefined
    if (!existsSync(join(testdata, 'input')) || !existsSync(join(testdata, 'output'))) return undefined
    const stem = file.name.replace(/\.[^.]*$/, '')
    const sides = {
      input: join(testdata, 'input', `${stem}.json`),
      output: join(testdata, 'output', `${stem}.json`),
      outhex: join(testdata, 'outhex', `${stem}.txt`),
    }
    for (const missing of [sides.input, sides.output])
      if (!existsSync(missing)) throw new MalformedVectors(`there is no ${missing} to compare with`)
    if (side !== 'input') return undefined
    return {
      cases: () => casesOf(file, sides),
      claims: (path) => path === sides.output || path === sides.outhex,
    }
  },
}

function* casesOf(
  input: VectorFile,
  { output, outhex }: { readonly output: string; readonly outhex: string },
): Generator<VectorCase> {
  const value = input.json
  const bytes = readFileSync(output)
  yield { id: 'output', expected: fromUtf8(bytes), see: () => fromUtf8(canonicalBytes(value)) }
  if (existsSync(outhex))
    yield {
      id: 'outhex',
      expected: readFileSync(outhex, 'latin1').replace(/\s/g, ''),
      see: () => toHex(canonicalBytes(value)),
    }
  yield { id: 'read back', expected: toHex(bytes), see: () => toHex(canonicalBytes(parseCanonical(bytes))) }
}
