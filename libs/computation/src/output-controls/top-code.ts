import { compareDecimal, decimalOf } from '../decimal.js'
import { defineOutputControl } from '../output-control.js'
import { changeNumbers } from './numbers.js'

/** Shows what lies above a value as this value. */
export const topCode = defineOutputControl({
  name: 'topCode',
  apply: (result, tops) => {
    let changedCells = 0
    let coded = result
    for (const [name, text] of Object.entries(tops)) {
      const top = decimalOf(text)
      const changed = changeNumbers(coded, name, 'topCode', (value) =>
        compareDecimal(value, top) > 0 ? top : value,
      )
      coded = changed.result
      changedCells += changed.changedCells
    }
    return { result: coded, changedCells }
  },
  describe: (tops) =>
    `Numbers above a value are shown as this value: ${Object.entries(tops)
      .map(([name, top]) => `${name} above ${top}`)
      .join(', ')}.`,
})
