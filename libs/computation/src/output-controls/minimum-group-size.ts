import { ComputationError } from '../errors.js'
import { defineOutputControl } from '../output-control.js'

/**
 * The SQL has left small groups out already; this checks each row again, in the trusted parent, from the hidden counts. A row below
 * k means that the child did not run that SQL, so nothing leaves. Guards against a child taken over by its input as far as
 * it reports counts truthfully; a child that lies about counts and values alike is held by the sandbox only.
 */
export const minimumGroupSize = defineOutputControl({
  name: 'minimumGroupSize',
  apply: (result, k) => {
    const { table, units } = result
    if (units === null || units.length === 0)
      throw new ComputationError(
        'UNIT_COUNTS_MISSING',
        'the result has no counts of units, so minimumGroupSize cannot be checked',
      )
    for (const { table: source, owner, atLeast } of units) {
      if (atLeast.length !== table.rows)
        throw new ComputationError(
          'UNIT_COUNTS_MISSING',
          `there are ${atLeast.length} counts of units of ${source} for ${table.rows} rows`,
        )
      for (const count of atLeast)
        if (!Number.isSafeInteger(count) || count < k)
          throw new ComputationError(
            'GROUP_TOO_SMALL',
            `a row rests on fewer than ${k} units of ${owner} in ${source}; nothing is released`,
          )
    }
    return { result, changedCells: 0 }
  },
  describe: (k) =>
    `Each row that leaves rests on at least ${k} different people of every owner whose data is read; smaller groups are left out.`,
})
