import type { ControlName } from '../catalog.metadata.js'
import type { Decimal } from '../decimal.js'
import { compareDecimal, decimalOf, decimalText } from '../decimal.js'
import { ComputationError } from '../errors.js'
import type { Controlled } from '../output-control.js'
import { columnIndex } from '../output-control.js'
import type { Cell, ResultColumn } from '../result-table.js'

/** Changes the numbers of one column, exactly, and says how many differ afterwards. NULL stays NULL. */
export function changeNumbers(
  result: Controlled,
  name: string,
  control: ControlName,
  change: (value: Decimal, column: ResultColumn) => Decimal,
): { readonly result: Controlled; readonly changedCells: number } {
  const { table } = result
  const index = columnIndex(table, name, control)
  const column = table.columns[index]
  if (column?.type !== 'int' && column?.type !== 'double')
    throw new ComputationError(
      'CONTROL_INVALID',
      `control ${control} takes columns of numbers; ${JSON.stringify(name)} is ${column?.type ?? 'missing'}`,
    )
  let changedCells = 0
  const values = table.values.map((cells, at) => {
    if (at !== index) return cells
    return cells.map((cell): Cell => {
      if (typeof cell !== 'number' && typeof cell !== 'string') return cell
      const before = decimalOf(cell)
      const after = change(before, column)
      if (compareDecimal(before, after) === 0) return cell
      changedCells++
      return column.type === 'int' ? integerCell(after, name, control) : finiteCell(after)
    })
  })
  return { result: { ...result, table: { ...table, values } }, changedCells }
}

function integerCell(value: Decimal, name: string, control: ControlName): Cell {
  const text = decimalText(value)
  const integer = /^-?\d+$/.test(text) ? BigInt(text) : undefined
  if (integer === undefined)
    throw new ComputationError(
      'CONTROL_INVALID',
      `control ${control} gives fractions in ${JSON.stringify(name)}, which holds whole numbers`,
    )
  // Beyond 64 bits there is no such value; a result that cannot be shown is missing.
  if (BigInt.asIntN(64, integer) !== integer) return null
  const number = Number(text)
  return Number.isSafeInteger(number) ? number : text
}

function finiteCell(value: Decimal): Cell {
  const number = Number(decimalText(value))
  return Number.isFinite(number) ? number : null
}
