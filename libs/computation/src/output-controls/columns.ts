import { ComputationError } from '../errors.js'
import { columnIndex, defineOutputControl } from '../output-control.js'

/** An allow-list: a column that it does not name is dropped; one that is not in the result is a mistake and refused. */
export const columns = defineOutputControl({
  name: 'columns',
  apply: (result, names) => {
    if (new Set(names).size !== names.length)
      throw new ComputationError('CONTROL_INVALID', 'control columns names a column twice')
    const { table } = result
    const kept = names.map((name) => columnIndex(table, name, 'columns')).sort((a, b) => a - b)
    return {
      result: {
        ...result,
        table: {
          rows: table.rows,
          columns: table.columns.filter((_column, index) => kept.includes(index)),
          values: table.values.filter((_cells, index) => kept.includes(index)),
        },
      },
      changedCells: 0,
    }
  },
  describe: (names) => `Only these columns leave: ${names.join(', ')}.`,
})
