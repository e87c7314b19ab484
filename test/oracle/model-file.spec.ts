import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { modelFileOf, type ReviewedTraining, type TrainingReading } from '#libs/computation'
import { checkModel, parseModel } from '#libs/model'
import { scoreColumns, withModelRuntime } from '#libs/runtime'
import type { TrainingPlan } from '#libs/training'

const [centre, scale, fill, weight, intercept] = [
  [50, 0, 1.5],
  [12.5, 1, 0.25],
  [47, 0, 1.25],
  [0.8, -1.1, 0.3],
  -0.4,
] as const
const rows = [
  [61, 1, 1.75],
  [NaN, 0, NaN],
  [20, 1, -3],
]

const reviewed = {
  terms: ['age', 'male', 'fib4'].map((name) => ({
    name,
    level: null,
    scale: true,
    impute: null,
    text: null,
  })),
} as unknown as ReviewedTraining
const report: TrainingReading = {
  ...{ status: 'trained', iterations: 4, intercept, interceptStandardError: 0.1, support: [40] },
  columns: centre.map((value, i) => ({
    ...{ heldBack: null, fill: fill[i] ?? 0, centre: value, scale: scale[i] ?? 1 },
    ...{ coefficient: weight[i] ?? 0, standardError: 0.1, support: [40] },
  })),
  ...{ metrics: [], confusion: [], calibration: [] },
}

function fileOf(algorithm: TrainingPlan['algorithm']): Uint8Array {
  return modelFileOf(reviewed, { algorithm }, report, 40) ?? new Uint8Array()
}

async function scores(algorithm: TrainingPlan['algorithm']): Promise<Float32Array> {
  const session = await InferenceSession.create(fileOf(algorithm))
  const output = algorithm === 'logistic-regression' ? 'probability' : 'value'
  expect([session.inputNames, session.outputNames]).toEqual([['x'], [output]])
  const results = await session.run({ x: new Tensor('float32', Float32Array.from(rows.flat()), [3, 3]) })
  return results[output]?.data as Float32Array
}

const predictors = rows.map((row) =>
  row.reduce((sum, value, i) => {
    const known = Number.isNaN(value) ? (fill[i] ?? 0) : value
    return sum + ((known - (centre[i] ?? 0)) / (scale[i] ?? 1)) * (weight[i] ?? 0)
  }, intercept),
)

describe('a model’s file', () => {
  it('loads in onnxruntime and foretells what its numbers say, with missing numbers filled', async () => {
    const found = await scores('linear-regression')
    predictors.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(value, 5)
    })
  })

  it('gives probabilities where the target is a truth', async () => {
    const found = await scores('logistic-regression')
    predictors.forEach((value, i) => {
      expect(found[i]).toBeCloseTo(1 / (1 + Math.exp(-value)), 6)
    })
  })

  it.each(['linear-regression', 'logistic-regression'] as const)(
    'of a %s passes every check, and the sandboxed runtime gives the same scores to the last bit',
    async (algorithm) => {
      const model = checkModel(parseModel(fileOf(algorithm)))
      const found = await withModelRuntime({ inputs: 1, outputs: 1 }, async (runtime) => {
        const names = reviewed.terms.map(({ name }) => name)
        const columns = names.map((name, i) => [name, Float32Array.from(rows, (row) => row[i] ?? 0)] as const)
        return scoreColumns(runtime, await runtime.load(model), {
          ...{ rows: rows.length, columns: Object.fromEntries(columns), timeoutMilliseconds: 20_000 },
          mapping: { inputs: { x: names }, output: model.outputs[0]?.name ?? '' },
        })
      })
      expect(found).toEqual({ width: 1, values: await scores(algorithm) })
    },
  )
})
