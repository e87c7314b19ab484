/** The controls that this build keeps; a new one is a line here and one in the catalog. */
import { clamp } from './clamp.js'
import { columns } from './columns.js'
import { maxRows } from './max-rows.js'
import { minimumGroupSize } from './minimum-group-size.js'
import { roundTo } from './round-to.js'
import { rowsOf } from './rows-of.js'
import { topCode } from './top-code.js'
import { uncontrolled } from './uncontrolled.js'

/** By name. */
export const outputControls = {
  minimumGroupSize,
  roundTo,
  clamp,
  topCode,
  columns,
  maxRows,
  rowsOf,
  uncontrolled,
} as const
