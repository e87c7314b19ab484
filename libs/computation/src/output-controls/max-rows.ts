import { ComputationError } from '../errors.js'
import { defineOutputControl } from '../output-control.js'

/** Refuses a larger result whole: which rows a cut would leave out would depend on the data. */
export const maxRows = defineOutputControl({
  name: 'maxRows',
  apply: (result, most) => {
    if (result.table.rows > most)
      throw new ComputationError(
        'RESULT_TOO_LARGE',
        `the result has more rows than the ${most} that the contract lets out; nothing is released`,
      )
    return { result, changedCells: 0 }
  },
  describe: (most) => `A result of more than ${most} rows does not leave at all.`,
})
