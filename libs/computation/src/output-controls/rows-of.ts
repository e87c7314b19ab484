import { ComputationError } from '../errors.js'
import { defineOutputControl } from '../output-control.js'

/**
 * The SQL has brought out rows of one owner only; this checks each row again, in the trusted parent, from the counts of units. A row
 * without a unit of this owner means that the child did not run that SQL, so nothing leaves. Guards no more than that: what the row's
 * numbers are made of, the review of the query says.
 */
export const rowsOf = defineOutputControl({
  name: 'rowsOf',
  apply: (result, owner) => {
    const { table, units } = result
    const own = (units ?? []).filter((unit) => unit.owner === owner)
    if (own.length === 0 || own.some(({ atLeast }) => atLeast.length !== table.rows))
      throw new ComputationError(
        'UNIT_COUNTS_MISSING',
        `the result does not say which of its rows are of ${owner}, so rowsOf cannot be checked`,
      )
    for (let row = 0; row < table.rows; row++)
      if (!own.some(({ atLeast }) => atLeast[row] === 1))
        throw new ComputationError('ROW_OF_ANOTHER', `a row is none of ${owner}; nothing is released`)
    return { result, changedCells: 0 }
  },
  describe: (owner) => `Each row that leaves is one that ${owner} itself has sealed.`,
})
