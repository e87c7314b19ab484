/**
 * Fills what authors may leave out and what depends on other fields; schemas fill the rest. The signed form holds everything,
 * so a later change of a default changes no contract that was signed.
 */
import { isName, nameSkeleton } from '../terms/names.js'
import { WrittenDecimal } from '../terms/quantities.js'

/** What `sealroom contract propose` makes, where the author left it out. */
export interface ProposalFields {
  /** 32 random bytes in base64url. */
  readonly secret?: string
  /** Newest checkpoint of the log that the proposer saw. */
  readonly checkpoint?: string
}

type Mapping = Readonly<Record<string, unknown>>

/** The terms with `runs`, `kind`, `failures` and `over` written out. What has another shape than a mapping is left alone. */
export function fillDefaults(value: unknown, proposal: ProposalFields = {}): unknown {
  if (!isMapping(value)) return value
  const runs = value['runs'] ?? {}
  const failures = isMapping(runs) && runs['failures'] !== undefined ? runs['failures'] : 5
  const datasets = mapEntries(value['datasets'], (dataset) => ({ kind: 'table', ...dataset }))
  const names = isMapping(value['datasets']) ? Object.keys(value['datasets']) : []
  const computations = mapEntries(value['computations'], (computation) => ({
    failures,
    ...(typeof computation['query'] === 'string'
      ? { over: datasetsNamedIn(computation['query'], names) }
      : {}),
    ...computation,
  }))
  const log = isMapping(value['log']) ? { ...withoutUndefined(proposal), ...value['log'] } : value['log']
  const filled: Record<string, unknown> = { ...value, runs }
  for (const [name, part] of Object.entries({ log, datasets, computations }))
    if (part !== undefined) filled[name] = part
  return filled
}

/**
 * The datasets whose names stand as words in a query, in the contract's order. It may name more than the query reads (a
 * column of the same name), never fewer; a parser of the query confirms the list before anything runs.
 */
export function datasetsNamedIn(query: string, datasets: readonly string[]): readonly string[] {
  const words = new Set((query.match(/[\p{L}\p{M}\p{Nd}_-]+/gu) ?? []).flatMap(wordsOf))
  return datasets.filter((dataset) => words.has(nameSkeleton(dataset)))
}

// Unquoted, `a-b` is a subtraction; quoted, it is a name.
function wordsOf(word: string): string[] {
  return [word, ...word.split('-')].filter(isName).map(nameSkeleton)
}

function mapEntries(value: unknown, change: (entry: Mapping) => Mapping): unknown {
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, isMapping(entry) ? change(entry) : entry]),
  )
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined))
}

function isMapping(value: unknown): value is Mapping {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof WrittenDecimal)
  )
}
