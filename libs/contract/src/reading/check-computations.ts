/** What computations refer to: datasets, parties with the right roles, columns, kept models. */
import type { ComputationTerms, Control, OutputTerms, ParameterTerms, TrainTerms } from '../terms/terms.js'
import { trainingOutputs } from '../terms/computations.js'
import { controlName, controlValue } from '../terms/controls.js'
import { isAbove } from './check-datasets.js'
import { shown } from './explain-issues.js'
import { checkScores } from './check-scores.js'
import type { Findings } from './references.js'

type Path = readonly (string | number)[]

/** Checks every computation that could be read. */
export function checkComputations(findings: Findings): void {
  const { computations } = findings.draft
  findings.names(['computations'], computations.keys())
  for (const [name, computation] of computations)
    if (computation !== null) checkComputation(findings, name, computation)
}

function checkComputation(findings: Findings, name: string, computation: ComputationTerms): void {
  const path = ['computations', name]
  checkOver(findings, path, computation)
  findings.parties([...path, 'requesters'], computation.requesters, 'requester')
  if (computation.approvals !== undefined)
    checkApprovals(findings, [...path, 'approvals'], computation.approvals)
  findings.names([...path, 'parameters'], Object.keys(computation.parameters))
  for (const [parameter, terms] of Object.entries(computation.parameters))
    checkParameter(findings, [...path, 'parameters', parameter], terms)
  findings.names([...path, 'outputs'], Object.keys(computation.outputs))
  for (const [output, terms] of Object.entries(computation.outputs))
    checkOutput(findings, [...path, 'outputs', output], computation, terms)
  if (computation.kind === 'train') checkTraining(findings, path, computation)
  if (computation.kind === 'infer') checkScores(findings, path, computation)
}

function checkOver(findings: Findings, path: Path, computation: ComputationTerms): void {
  const { datasets } = findings.draft
  computation.over.forEach((dataset, i) => {
    if (!datasets.has(dataset))
      findings.add(
        [...path, 'over', i],
        'the name of a dataset',
        shown(dataset),
        findings.near(dataset, datasets.keys()) ?? 'Use a name of `datasets`.',
      )
  })
}

function checkApprovals(
  findings: Findings,
  path: Path,
  approvals: { from: readonly string[]; count: number },
): void {
  findings.parties([...path, 'from'], approvals.from, 'approver')
  if (approvals.count > approvals.from.length)
    findings.add(
      [...path, 'count'],
      `at most ${approvals.from.length}, the named approvers`,
      String(approvals.count),
      'Name more approvers or write a smaller number.',
    )
}

function checkParameter(findings: Findings, path: Path, parameter: ParameterTerms): void {
  if (!('min' in parameter) || parameter.min === undefined || parameter.max === undefined) return
  if (isAbove(parameter.type, parameter.min, parameter.max))
    findings.add(
      [...path, 'max'],
      `not below ${parameter.min}`,
      shown(parameter.max),
      'Exchange min and max.',
    )
}

function checkOutput(
  findings: Findings,
  path: Path,
  computation: ComputationTerms,
  output: OutputTerms,
): void {
  findings.parties([...path, 'recipients'], output.recipients, 'recipient')
  const { controls } = output
  const kept = controlValue(controls, 'keep') !== undefined
  if (kept && output.recipients.length > 0)
    findings.add(
      [...path, 'recipients'],
      'no recipients of an output that is kept sealed',
      `[${output.recipients.join(', ')}]`,
      'Remove them, or remove `keep: sealed`.',
    )
  if (!kept && output.recipients.length === 0)
    findings.add([...path, 'recipients'], 'at least one recipient', 'none', 'Name who gets this output.')
  checkControls(findings, [...path, 'controls'], computation, controls)
  if (output.rowsOf !== undefined) {
    findings.party([...path, 'rowsOf'], output.rowsOf)
    const owners = ownersRead(findings, computation)
    if (owners !== null && findings.draft.parties.has(output.rowsOf) && !owners.includes(output.rowsOf))
      findings.add(
        [...path, 'rowsOf'],
        'an owner of a dataset that is read',
        output.rowsOf,
        `Name one of ${owners.join(', ')}.`,
      )
  }
}

function checkControls(
  findings: Findings,
  path: Path,
  computation: ComputationTerms,
  controls: readonly Control[],
): void {
  const seen = new Set<string>()
  controls.forEach((control, i) => {
    const name = controlName(control)
    if (seen.has(name)) findings.add([...path, i], 'each control once', `${name} twice`, 'Keep one of them.')
    seen.add(name)
    if ('releaseApproval' in control)
      checkApprovals(findings, [...path, i, 'releaseApproval'], control.releaseApproval)
  })
  if (!seen.has('uncontrolled')) return
  if (controls.length > 1)
    findings.add(
      path,
      'uncontrolled alone',
      'uncontrolled beside other controls',
      'Remove it, or remove the others.',
    )
  const demanding = computation.over.filter((dataset) =>
    Object.values(findings.draft.datasets.get(dataset)?.minimums ?? {}).some(
      (minimum) => minimum.minimumGroupSize > 1,
    ),
  )
  if (demanding.length > 0)
    findings.add(
      path,
      'controls as the owners’ minimums demand',
      `uncontrolled over ${demanding.join(', ')}`,
      'Write minimumGroupSize instead.',
    )
}

// Whether the query gives the columns that are named here, its parser tells.
function checkTraining(findings: Findings, path: Path, computation: TrainTerms): void {
  const { algorithm, target, features, preprocessing, outputs } = computation
  if (algorithm === 'k-means' && target !== undefined)
    findings.add([...path, 'target'], 'no target: k-means has none', shown(target), 'Remove it.')
  if (algorithm !== 'k-means' && target === undefined)
    findings.add([...path, 'target'], 'the column that is learned', 'nothing', 'Name it.')
  if (target !== undefined && features.includes(target))
    findings.add([...path, 'features'], 'features without the target', `the target ${target}`, 'Take it out.')
  for (const [feature, { oneHot, impute }] of Object.entries(preprocessing)) {
    const at = [...path, 'preprocessing', feature]
    if (!features.includes(feature))
      findings.add(
        at,
        'one of the features',
        shown(feature),
        findings.near(feature, features) ?? 'Use a name of `features`.',
      )
    if (oneHot !== undefined && impute !== undefined)
      findings.add(
        [...at, 'impute'],
        'nothing imputed of a text',
        shown(impute),
        'Remove it: a missing text is zero in every column.',
      )
  }
  for (const [name, { controls }] of Object.entries(outputs))
    checkTrainingOutput(findings, path, name, controls)
}

function checkTrainingOutput(
  findings: Findings,
  path: Path,
  name: string,
  controls: readonly Control[],
): void {
  const at = [...path, 'outputs', name]
  if (!trainingOutputs.some((known) => known === name))
    findings.add(
      at,
      `one of ${trainingOutputs.join(', ')}`,
      shown(name),
      findings.near(name, trainingOutputs) ?? 'Name what of the training leaves.',
    )
  const other = controls.find((control) => !wholeModelControls.includes(controlName(control)))
  if (name === 'model' && other !== undefined)
    findings.add(
      [...at, 'controls'],
      `only ${wholeModelControls.join(', ')}: a model leaves whole`,
      controlName(other),
      'Remove it, or name the output coefficients.',
    )
}

/** What changes single numbers would make another model. */
const wholeModelControls: readonly string[] = ['minimumGroupSize', 'keep', 'releaseApproval', 'uncontrolled']

function ownersRead(findings: Findings, computation: ComputationTerms): readonly string[] | null {
  const datasets = computation.over.map((name) => findings.draft.datasets.get(name))
  if (datasets.some((dataset) => dataset === undefined || dataset === null)) return null
  return [...new Set(datasets.flatMap((dataset) => dataset?.owners ?? []))]
}
