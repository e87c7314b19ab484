/** Where a field stands, counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** One mistake in a contract, told so that its author can mend it without reading the schema. */
export interface Problem {
  /** Where, as a dotted path: `datasets.stays.columns.age.max`; empty for the whole document. */
  readonly path: string
  /** Position in the YAML, counted from 1; null where the contract was not read from YAML. */
  readonly line: number | null
  readonly column: number | null
  readonly expected: string
  readonly seen: string
  readonly mend: string
}

/** A problem before its place in the text is looked up. */
export interface Mistake {
  readonly path: readonly (string | number)[]
  /** Point at the name rather than at the value. */
  readonly at?: 'key'
  readonly expected: string
  readonly seen: string
  readonly mend: string
}

/** One line for a terminal. */
export function problemText(problem: Problem): string {
  const place = problem.line === null ? '' : `line ${problem.line}, column ${problem.column ?? 1}: `
  const field = problem.path === '' ? 'the contract' : problem.path
  return `${place}${field}: expected ${problem.expected}; seen ${problem.seen}. ${problem.mend}`
}
