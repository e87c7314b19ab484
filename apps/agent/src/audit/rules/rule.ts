/** The shape of a rule over history: a name, one sentence, and what it finds. Pure: it reads and changes nothing. */
import type { StatementType } from '#libs/canonical'
import { broken, open, type Finding } from '../finding.js'
import type { History, Place, RunHistory } from '../history.js'
import { UsageBook } from '../usage.js'

/** What rules are asked about: the history, and counts that several of them need. */
export interface Audited {
  readonly history: History
  readonly usage: UsageBook
}

export interface AuditRule {
  readonly name: string
  /** What holds where the rule does. */
  readonly says: string
  readonly findings: (audited: Audited) => Iterable<Finding>
}

export function audited(history: History): Audited {
  return { history, usage: new UsageBook(history.runs) }
}

/** A rule that is asked of each run by itself. */
export function ofRuns(
  name: string,
  says: string,
  findings: (run: RunHistory, audited: Audited) => Iterable<Finding>,
): AuditRule {
  return {
    name,
    says,
    findings: function* (given) {
      for (const run of given.history.runs) yield* findings(run, given)
    },
  }
}

/**
 * What an entry rests on and the record does not show. Where the log has an entry of that type for the run whose body is kept
 * from this auditor, it may be that one, and nothing is established either way.
 */
export function missing(
  { hidden: all }: Pick<RunHistory, 'hidden'>,
  type: StatementType,
  entry: Place,
  expected: string,
  seen: string,
): Finding {
  const hidden = all.find((candidate) => candidate.type === type)
  return hidden === undefined
    ? broken(entry, expected, seen)
    : open(entry, expected, `the body of the ${type} at entry ${hidden.index} was not shown`)
}

/** The first act of a list that stands before a place. */
export function firstBefore<A extends { readonly index: number }>(
  acts: readonly A[],
  index: number,
): A | undefined {
  return acts.find((act) => act.index < index)
}
