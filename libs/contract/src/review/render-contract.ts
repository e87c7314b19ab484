/**
 * The text that people read and sign: made from the canonical terms alone, so that nothing stands in it that is not signed, and
 * everything that is signed stands in it. A test changes every field and looks whether the text changes.
 */
import { controlValue } from '../terms/controls.js'
import { effectiveControls, requiredGroupSize } from '../terms/questions.js'
import type {
  ColumnTerms,
  ComputationTerms,
  ContractTerms,
  DatasetTerms,
  EnclaveTerms,
  ModelTerms,
  OutputTerms,
  ParameterTerms,
  TrainTerms,
} from '../terms/terms.js'
import { guaranteeOf, isModelFile, modelFileText, scoresText } from './guarantees.js'
import { summaryOf } from './party-summary.js'

/** The contract in plain words, lines ended by line feeds. */
export function renderContract(terms: ContractTerms): string {
  const sections = [
    [
      `CONTRACT ${terms.name}`,
      'Purpose:',
      ...quoted(terms.purpose, '  '),
      `Valid from ${terms.valid.from} until the end of ${terms.valid.until}, UTC. (${terms.sealroom})`,
    ],
    partiesText(terms),
    [
      'WHAT EACH GIVES AND GETS',
      ...Object.keys(terms.parties).flatMap((label) => summaryOf(terms, label).map((line) => `  ${line}`)),
    ],
    governanceText(terms),
    [
      'DATA',
      ...Object.entries(terms.datasets).flatMap(([name, dataset]) => datasetText(terms, name, dataset)),
    ],
    [
      'WHAT MAY RUN, AND WHAT LEAVES',
      ...Object.entries(terms.computations).flatMap(([name, computation]) =>
        computationText(terms, name, computation),
      ),
    ],
    [
      'WHERE IT RUNS: an enclave that meets one of these entries in full',
      ...terms.enclaves.flatMap(enclaveText),
    ],
    runsText(terms),
    logText(terms),
  ]
  return sections.map((lines) => lines.join('\n')).join('\n\n') + '\n'
}

function partiesText({ parties }: ContractTerms): string[] {
  return [
    'PARTIES',
    ...Object.entries(parties).map(
      ([label, party]) => `  ${label}: ${party.roles.join(', ')}; consent key ${party.key}`,
    ),
  ]
}

function governanceText({ governance }: ContractTerms): string[] {
  const { amend } = governance
  return [
    'GOVERNANCE',
    `  Must be signed by each of: ${governance.signatories.join(', ')}, by the end of ${governance.proposalExpires}, UTC.`,
    `  Amendments are signed by ${amend === 'all' ? 'all signatories' : `at least ${amend.count} signatories`}.`,
    `  May end it, and revoke builds and chips for everybody: ${governance.revokers.join(', ') || 'nobody'}. Any data owner may withdraw its data at once, alone.`,
    ...(governance.supersedes === undefined ? [] : [`  Supersedes contract ${governance.supersedes}.`]),
  ]
}

function datasetText(terms: ContractTerms, name: string, dataset: DatasetTerms): string[] {
  const pins = Object.entries(dataset.pins).map(
    ([owner, manifest]) => `    ${owner}: only version ${manifest}`,
  )
  const minimums = Object.entries(dataset.minimums).map(
    ([owner, minimum]) =>
      `    ${owner} demands groups of at least ${minimum.minimumGroupSize} people in every output.`,
  )
  const budget = Object.hasOwn(terms.budgets, name) ? terms.budgets[name] : undefined
  const reseal = dataset.reseal
  return [
    `  ${name} (${dataset.kind}), from ${dataset.owners.join(', ')}`,
    ...minimums,
    ...pins,
    ...(reseal === undefined
      ? ['    Its keys are never changed: a key that is exposed once opens this data for ever.']
      : [
          `    Sealed anew ${[reseal.afterReleases && `after ${reseal.afterReleases} releases`, reseal.afterDays && `after ${reseal.afterDays} days`].filter(Boolean).join(' or ')}.`,
        ]),
    ...(budget === undefined ? [] : [`    Privacy budget: ε = ${budget.epsilon}, δ = ${budget.delta}.`]),
    ...(dataset.kind === 'model' ? modelText(dataset) : tableText(dataset)),
  ]
}

function modelText({ format, inputs, output }: ModelTerms): string[] {
  const each = (columns: number) => (columns === 1 ? 'one number' : `${columns} numbers`)
  return [
    `    Format ${format}. Its weights are shown to nobody; an enclave refuses a model that has another face than this:`,
    ...inputs.map(
      ({ name, type, columns }) => `      takes ${JSON.stringify(name)}: ${each(columns)} a row, ${type}`,
    ),
    `      gives ${JSON.stringify(output.name)}: ${each(output.columns)} a row, ${output.type}; nothing else of it is ever given`,
  ]
}

function tableText(table: Extract<DatasetTerms, { kind: 'table' }>): string[] {
  const columns = Object.entries(table.columns).map(([name, column]) => `    ${name}: ${columnText(column)}`)
  const segments = Object.entries(table.segments ?? {}).map(
    ([name, list]) => `    sealed together as ${name}: ${list.join(', ')}`,
  )
  return [`    People are told apart by ${table.unit}.`, ...columns, ...segments]
}

function columnText(column: ColumnTerms): string {
  const bounds =
    'min' in column || 'max' in column
      ? ` from ${column.min ?? 'unbounded'} to ${column.max ?? 'unbounded'}`
      : ''
  const use =
    column.use.length === 0
      ? 'never used in a free query'
      : `free queries may use it for ${column.use.join(', ')}`
  return `${column.type}${bounds}${column.nullable ? ', may be missing' : ''}; ${use}`
}

function computationText(terms: ContractTerms, name: string, computation: ComputationTerms): string[] {
  const { approvals } = computation
  return [
    `  ${name} (${computation.kind}), over ${computation.over.join(', ')}`,
    ...workText(computation),
    `    Asked for by ${computation.requesters.join(', ')}; at most ${computation.limit} runs and ${computation.failures} failures.`,
    approvals === undefined
      ? '    Needs no approval of a run.'
      : `    Each run needs ${approvals.count} of ${approvals.from.join(', ')} to approve.`,
    ...Object.entries(computation.parameters).map(
      ([parameter, declared]) => `    parameter ${parameter}: ${parameterText(declared)}`,
    ),
    ...Object.entries(computation.outputs).flatMap(([output, declared]) =>
      outputText(terms, computation, output, declared),
    ),
  ]
}

function workText(computation: ComputationTerms): string[] {
  switch (computation.kind) {
    case 'sql':
      return ['    Exactly this query:', ...quoted(computation.query, '      ')]
    case 'sql-aggregate':
      return ['    Any query that the columns’ uses allow.']
    case 'train':
      return [
        `    Trains ${computation.algorithm} of ${computation.features.join(', ')}${computation.target === undefined ? '' : ` to tell ${computation.target}`}, with a penalty of ${computation.l2}.`,
        ...Object.entries(computation.preprocessing).map(([feature, steps]) => preparedText(feature, steps)),
        computation.split === undefined
          ? '      Nobody is held out for a test.'
          : `      Held out for a test: the part ${computation.split.test} of all units, by a hash that begins with ${JSON.stringify(computation.split.seed)}.`,
        '    On the rows of exactly this query, which stay inside:',
        ...quoted(computation.query, '      '),
      ]
    case 'infer':
      return [
        `    Applies the model ${computation.model} to ${computation.features.join(', ')}, in this order.`,
        '      A row that misses one of them gets no score: nothing is filled in.',
        '    On the rows of exactly this query, which stay inside:',
        ...quoted(computation.query, '      '),
      ]
  }
}

function preparedText(
  feature: string,
  { oneHot, scale, impute }: TrainTerms['preprocessing'][string],
): string {
  const steps = [
    ...(oneHot === undefined
      ? []
      : [`a column each for ${oneHot.map((text) => JSON.stringify(text)).join(', ')}`]),
    scale === 'standard' ? 'scaled by its mean and deviation' : 'as it is',
    ...(impute === undefined ? [] : [`where missing, ${impute}`]),
  ]
  return `      ${feature}: ${steps.join('; ')}.`
}

function outputText(
  terms: ContractTerms,
  computation: ComputationTerms,
  name: string,
  output: OutputTerms,
): string[] {
  const who = output.recipients.length === 0 ? 'nobody' : output.recipients.join(', ')
  const own = controlValue(output.controls, 'minimumGroupSize')
  const groups = requiredGroupSize(terms, output, computation.over)
  const raised =
    own !== undefined && groups > own
      ? `      (The output itself asks for ${own}; owners demand more.)`
      : undefined
  return [
    `    ${who} ${output.recipients.length > 1 ? 'get' : 'gets'} ${name}:`,
    ...(isModelFile(computation, name, output) ? [`      ${modelFileText}`] : []),
    ...(computation.kind === 'infer' ? [`      ${scoresText(terms, computation, output)}`] : []),
    ...effectiveControls(terms, output, computation.over).map((control) => `      ${guaranteeOf(control)}`),
    ...(raised === undefined ? [] : [raised]),
  ]
}

function parameterText(parameter: ParameterTerms): string {
  const oneOf =
    'oneOf' in parameter && parameter.oneOf !== undefined
      ? `, one of ${parameter.oneOf.map((value) => JSON.stringify(value)).join(', ')}`
      : ''
  const length =
    parameter.type === 'string' && parameter.maxLength !== undefined
      ? `, at most ${parameter.maxLength} characters`
      : ''
  const range =
    'min' in parameter || 'max' in parameter
      ? ` from ${parameter.min ?? 'unbounded'} to ${parameter.max ?? 'unbounded'}`
      : ''
  return `${parameter.type}${range}${length}${oneOf}`
}

function enclaveText(entry: EnclaveTerms): string[] {
  const { tee, maximumAgeSeconds, ...demands } = entry
  const simulated = tee === 'simulated' ? ' – SIMULATED: IT PROTECTS NOTHING' : ''
  return [
    `  ${tee}${simulated}, evidence at most ${maximumAgeSeconds} seconds old`,
    ...Object.entries(demands).flatMap(([name, value]) =>
      value === undefined ? [] : [`    ${name}: ${demandText(value)}`],
    ),
  ]
}

function demandText(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, member]) => `${name} ${demandText(member)}`)
    .join('; ')
}

function runsText({ runs }: ContractTerms): string[] {
  return [
    'RUNS',
    `  A run ends when an owner’s lease of ${runs.leaseSeconds} seconds is not renewed, or after ${runs.maximumSeconds} seconds.`,
    `  Results and failures leave on a grid of ${runs.timeGridMilliseconds} ms; a result that is not in the record within ${runs.recordWaitSeconds} seconds never leaves.`,
    `  Where nothing else is said, at most ${runs.failures} failures. An enclave is used again: ${runs.reuse === 'never' ? 'never' : 'for runs of this contract'}.`,
  ]
}

function logText({ log }: ContractTerms): string[] {
  return [
    'RECORD',
    `  Log ${log.origin}, key ${log.key}, coordinator ${log.coordinator}.`,
    `  Cosigned by ${log.witnesses.join(', ')}; ${log.quorum} of them, each data owner of a run among them, before a result of it leaves.`,
    // The secret of the pseudonyms is signed but not shown: what is rendered gets copied into mails.
    '  It begins at this checkpoint:',
    ...quoted(log.checkpoint, '    '),
  ]
}

// A mark before each line, so that no text of an author can pass for a line of ours.
function quoted(text: string, indent: string): string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `${indent}| ${line}`)
}
