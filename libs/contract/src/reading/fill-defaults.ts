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

/** The terms with `runs`, `kind`, `failures`, `over` and the query of what is scored written out. What has another shape than a mapping is left alone. */
export function fillDefaults(value: unknown, proposal: ProposalFields = {}): unknown {
  if (!isMapping(value)) return value
  const runs = value['runs'] ?? {}
  const failures = isMapping(runs) && runs['failures'] !== undefined ? runs['failures'] : 5
  const datasets = mapEntries(value['datasets'], (dataset) => ({ kind: 'table', ...dataset }))
  const names = isMapping(value['datasets']) ? Object.keys(value['datasets']) : []
  const computations = mapEntries(value['computations'], (written) => {
    const computation = withScoredRows(written)
    return {
      failures,
      ...(typeof computation['query'] === 'string'
        ? { over: datasetsNamedIn(computation['query'], names) }
        : {}),
      ...computation,
    }
  })
  const log = isMapping(value['log']) ? { ...withoutUndefined(proposal), ...value['log'] } : value['log']
  const filled: Record<string, unknown> = { ...value, runs }
  for (const [name, part] of Object.entries({ log, datasets, computations }))
    if (part !== undefined) filled[name] = part
  return filled
}

// What is scored without a query of its own is every row of one dataset. Names need no escape: isName lets no quote pass.
function withScoredRows(computation: Mapping): Mapping {
  const { kind, query, over, features } = computation
  if (kind !== 'infer' || query !== undefined || !areNames(over) || !areNames(features)) return computation
  const [dataset, ...others] = over
  if (dataset === undefined || others.length > 0 || features.length === 0) return computation
  return { query: `select ${features.map(quoted).join(', ')} from ${quoted(dataset)}`, ...computation }
}

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && isName(name))
}

function quoted(name: string): string {
  return `"${name}"`
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
