/** `sealroom attest inspect`. */
import { inspectUnverified } from '#libs/attestation'
import type { JsonValue } from '#libs/canonical'
import { readEvidence } from '../attest/read-evidence.js'
import { printable } from './printable.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

/** Stands above everything that nobody verified. */
export const unverifiedNotice =
  'UNVERIFIED: this is what the file says of itself. Anyone can write such a file; `attest verify` checks it.'

/** Says what evidence claims. */
export async function attestInspect(file: string, options: { readonly kind?: string }): Promise<Answer> {
  const found = await readEvidence(file, options.kind)
  const inspection = inspectUnverified(found.bytes, found.kind)
  return {
    json: { verified: false, ...inspection },
    text: [
      unverifiedNotice,
      '',
      `${file}: ${inspection.title}`,
      ...facts(pairsOf(inspection.unverifiedFacts)).map((line) => `  ${line}`),
      ...inspection.warnings.map((warning) => `WARNING: ${warning}`),
    ],
  }
}

// Made printable before they are set in lines: a foreign text with a line break must not look like a line of ours.
function pairsOf(record: Readonly<Record<string, JsonValue>>): [string, string][] {
  return Object.entries(record).map(([name, value]) => [printable(name), printable(wordsOf(value))])
}

// Flags are told by name, so that nobody has to know the bits.
function wordsOf(value: JsonValue): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map((item: JsonValue) => wordsOf(item)).join('; ') || 'none'
  if (value === null) return 'none'
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, item]) => `${name} ${wordsOf(item)}`)
      .join(', ')
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}
