/**
 * How each kind of computation is run: in the sandboxed child, and then through the controls here. Both give tables that the controls have
 * passed; a training may give a model's file beside its table, made here of the numbers of that table alone.
 */
import { createHash } from 'node:crypto'
import { toBase64url } from '#libs/canonical'
import {
  describeControls,
  modelCardOf,
  modelFileOf,
  parseTrainingReport,
  releaseOutput,
  releaseTraining,
  type ModelCard,
  type ParsedControl,
  type Released,
} from '#libs/computation'
import type { ReleasedOutput } from '#libs/protocol'
import { limits } from './limits.js'
import type { Work } from './perform.js'
import type { PreparedQuery, PreparedWork } from './plan.js'

type Doing = Pick<Work, 'job' | 'engine' | 'left' | 'simulated'>

/** Runs one output's SQL in the child, and lets its table through the controls. */
export async function computeQuery(work: Doing, { name, prepared }: PreparedQuery): Promise<ReleasedOutput> {
  const { resultRows: maxRows, resultBytes: maxBytes } = limits
  const timeoutMilliseconds = Math.max(1, work.left())
  const table = await work.engine.query(prepared.sql, {}, { maxRows, maxBytes, timeoutMilliseconds })
  const released = releaseOutput(prepared, table)
  return { type: 'sealroom/output/v1', ...documentOf(work, name, released, prepared.controls) }
}

/** Trains once in the child, and lets each output that anybody receives through its controls. */
export async function trainOutputs(
  work: Doing,
  { reviewed, training, train }: Extract<PreparedWork, { kind: 'train' }>,
): Promise<readonly ReleasedOutput[]> {
  const answer = await work.engine.train(training.sql, training.plan, {
    maxRows: limits.trainingRows,
    timeoutMilliseconds: Math.max(1, work.left()),
  })
  const report = parseTrainingReport(answer, training.plan.columns.length)
  const { algorithm } = training.plan
  const card = cardOf(modelCardOf(reviewed, { ...train, algorithm }, report))
  return training.outputs
    .filter(({ name }) => (train.outputs[name]?.recipients.length ?? 0) > 0)
    .map((output): ReleasedOutput => {
      const released = releaseTraining(reviewed, output, report)
      const least = output.minimumGroupSize ?? 0
      const file = output.name === 'model' ? modelFileOf(reviewed, training.plan, report, least) : null
      return {
        type: 'sealroom/training/v1',
        ...documentOf(work, output.name, released, output.controls),
        ...{ card, model: file === null ? null : { onnx: toBase64url(file), sha256: sha256(file) } },
      }
    })
}

function cardOf({ input, ...card }: ModelCard) {
  return { ...card, input: { name: input.name, terms: input.terms.map((term) => ({ ...term })) } }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A released table as the document that is sealed. */
export function documentOf(
  { job, simulated }: Doing,
  output: string,
  { table, effects }: Released,
  controls: readonly ParsedControl[],
): Omit<ReleasedOutput, 'type'> {
  const says = describeControls(controls)
  return {
    contract: job.contract.id,
    run: job.run,
    output,
    table: {
      columns: table.columns.map((column) => ({ name: column.name, type: column.type })),
      rows: table.rows,
      values: table.values.map((column) => [...column]),
    },
    controls: effects.map((effect, i) => ({ ...effect, says: says[i] ?? '' })),
    simulated,
  }
}
