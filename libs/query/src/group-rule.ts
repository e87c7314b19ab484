/**
 * The row rule of minimumGroupSize over a last block: which sets of rows must hold how many units. The policy has three parts:
 * (a) all rows of a group hold at least k units of every read; (b) the rows behind each aggregate hold at least k units of some
 * read and of each read none or at least k; (c) for every two aggregates the rows behind one and not the other are none, or as in (b).
 */
import { QueryError } from './errors.js'
import { call } from './build.js'
import type { Aggregate, Expr, ReviewedQuery } from './form.js'
import { exprKey } from './form.js'

const maximumRowSets = 60

/** Rows behind an aggregate, as conditions that must all be true. An aggregate that skips no row has none. */
export type Presence = readonly Expr[]

/** A set of rows of a group whose units are counted. */
export interface RowSet {
  /** Row conditions that hold in it, by index into {@link GroupRule.presences}. */
  readonly holds: number | null
  /** The condition that does not hold in it. */
  readonly lacks: number | null
  /** A difference of two aggregates may be empty; the rows behind an aggregate may not. */
  readonly mayBeEmpty: boolean
}

/** What must be counted in each group, beside all of its rows. */
export interface GroupRule {
  readonly presences: readonly Presence[]
  readonly rowSets: readonly RowSet[]
}

/**
 * The rule for a query. Aggregates whose argument cannot be NULL and that have no condition rest on all rows: for these (a) is enough.
 * @throws QueryError `QUERY_TOO_LARGE` where so many different sets of rows stand behind the aggregates that counting takes too long.
 */
export function groupRule(query: Pick<ReviewedQuery, 'aggregates' | 'units' | 'sameUnits'>): GroupRule {
  const presences: Presence[] = []
  const known = new Map<string, number>()
  let allRows = false
  for (const aggregate of query.aggregates) {
    const presence = presenceOf(aggregate)
    if (presence.length === 0) {
      allRows = true
      continue
    }
    const key = JSON.stringify(presence.map(exprKey))
    if (known.has(key)) continue
    known.set(key, presences.length)
    presences.push(presence)
  }
  const rowSets: RowSet[] = []
  presences.forEach((_presence, index) => {
    rowSets.push({ holds: index, lacks: null, mayBeEmpty: false })
    if (allRows) rowSets.push({ holds: null, lacks: index, mayBeEmpty: true })
    presences.forEach((_other, other) => {
      if (other !== index) rowSets.push({ holds: index, lacks: other, mayBeEmpty: true })
    })
  })
  if (rowSets.length * query.sameUnits.length > maximumRowSets)
    throw new QueryError(
      'QUERY_TOO_LARGE',
      `the aggregates rest on ${presences.length} different sets of rows (values missing or conditions), which would need ${rowSets.length * query.sameUnits.length} counts of units; ` +
        `at most ${maximumRowSets}: use fewer columns that may be NULL, or filter them in WHERE`,
    )
  return { presences, rowSets }
}

function presenceOf({ argument, filter }: Aggregate): Presence {
  const parts: Expr[] = []
  if (filter !== null) parts.push(filter)
  if (argument?.facts.nullable === true)
    parts.push(call('isNotNull', [argument], 'bool', { nullable: false }))
  return parts
}
