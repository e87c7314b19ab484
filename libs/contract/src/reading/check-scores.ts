/** What an inference refers to: a model with a known face, features that fill it, and owners who get their own rows back. */
import { controlValue } from '../terms/controls.js'
import { modelSourceOf, ownersBehind } from '../terms/questions.js'
import type { DatasetTerms, InferTerms, ModelTerms, OutputTerms, TrainTerms } from '../terms/terms.js'
import { shown } from './explain-issues.js'
import type { Findings } from './references.js'

type Path = readonly (string | number)[]

/** Checks what is particular to an inference. Whether its query gives the features, its parser tells. */
export function checkScores(findings: Findings, path: Path, computation: InferTerms): void {
  const model = checkModel(findings, path, computation)
  if (model?.kind === 'model') checkFeatures(findings, path, computation, model)
  if (model?.kind === 'train') checkLearned(findings, path, computation, model)
  for (const [name, output] of Object.entries(computation.outputs))
    checkScoresOutput(findings, [...path, 'outputs', name], computation, output)
}

/** The model's terms where it is a dataset of this contract, those of the training where one keeps it. */
function checkModel(findings: Findings, path: Path, computation: InferTerms): ModelTerms | TrainTerms | null {
  const source = modelSourceOf(computation)
  const { datasets, computations } = findings.draft
  const problem = () => {
    findings.add(
      [...path, 'model'],
      'a dataset of kind model, or computation.output of a kept model',
      shown(computation.model),
      'Name a dataset of kind model, or write like risk_model.model.',
    )
    return null
  }
  if (source.kind === 'dataset') {
    const dataset = datasets.get(source.dataset)
    if (dataset?.kind === 'model') return dataset
    return dataset === null ? null : problem()
  }
  const training = computations.get(source.computation)
  if (training === null) return null
  if (training?.kind !== 'train') return problem()
  // Only this output of a training is a model; its measures may be kept, and nothing can be scored with them.
  const output = source.output === 'model' ? training.outputs[source.output] : undefined
  return output !== undefined && controlValue(output.controls, 'keep') !== undefined ? training : problem()
}

// What a kept model takes is known by the names that it learned from: another order would be another person's numbers in each place.
function checkLearned(
  findings: Findings,
  path: Path,
  { model, features }: InferTerms,
  training: TrainTerms,
): void {
  const learned = training.features
  if (features.length === learned.length && features.every((name, i) => name === learned[i])) return
  findings.add(
    [...path, 'features'],
    `[${learned.join(', ')}], what ${model} was trained on, in this order`,
    `[${features.join(', ')}]`,
    'Give the columns of the query these names by `as`, and list them in this order.',
  )
}

function checkFeatures(
  findings: Findings,
  path: Path,
  { model, features }: InferTerms,
  { inputs }: ModelTerms,
): void {
  const taken = inputs.reduce((sum, { columns }) => sum + columns, 0)
  if (features.length !== taken)
    findings.add(
      [...path, 'features'],
      `${taken} features, as many as the inputs of ${model} take`,
      String(features.length),
      'Name them in the order of the inputs.',
    )
}

function checkScoresOutput(
  findings: Findings,
  path: Path,
  computation: InferTerms,
  output: OutputTerms,
): void {
  const { rowsOf, recipients, controls } = output
  if (controlValue(controls, 'minimumGroupSize') !== undefined)
    findings.add(
      [...path, 'controls'],
      'no minimumGroupSize: each score rests on one person, so no group size can hold',
      'minimumGroupSize',
      'Name the owner whose rows it holds (`rowsOf`) instead.',
    )
  if (rowsOf === undefined) {
    if (controlValue(controls, 'uncontrolled') === undefined && controlValue(controls, 'keep') === undefined)
      findings.add(
        path,
        'rowsOf, or controls that say uncontrolled: each score rests on one person',
        'neither',
        'Write `rowsOf: north` for an output that north alone gets, of its own rows.',
      )
    return
  }
  if (recipients.length !== 1 || recipients[0] !== rowsOf)
    findings.add(
      [...path, 'recipients'],
      `${rowsOf} alone, whose rows these are`,
      `[${recipients.join(', ')}]`,
      `Write \`recipients: [${rowsOf}]\`; give others an output of their own rows.`,
    )
  const { draft } = findings
  const datasets = Object.fromEntries(
    [...draft.datasets].flatMap(([name, one]) => (one === null ? [] : [[name, one]])),
  )
  for (const owner of ownersBehind({ datasets }, computation.over, rowsOf)) {
    const demanded = Math.max(...computation.over.map((name) => demandOf(datasets[name], owner)))
    if (demanded > 1)
      findings.add(
        [...path, 'rowsOf'],
        `no joined scores: ${owner} demands groups of ${demanded} in every output that rests on its rows`,
        rowsOf,
        `Score datasets of ${rowsOf} alone, or let ${owner} demand less.`,
      )
  }
}

function demandOf(dataset: DatasetTerms | undefined, owner: string): number {
  const minimums = dataset?.minimums ?? {}
  return Object.hasOwn(minimums, owner) ? (minimums[owner]?.minimumGroupSize ?? 1) : 1
}
