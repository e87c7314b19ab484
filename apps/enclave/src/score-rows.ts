/**
 * Applies a model to rows: opened, parsed and checked here whatever its owner did before it sealed it; run in a child of its own, which
 * sees the model and numbers and nothing else; scores through the controls here.
 */
import {
  faceMistakes,
  readRowsToScore,
  releaseScores,
  type ModelFace,
  type RowsToScore,
} from '#libs/computation'
import { checkModel, parseModel, type CheckedModel } from '#libs/model'
import type { ReleasedOutput } from '#libs/protocol'
import { scoreColumns, type ModelRuntime, type ModelSession } from '#libs/runtime'
import type { OpenedKeys } from './begin.js'
import { isModel, openModelFile, type FetchedSegment } from './inputs.js'
import { limits } from './limits.js'
import { RunFailure } from './outcome.js'
import type { Work } from './perform.js'
import type { PreparedWork } from './plan.js'
import { documentOf } from './work-kinds.js'

/**
 * Opens the model of a run and checks it: what it could read, how it is built, and that it has the contract's inputs and output.
 * @throws ModelError with the code that refuses; RunFailure `modelRefused` where it is another model than the contract says, or there
 * is none; EnvelopeError `OPEN_FAILED`.
 */
export async function openModel(
  fetched: readonly FetchedSegment[],
  keys: OpenedKeys,
  face: ModelFace,
): Promise<CheckedModel> {
  const [file, ...more] = fetched.filter(isModel)
  if (file === undefined || more.length > 0) throw new RunFailure('modelRefused')
  const bytes = await openModelFile(file, keys)
  const model = checkModel(parseModel(bytes))
  bytes.fill(0)
  if (faceMistakes(model, face).length > 0) throw new RunFailure('modelRefused')
  return model
}

type Doing = Pick<Work, 'job' | 'engine' | 'left' | 'simulated'> & { readonly runtime: ModelRuntime }

/** Scores the rows of each output that anybody receives. */
export async function scoreOutputs(
  work: Doing,
  { outputs, reviewed }: Extract<PreparedWork, { kind: 'infer' }>,
  model: CheckedModel,
): Promise<readonly ReleasedOutput[]> {
  const session = await work.runtime.load(model)
  const documents: ReleasedOutput[] = []
  for (const output of outputs) {
    const caps = {
      maxRows: limits.scoredRows,
      maxBytes: limits.scoredBytes,
      timeoutMilliseconds: timeLeft(work),
    }
    const rows = readRowsToScore(output, await work.engine.query(output.sql, {}, caps))
    const released = releaseScores(output, rows, await scoresOf(work, session, reviewed, rows))
    documents.push({
      type: 'sealroom/output/v1',
      ...documentOf(work, output.name, released, output.controls),
    })
  }
  return documents
}

async function scoresOf(
  work: Doing,
  session: ModelSession,
  { face, features }: Extract<PreparedWork, { kind: 'infer' }>['reviewed'],
  { complete, columns }: RowsToScore,
): Promise<Float32Array | Float64Array> {
  if (complete.length === 0) return new Float32Array(0)
  const names = features.map(({ name }) => name)
  let from = 0
  const inputs = face.inputs.map(
    ({ name, columns: width }) => [name, names.slice(from, (from += width))] as const,
  )
  const { values } = await scoreColumns(work.runtime, session, {
    rows: complete.length,
    columns,
    mapping: { inputs: Object.fromEntries(inputs), output: face.output.name },
    timeoutMilliseconds: timeLeft(work),
  })
  return values
}

function timeLeft({ left }: Doing): number {
  return Math.max(1, left())
}
