import { compareDecimal, decimalOf } from '../decimal.js'
import { ComputationError } from '../errors.js'
import { defineOutputControl } from '../output-control.js'
import { changeNumbers } from './numbers.js'

/** Shows what lies outside of bounds as the bound. */
export const clamp = defineOutputControl({
  name: 'clamp',
  apply: (result, ranges) => {
    let changedCells = 0
    let clamped = result
    for (const [name, range] of Object.entries(ranges)) {
      const [min, max] = [decimalOf(range.min), decimalOf(range.max)]
      if (compareDecimal(min, max) > 0)
        throw new ComputationError(
          'CONTROL_INVALID',
          `control clamp has a min above its max for ${JSON.stringify(name)}`,
        )
      const changed = changeNumbers(clamped, name, 'clamp', (value) =>
        compareDecimal(value, min) < 0 ? min : compareDecimal(value, max) > 0 ? max : value,
      )
      clamped = changed.result
      changedCells += changed.changedCells
    }
    return { result: clamped, changedCells }
  },
  describe: (ranges) =>
    `Numbers outside of bounds are shown as the bound: ${Object.entries(ranges)
      .map(([name, { min, max }]) => `${name} from ${min} to ${max}`)
      .join(', ')}.`,
})
