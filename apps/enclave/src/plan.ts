/**
 * What the contract's computation reads and how it is run, from the signed text alone: parsed in a sandboxed child that will never see
 * data, translated to the small form, from which SQL is generated. The engine never runs a party's text.
 */
import {
  groupSizeFor,
  modelFaceOf,
  parseControls,
  prepareOutput,
  prepareScoring,
  prepareTraining,
  queryTables,
  reviewComputation,
  reviewScoring,
  reviewTraining,
  unsupportedControls,
  type ParameterSet,
  type PreparedOutput,
  type PreparedScores,
  type PreparedTraining,
  type ReviewedComputation,
  type ReviewedScoring,
  type ReviewedTraining,
} from '#libs/computation'
import {
  decide,
  reasonsOf,
  type ColumnTerms,
  type InferTerms,
  type QueryFact,
  type SqlTerms,
  type TrainTerms,
} from '#libs/contract'
import type { ColumnRule, Engine, LoadTable } from '#libs/engine'
import { checkQueryText, maximumGroupSize } from '#libs/query'
import { EnclaveError, isCoded } from './errors.js'
import { requestFact } from './begin.js'
import type { Job } from './verify-job.js'

/** What is done with opened data, understood. */
export type Reviewed =
  | ({ readonly kind: 'sql' } & ReviewedComputation)
  | ({ readonly kind: 'train' } & ReviewedTraining)
  | ({ readonly kind: 'infer' } & ReviewedScoring)

/** A computation that was understood, or why it was not. */
export interface Plan {
  readonly fact: QueryFact
  /** Null where `fact` names a fault. */
  readonly reviewed: Reviewed | null
}

/** A plan that may be run. */
export type RunnablePlan = Plan & { readonly reviewed: Reviewed }

/** Reads the contract's query. What is not understood is a fault in the plan, which `decide` refuses. */
export async function planComputation(
  { computation, contract }: Job,
  parser: Pick<Engine, 'parse'>,
): Promise<Plan> {
  if (computation.kind === 'sql-aggregate')
    return { fact: { reads: computation.over, fault: null }, reviewed: null }
  try {
    checkQueryText(computation.query)
    const tree = await parser.parse(computation.query)
    const reviewed = review(contract.terms.datasets, computation, tree)
    expectControllable(contract.terms.datasets, computation, reviewed)
    return { fact: { reads: reviewed.reads, fault: null }, reviewed }
  } catch (error) {
    if (!isCoded(error)) throw error
    return { fact: { reads: [], fault: error.code }, reviewed: null }
  }
}

type Datasets = Parameters<typeof groupSizeFor>[0]

function review(
  datasets: Datasets,
  computation: SqlTerms | TrainTerms | InferTerms,
  tree: unknown,
): Reviewed {
  switch (computation.kind) {
    case 'sql':
      return { kind: 'sql', ...reviewComputation(datasets, computation, tree) }
    case 'train':
      return { kind: 'train', ...reviewTraining(datasets, computation, tree) }
    case 'infer':
      return {
        kind: 'infer',
        ...reviewScoring(datasets, computation, modelFaceOf(datasets, computation), tree),
      }
  }
}

/**
 * Refuses what the contract's own bytes show cannot run, before anybody is asked to release anything.
 * @throws EnclaveError `DECISION_REFUSED` with the rules that say no.
 */
export function expectRunnable(job: Job, plan: Plan): RunnablePlan {
  const verdict = decide(job.contract, 'start', { request: requestFact(job), query: plan.fact })
  const reasons = verdict.decision === 'deny' ? reasonsOf(verdict) : []
  const { reviewed } = plan
  if (reasons.length > 0 || reviewed === null)
    throw new EnclaveError(
      'DECISION_REFUSED',
      `the run is refused: ${reasons.map(({ text }) => text).join(' ') || 'its kind of computation is not supported'}`,
    )
  return { fact: plan.fact, reviewed }
}

/** By dataset, the columns that are read, the privacy unit among them. */
export function columnsOf({ reviewed }: RunnablePlan): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(Object.entries(reviewed.columns).map(([dataset, columns]) => [dataset, new Set(columns)]))
}

/** The tables that the engine loads, with the contract's rules for every column that is read. */
export function engineTables(
  { contract: { terms } }: Job,
  { reviewed }: RunnablePlan,
): readonly Omit<LoadTable, 'parts'>[] {
  return queryTables(terms.datasets, reviewed.reads).map(({ name, unit }) => {
    const dataset = terms.datasets[name]
    const rules = dataset?.kind === 'table' ? dataset.columns : {}
    const columns = (reviewed.columns[name] ?? []).map(
      (column) => [column, ruleOf(rules[column], column)] as const,
    )
    return { name, unit, columns: Object.fromEntries(columns) }
  })
}

/** What is run once parameters are known, and under which group size each output that anybody receives leaves. */
export type PreparedWork = {
  readonly groupSizes: Readonly<Record<string, number>>
} & (
  | { readonly kind: 'sql'; readonly outputs: readonly PreparedQuery[] }
  | {
      readonly kind: 'train'
      readonly train: TrainTerms
      readonly reviewed: ReviewedTraining
      readonly training: PreparedTraining
    }
  | {
      readonly kind: 'infer'
      readonly reviewed: ReviewedScoring
      readonly outputs: readonly PreparedScores[]
    }
)

/** An output of a query, with its SQL under its controls. */
export interface PreparedQuery {
  readonly name: string
  readonly prepared: PreparedOutput
}

/** Prepares everything that the run will do with opened data. */
export function prepareWork(job: Job, { reviewed }: RunnablePlan, parameters: ParameterSet): PreparedWork {
  const { contract, computation } = job
  if (reviewed.kind === 'train') {
    if (computation.kind !== 'train')
      throw new EnclaveError('ASSIGNMENT_INVALID', 'the plan is a training, the computation is none')
    const training = prepareTraining(contract.terms.datasets, reviewed, computation, parameters)
    return {
      kind: 'train',
      train: computation,
      reviewed,
      training,
      groupSizes: groupSizesOf(training.outputs),
    }
  }
  if (reviewed.kind === 'infer') {
    const outputs = prepareScoring(contract.terms.datasets, reviewed, computation, parameters)
    // Every score rests on one unit; that this is enough for its output, `decide` says.
    const sizes = outputs.map(({ name }) => ({ name, minimumGroupSize: 1 }))
    return { kind: 'infer', reviewed, outputs, groupSizes: groupSizesOf(sizes) }
  }
  const outputs = prepareQueries(job, reviewed, parameters)
  const sizes = outputs.map(({ name, prepared }) => ({ ...prepared, name }))
  return { kind: 'sql', outputs, groupSizes: groupSizesOf(sizes) }
}

function groupSizesOf(
  outputs: readonly { readonly name: string; readonly minimumGroupSize: number | null }[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(outputs.map(({ name, minimumGroupSize }) => [name, minimumGroupSize ?? 1]))
}

function prepareQueries(
  { contract: { terms }, computation }: Job,
  reviewed: ReviewedComputation,
  parameters: ParameterSet,
): readonly PreparedQuery[] {
  return Object.entries(computation.outputs)
    .filter(([, output]) => output.recipients.length > 0)
    .map(([name, output]) => ({
      name,
      prepared: prepareOutput(terms.datasets, reviewed, output, parameters),
    }))
}

// Parameters are not known yet; everything else that `prepareOutput` will ask for is asked here.
function expectControllable(
  datasets: Datasets,
  computation: Job['computation'],
  { kind, reads }: Reviewed,
): void {
  // Of scores the review has asked it: their group is one person.
  if (kind === 'infer') return
  for (const [name, output] of Object.entries(computation.outputs)) {
    const unsupported = unsupportedControls(parseControls(output.controls))
    if (unsupported.length > 0 || (groupSizeFor(datasets, output, reads) ?? 1) > maximumGroupSize)
      throw new EnclaveError('DECISION_REFUSED', `the controls of output ${name} cannot be applied`)
  }
}

function ruleOf(terms: ColumnTerms | undefined, column: string): ColumnRule {
  if (terms === undefined)
    throw new EnclaveError('ASSIGNMENT_INVALID', `the contract has no column ${column}`)
  const { type, nullable } = terms
  return 'min' in terms || 'max' in terms
    ? { type, nullable, min: terms.min, max: terms.max }
    : { type, nullable }
}
