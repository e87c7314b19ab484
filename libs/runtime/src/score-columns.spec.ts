import { checkModel, logisticModel, type CheckedModel, type Model } from '#libs/model'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startModelRuntime, type ModelRuntime } from './model-runtime.node.js'
import type { ModelSession } from './model-session.node.js'
import { scoreColumns, type ScoreRequest } from './score-columns.node.js'

const base = logisticModel([0.5, -1], 0.25)

function typed(type: 'int64' | 'bool'): CheckedModel {
  const cast = {
    ...{ name: '', domain: '', operator: 'Cast', inputs: ['flag'], outputs: ['score'] },
    attributes: [{ name: 'to', kind: 'int', value: 1n }] as const,
  }
  const graph: Model['graph'] = {
    ...{ name: 'cast', nodes: [cast], initializers: [], inputs: [{ name: 'flag', type, shape: ['n'] }] },
    outputs: [{ name: 'score', type: 'float32', shape: ['n'] }],
  }
  return checkModel({ ...base, graph })
}

describe('scoreColumns', () => {
  let runtime: ModelRuntime
  let session: ModelSession
  const request: ScoreRequest = {
    rows: 3,
    columns: {
      age: Float64Array.of(1, 2, 3),
      stay: Float32Array.of(0.5, 0, -1),
      ward: Int32Array.of(7, 8, 9),
    },
    mapping: { inputs: { rows: ['stay', 'age'] }, output: 'scores' },
    timeoutMilliseconds: 10_000,
  }

  beforeAll(async () => {
    runtime = await startModelRuntime({ inputs: 1, outputs: 1 })
    session = await runtime.load(checkModel(base))
  })
  afterAll(() => runtime.close())

  it('puts columns into the input in the order of the mapping, one score per row', async () => {
    const { width, values } = await scoreColumns(runtime, session, request)
    expect(width).toBe(1)
    const expected = [0, 1, 2].map((row) => {
      const sum = 0.5 * request.columns['stay']![row]! - request.columns['age']![row]! + 0.25
      return 1 / (1 + Math.exp(-sum))
    })
    expect([...values]).toEqual(expected.map((score) => expect.closeTo(score, 6) as number))
  })

  it('takes whole numbers and truth values exactly, or refuses them', async () => {
    for (const [type, values] of [
      ['int64', [1, -2, 2 ** 40]],
      ['bool', [0, 1, 1]],
    ] as const) {
      const other = await runtime.load(typed(type))
      const mapping = { inputs: { flag: ['x'] }, output: 'score' }
      const good = { ...request, columns: { x: Float64Array.from(values) }, mapping }
      expect([...(await scoreColumns(runtime, other, good)).values]).toEqual([...values])
      for (const bad of [0.5, Number.NaN, 2 ** 60]) {
        const columns = { x: Float64Array.of(0, 1, bad) }
        await expect(scoreColumns(runtime, other, { ...good, columns })).rejects.toMatchObject({
          code: 'REQUEST_INVALID',
        })
      }
    }
  })

  it('puts columns of eight bytes together without touching a bit', async () => {
    const graph: Model['graph'] = {
      ...{ name: 'same', initializers: [] },
      nodes: [
        { name: '', domain: '', operator: 'Identity', inputs: ['pair'], outputs: ['same'], attributes: [] },
      ],
      inputs: [{ name: 'pair', type: 'float64', shape: ['n', 2] }],
      outputs: [{ name: 'same', type: 'float64', shape: ['n', 2] }],
    }
    const other = await runtime.load(checkModel({ ...base, graph }))
    const a = Float64Array.of(1 / 3, -0, Number.NaN)
    const b = Float64Array.of(5e-324, Number.MAX_VALUE, -1)
    const mapping = { inputs: { pair: ['a', 'b'] }, output: 'same' }
    const { width, values } = await scoreColumns(runtime, other, { ...request, columns: { a, b }, mapping })
    expect(width).toBe(2)
    expect([...values]).toEqual([1 / 3, 5e-324, -0, Number.MAX_VALUE, Number.NaN, -1])
  })

  const wrong: [name: string, change: Partial<ScoreRequest>][] = [
    ['a column missing', { columns: { age: Float64Array.of(1, 2, 3) } }],
    ['a column too short', { columns: { ...request.columns, stay: Float32Array.of(1) } }],
    [
      'a column named like a method',
      { mapping: { inputs: { rows: ['age', 'toString'] }, output: 'scores' } },
    ],
    ['too few columns for an input', { mapping: { inputs: { rows: ['age'] }, output: 'scores' } }],
    ['an input left out', { mapping: { inputs: {}, output: 'scores' } }],
    [
      'an input that is not there',
      { mapping: { inputs: { rows: ['age', 'stay'], x: [] }, output: 'scores' } },
    ],
    ['an output that is not there', { mapping: { inputs: { rows: ['age', 'stay'] }, output: 'sum' } }],
  ]
  it.each(wrong)('refuses a request with %s', async (_name, change) => {
    await expect(scoreColumns(runtime, session, { ...request, ...change })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
  })
})
