/** What an audit finds: a rule that the record breaks, or something that could not be established from what was shown. */
import type { Place } from './history.js'

/** The record breaks a rule, at an entry. */
export interface Breach {
  readonly rule: string
  readonly entry: Place | null
  readonly expected: string
  readonly seen: string
}

/** Something that what was shown neither proves nor disproves. */
export interface Gap {
  readonly rule: string
  readonly entry: Place | null
  /** What was not established. */
  readonly what: string
  readonly why: string
}

/** What a rule yields; its name is added by whoever asks it, unless the finding is of a rule of `decide` and names that. */
export type Finding =
  | ({ readonly kind: 'broken'; readonly rule?: string } & Omit<Breach, 'rule'>)
  | ({ readonly kind: 'open' } & Omit<Gap, 'rule'>)

export function broken(entry: Place | null, expected: string, seen: string): Finding {
  return { kind: 'broken', entry: placeOf(entry), expected, seen }
}

export function open(entry: Place | null, what: string, why: string): Finding {
  return { kind: 'open', entry: placeOf(entry), what, why }
}

// An act is a place with much more to it, none of which belongs into a report.
function placeOf(entry: Place | null): Place | null {
  return entry === null ? null : { index: entry.index, type: entry.type, id: entry.id }
}

/** Collects findings under the names of rules. */
export class FindingList {
  readonly breaches: Breach[] = []
  readonly gaps: Gap[] = []

  add(rule: string, finding: Finding): void {
    if (finding.kind === 'broken') {
      const { entry, expected, seen } = finding
      this.breaches.push({ rule: finding.rule ?? rule, entry, expected, seen })
    } else {
      const { entry, what, why } = finding
      this.gaps.push({ rule, entry, what, why })
    }
  }
}
