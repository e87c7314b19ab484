/** Schema issues told as mistakes: which field, what is expected, what stands there, how to mend it. */
import { z } from 'zod'
import { WrittenDecimal } from '../terms/quantities.js'
import { guideOf, namesGuide } from './field-guide.js'
import type { Mistake } from './problem.js'

type Path = readonly (string | number)[]
type Issue = z.core.$ZodIssue

/** Further issues of one text are not told: whoever mends these will see them. */
const maximumIssues = 500

/** Explains what a schema found in `value`, which stands at `base` of the contract. */
export function explainIssues(
  schema: z.ZodType,
  value: unknown,
  issues: readonly Issue[],
  base: Path = [],
): Mistake[] {
  // Each is compared with known names: of a hostile text only so many.
  return issues.slice(0, maximumIssues).flatMap((issue) => explain(schema, value, issue, base))
}

function explain(schema: z.ZodType, value: unknown, issue: Issue, base: Path): Mistake[] {
  const own = issue.path.filter((part): part is string | number => typeof part !== 'symbol')
  const path = [...base, ...own]
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, own, value)
    return issue.keys.slice(0, maximumIssues).map((key) => unknownField([...path, key], known))
  }
  if (issue.code === 'invalid_key') return [{ path, at: 'key', ...namesGuide, seen: shown(own.at(-1)) }]
  const found = valueAt(value, own)
  // A choice by `kind`, `type` or `tee` that is not there may be there under a misspelt name.
  const name = own.at(-1)
  const holder = valueAt(value, own.slice(0, -1))
  if (
    issue.code === 'invalid_union' &&
    issue.discriminator !== undefined &&
    issue.discriminator === name &&
    isMapping(holder) &&
    found === undefined
  )
    return [mistake(path, found), ...misspelt(issue.discriminator, path.slice(0, -1), holder)]
  return [mistake(path, found)]
}

function misspelt(name: string, path: Path, found: Readonly<Record<string, unknown>>): Mistake[] {
  return Object.keys(found)
    .filter((key) => nearest(key, [name]) !== undefined)
    .map((key) => ({ ...unknownField([...path, key], [name]), expected: `the field ${name}` }))
}

function unknownField(path: Path, known: readonly string[]): Mistake {
  const key = String(path.at(-1))
  const expected = `only the fields ${known.join(', ')}`
  return {
    path,
    at: 'key',
    expected,
    seen: `the unknown field ${shown(key)}`,
    mend: nearest(key, known) ?? 'Remove it.',
  }
}

function mistake(path: Path, found: unknown): Mistake {
  const { expected, mend } = guideOf(path)
  const alternatives = expected.split(/, | or /).filter((word) => /^[A-Za-z0-9-]+$/.test(word))
  const closer = typeof found === 'string' ? nearest(found, alternatives) : undefined
  return { path, expected, seen: isSecret(path) ? describe(found) : shown(found), mend: closer ?? mend }
}

// The log's secret makes pseudonyms: it stays out of messages and bug reports.
function isSecret(path: Path): boolean {
  return path.at(-1) === 'secret'
}

function describe(found: unknown): string {
  if (found === undefined) return 'nothing'
  return typeof found === 'string' ? `text of ${found.length} characters` : typeof found
}

/** A value as a message shows it: short, on one line, without characters that hide or reorder. */
export function shown(found: unknown): string {
  if (found === undefined) return 'nothing'
  if (found === null) return 'nothing (null)'
  if (found instanceof WrittenDecimal) return found.source.slice(0, 60)
  if (Array.isArray(found)) return found.length === 0 ? 'an empty list' : `a list of ${found.length}`
  if (typeof found === 'object') return `a mapping of ${Object.keys(found).length} fields`
  if (typeof found !== 'string') return JSON.stringify(found)
  const short = found.length > 60 ? `${found.slice(0, 60).toWellFormed()}…` : found
  return JSON.stringify(short).replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '\uFFFD')
}

/** `Did you mean …` where a known word is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .filter((candidate) => Math.abs(candidate.length - word.length) <= reach(candidate))
    .map((candidate) => ({
      candidate,
      distance: distanceOf(word.toLowerCase().slice(0, 64), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  if (best === undefined || best.distance > reach(best.candidate)) return undefined
  return `Did you mean ${best.candidate}?`
}

const reach = (candidate: string) => Math.max(1, Math.floor(candidate.length / 3))

// Levenshtein's distance, where a swap of neighbours counts as one.
function distanceOf(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? (beforeLast[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution, swap))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function valueAt(value: unknown, path: Path): unknown {
  let found = value
  for (const part of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined
    found = (found as Record<string | number, unknown>)[part]
  }
  return found
}

/** The fields that the schema knows at a path of a value, so that an unknown one can be compared with them. */
function knownKeys(schema: z.ZodType, path: Path, value: unknown): readonly string[] {
  let at: z.core.$ZodType = chosen(schema, value)
  let here = value
  for (const part of path) {
    here = valueAt(here, [part])
    if (at instanceof z.ZodObject) at = (at.shape as Record<string, z.ZodType>)[part] ?? z.never()
    else if (at instanceof z.ZodRecord) at = at.valueType
    else if (at instanceof z.ZodArray) at = at.element
    at = chosen(at, here)
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

function chosen(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return chosen(schema.unwrap(), value)
  if (schema instanceof z.ZodPipe) return chosen(schema.in, value)
  if (!(schema instanceof z.ZodUnion)) return schema
  const options = schema.options.map((option) => chosen(option, value))
  const fits = (option: z.core.$ZodType) =>
    option instanceof z.ZodObject &&
    Object.entries(option.shape).some(
      ([name, member]) => member instanceof z.ZodLiteral && member.safeParse(valueAt(value, [name])).success,
    )
  return options.find(fits) ?? options.find((option) => option instanceof z.ZodObject) ?? schema
}
