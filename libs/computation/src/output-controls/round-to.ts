import { decimalOf, roundToStep } from '../decimal.js'
import { defineOutputControl } from '../output-control.js'
import { changeNumbers } from './numbers.js'

/** Rounds to multiples of a step in exact decimal arithmetic, on the number as it is written; ties go away from zero. */
export const roundTo = defineOutputControl({
  name: 'roundTo',
  apply: (result, steps) => {
    let changedCells = 0
    let rounded = result
    for (const [name, text] of Object.entries(steps)) {
      const step = decimalOf(text)
      const changed = changeNumbers(rounded, name, 'roundTo', (value) => roundToStep(value, step))
      rounded = changed.result
      changedCells += changed.changedCells
    }
    return { result: rounded, changedCells }
  },
  describe: (steps) =>
    `Numbers are rounded before they leave: ${Object.entries(steps)
      .map(([name, step]) => `${name} to multiples of ${step}`)
      .join(', ')}.`,
})
