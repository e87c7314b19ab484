/** What each control guarantees, in one sentence for the people who sign. */
import { ownersBehind } from '../terms/questions.js'
import type { ComputationTerms, ContractTerms, Control, OutputTerms } from '../terms/terms.js'
import { controlName, controlValue, type ControlName } from '../terms/controls.js'

const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record)
    .map(([column, value]) => `${column} (${value})`)
    .join(', ')

type Guarantees = {
  [Name in ControlName]: (control: Extract<Control, Readonly<Record<Name, unknown>>>) => string
}

const guarantees: Guarantees = {
  minimumGroupSize: (control) =>
    `Each row rests on at least ${control.minimumGroupSize} different people of every owner whose data is read; smaller groups are left out.`,
  roundTo: (control) => `Numbers are rounded to steps: ${pairs(control.roundTo)}.`,
  clamp: (control) =>
    `Numbers are moved into ranges: ${Object.entries(control.clamp)
      .map(([column, range]) => `${column} (${range.min} to ${range.max})`)
      .join(', ')}.`,
  topCode: (control) => `Values above a bound are shown as the bound: ${pairs(control.topCode)}.`,
  maxRows: (control) => `At most ${control.maxRows} rows leave.`,
  columns: (control) => `Only these columns leave: ${control.columns.join(', ')}.`,
  differentialPrivacy: ({ differentialPrivacy: { epsilon, delta, mechanism } }) =>
    `Noise (${mechanism}) hides each person’s part up to ε = ${epsilon}, δ = ${delta}.`,
  releaseApproval: ({ releaseApproval: { from, count } }) =>
    `The result can be opened only after ${count} of ${from.join(', ')} agreed.`,
  keep: () => 'It never leaves; computations of this contract may use it.',
  uncontrolled: (control) =>
    `IT LEAVES AS COMPUTED, with no protection of single people. Reason given: ${control.uncontrolled}`,
}

/** Whether an output is a fitted model that goes to somebody, as a file that runs anywhere. */
export function isModelFile({ kind }: ComputationTerms, name: string, { controls }: OutputTerms): boolean {
  return kind === 'train' && name === 'model' && controlValue(controls, 'keep') === undefined
}

/** What such an output is, in one sentence. */
export const modelFileText =
  'It is a model file (ONNX) with its card, which whoever has it can apply anywhere, as often as it likes. What fewer people than the group size have or lack is left out before it is learned.'

/** Whose scores an output holds, and beside what, in one sentence. */
export function scoresText(
  terms: Pick<ContractTerms, 'datasets'>,
  { over }: Pick<ComputationTerms, 'over'>,
  { rowsOf }: OutputTerms,
): string {
  if (rowsOf === undefined)
    return 'It holds the scores of all rows, sorted, without saying whose each one is.'
  const others = ownersBehind(terms, over, rowsOf)
  const joined =
    others.length > 0 ? ` A score may tell what ${others.join(', ')} know of the same person.` : ''
  return `It holds scores of rows that ${rowsOf} itself sealed, each beside its unit, and none of another owner’s rows.${joined}`
}

/** The guarantee of a control in one sentence. */
export function guaranteeOf(control: Control): string {
  const tell = guarantees[controlName(control)] as (control: Control) => string
  return tell(control)
}
