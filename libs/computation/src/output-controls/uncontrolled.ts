import { defineOutputControl } from '../output-control.js'

/** Lets the result through as computed. It is the only control under which a query leaves without counts of units. */
export const uncontrolled = defineOutputControl({
  name: 'uncontrolled',
  apply: (result) => ({ result, changedCells: 0 }),
  describe: (reason) =>
    `NOTHING IS HELD BACK: the result leaves as computed, also what rests on one person. The reason given: ${reason}`,
})
