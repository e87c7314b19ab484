/** The story: every control of an output in the contract's order; without one that protects people nothing leaves. */
import type { ControlName } from './catalog.metadata.js'
import { controlCatalog, controlSchemas } from './catalog.metadata.js'
import { ComputationError } from './errors.js'
import type { Controlled, ControlEffect, OutputControl } from './output-control.js'
import { parseControlValue } from './output-control.js'
import { outputControls } from './output-controls/index.js'
import type { ResultTable } from './result-table.js'

/** A control with what it takes, checked. */
export interface ParsedControl {
  readonly name: ControlName
  readonly value: unknown
}

/** What may leave, and what the controls did. The table has no counts of units. */
export interface Released {
  readonly table: ResultTable
  readonly effects: readonly ControlEffect[]
}

/**
 * Reads the controls of an output: objects with one member each, every name known, none twice. Controls that this build does not
 * keep are read too; {@link unsupportedControls} names them and {@link applyControls} refuses them.
 * @throws ComputationError `CONTROL_MISSING`, `CONTROL_UNKNOWN`, `CONTROL_INVALID`.
 */
export function parseControls(value: unknown): readonly ParsedControl[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new ComputationError(
      'CONTROL_MISSING',
      'an output without controls does not leave; to release as computed write uncontrolled and the reason',
    )
  const controls = value.map(parseControl)
  const names = controls.map(({ name }) => name)
  if (new Set(names).size !== names.length)
    throw new ComputationError('CONTROL_INVALID', 'a control stands twice')
  if (names.includes('uncontrolled') && names.length > 1)
    throw new ComputationError(
      'CONTROL_INVALID',
      'uncontrolled stands beside other controls; remove it or them',
    )
  return controls
}

function parseControl(value: unknown): ParsedControl {
  const members =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  const [member] = members
  if (member === undefined || members.length !== 1)
    throw new ComputationError('CONTROL_INVALID', 'a control is an object with one member, its name')
  const [name, parameters] = member as [string, unknown]
  if (!isControlName(name))
    throw new ComputationError(
      'CONTROL_UNKNOWN',
      `there is no control ${JSON.stringify(name.slice(0, 60))}; there are ${Object.keys(controlSchemas).join(', ')}`,
    )
  return { name, value: parseControlValue(name, parameters) }
}

function isControlName(name: string): name is ControlName {
  return Object.hasOwn(controlSchemas, name)
}

/** Controls that this build does not keep: an output that has one is refused before a run, with this reason. */
export function unsupportedControls(controls: readonly ParsedControl[]): readonly ControlName[] {
  return controls.filter(({ name }) => !controlCatalog[name].supported).map(({ name }) => name)
}

/** Of these an output has one: what protects the people in its rows, or says that nothing does. */
const protecting: readonly ControlName[] = ['minimumGroupSize', 'rowsOf', 'uncontrolled']

/**
 * Applies controls in their order.
 * @throws ComputationError `CONTROL_UNSUPPORTED`, `CONTROL_MISSING` where none of minimumGroupSize, rowsOf and uncontrolled is among them, and
 * what each control refuses.
 */
export function applyControls(result: Controlled, controls: readonly ParsedControl[]): Released {
  const [unsupported] = unsupportedControls(controls)
  if (unsupported !== undefined)
    throw new ComputationError(
      'CONTROL_UNSUPPORTED',
      `this build does not keep the control ${unsupported}, so the output does not leave`,
    )
  if (!controls.some(({ name }) => protecting.includes(name)))
    throw new ComputationError('CONTROL_MISSING', `none of ${protecting.join(', ')} is among the controls`)
  let current = result
  const effects = controls.map(({ name, value }): ControlEffect => {
    const control = findControl(name)
    const before = current.table.rows
    const { result: after, changedCells } = control.apply(current, control.parse(value))
    current = after
    return {
      control: name,
      rowsBefore: before,
      rowsAfter: after.table.rows,
      columnsAfter: after.table.columns.length,
      changedCells,
    }
  })
  return { table: current.table, effects }
}

/** What the controls of an output promise, a sentence each, for those who sign. */
export function describeControls(controls: readonly ParsedControl[]): readonly string[] {
  return controls.map(({ name, value }) => {
    if (!controlCatalog[name].supported)
      return `${name}: this build does not keep it, so runs with this output are refused. Promised would be: ${controlCatalog[name].guarantee}.`
    const control = findControl(name)
    return control.describe(control.parse(value))
  })
}

function findControl(name: ControlName): OutputControl<never> & { parse: (value: unknown) => never } {
  const control = Object.hasOwn(outputControls, name)
    ? (outputControls as Partial<Record<ControlName, unknown>>)[name]
    : undefined
  if (control === undefined)
    throw new ComputationError('CONTROL_UNSUPPORTED', `this build does not keep the control ${name}`)
  return control as OutputControl<never> & { parse: (value: unknown) => never }
}
