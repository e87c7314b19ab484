/** How an amendment differs from what it amends, field by field, for the people who sign it. */
import { canonicalJson } from '#libs/canonical'
import type { ContractTerms } from '../terms/terms.js'

/** A field that differs; null stands for a field that is not there. Values are canonical JSON. */
export interface TermsDifference {
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

/** Every difference between two contracts, in the order of paths; none where their terms are equal. */
export function diffTerms(before: ContractTerms, after: ContractTerms): readonly TermsDifference[] {
  return differences([], before, after).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

type Path = readonly (string | number)[]

function differences(path: Path, before: unknown, after: unknown): TermsDifference[] {
  const members = isMapping(before) && isMapping(after)
  if (!members)
    return text(before) === text(after)
      ? []
      : [{ path: path.join('.'), before: text(before), after: text(after) }]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => differences([...path, name], own(before, name), own(after, name)))
}

// Lists are shown whole: the order of controls and of entries has a meaning.
function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

function text(value: unknown): string | null {
  return value === undefined ? null : canonicalJson(value)
}
