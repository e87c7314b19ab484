/** The seam of output controls: what one takes, what it promises, how it keeps the promise. */
import type { ControlName, ControlParameters } from './catalog.metadata.js'
import { controlCatalog, controlSchemas } from './catalog.metadata.js'
import { ComputationError } from './errors.js'
import type { ResultTable } from './result-table.js'

/** How many different units of one owner each row rests on, at least; as many numbers as rows. */
export interface UnitEvidence {
  readonly table: string
  readonly owner: string
  readonly atLeast: readonly number[]
}

/** A result on its way through the controls. The units are no column: no control can let them out. */
export interface Controlled {
  readonly table: ResultTable
  /** Null where nothing was counted. */
  readonly units: readonly UnitEvidence[] | null
}

/** What a control did, to stand in the sealed output beside the table. */
export interface ControlEffect {
  readonly control: ControlName
  readonly rowsBefore: number
  readonly rowsAfter: number
  readonly columnsAfter: number
  /** Values that the control changed. */
  readonly changedCells: number
}

/** A control that this build keeps. */
export interface OutputControl<Name extends ControlName = ControlName> {
  readonly name: Name
  /** Its promise, in one sentence for those who sign. */
  readonly guarantee: string
  /** @throws ComputationError `CONTROL_INVALID` where the value is not what the control takes. */
  readonly parse: (value: unknown) => ControlParameters<Name>
  /** Never gives rows, columns or values that it did not get, but for values that it coarsens. @throws ComputationError where it must refuse. */
  readonly apply: (
    result: Controlled,
    parameters: ControlParameters<Name>,
  ) => { readonly result: Controlled; readonly changedCells: number }
  /** What it promises with these parameters, in plain words. */
  readonly describe: (parameters: ControlParameters<Name>) => string
}

/** Defines a control; name, schema and promise stand in the catalog. */
export function defineOutputControl<Name extends ControlName>(
  control: Pick<OutputControl<Name>, 'name' | 'apply' | 'describe'>,
): OutputControl<Name> {
  return {
    ...control,
    guarantee: controlCatalog[control.name].guarantee,
    parse: (value) => parseControlValue(control.name, value),
  }
}

/** @throws ComputationError `CONTROL_INVALID`. */
export function parseControlValue<Name extends ControlName>(
  name: Name,
  value: unknown,
): ControlParameters<Name> {
  const parsed = controlSchemas[name].safeParse(value)
  if (parsed.success) return parsed.data as ControlParameters<Name>
  const [issue] = parsed.error.issues
  throw new ComputationError(
    'CONTROL_INVALID',
    `control ${name} does not take this value${issue === undefined ? '' : `: ${[...issue.path.map(String), issue.message].join(': ')}`}`,
  )
}

/** The index of a column that a control names. @throws ComputationError `CONTROL_INVALID`. */
export function columnIndex(table: ResultTable, name: string, control: ControlName): number {
  const index = table.columns.findIndex((column) => column.name === name)
  if (index < 0)
    throw new ComputationError(
      'CONTROL_INVALID',
      `control ${control} names column ${JSON.stringify(name)}; the result has ${table.columns.map((column) => column.name).join(', ')}`,
    )
  return index
}
