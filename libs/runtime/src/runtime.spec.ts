import { readSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import {
  checkModel,
  floatTensor,
  logisticModel,
  type Attribute,
  type CheckedModel,
  type Model,
  type ModelNode,
} from '#libs/model'
import type { MemoryFile } from '#libs/engine'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeError } from './errors.js'
import { startModelRuntime, withModelRuntime, type ModelRuntime } from './model-runtime.node.js'
import type { ModelSession, RowsRun } from './model-session.node.js'

const rows = 5000
const timeoutMilliseconds = 20_000
const weights = Array.from({ length: 7 }, (_, index) => Math.sin(index + 1))
const scorer = checkModel(logisticModel(weights, 0.25))
const table = Float32Array.from({ length: rows * 7 }, (_, index) => Math.cos(index * 1.7))

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
const floats = (bytes: Uint8Array | undefined): Float32Array =>
  new Float32Array(Uint8Array.from(bytes ?? []).buffer)

function contentOf(file: MemoryFile): Uint8Array {
  const bytes = new Uint8Array(file.size())
  readSync(file.fd, bytes, 0, bytes.length, 0)
  return bytes
}

async function outside(model: CheckedModel): Promise<Float32Array> {
  const session = await InferenceSession.create(model.bytes)
  const result = await session.run({ rows: new Tensor('float32', table, [rows, 7]) })
  return result['scores']!.data as Float32Array
}

/** A training step: the gradient of a squared loss, summed over a block. */
function gradientModel(): Model {
  const node = (
    operator: string,
    inputs: string[],
    output: string,
    attributes: ModelNode['attributes'] = [],
  ) => ({
    ...{ name: output, domain: '', operator, inputs, outputs: [output], attributes },
  })
  return {
    irVersion: 8,
    opsets: [{ domain: '', version: 13 }],
    graph: {
      name: 'gradient',
      nodes: [
        node('MatMul', ['x', 'w'], 'z'),
        node('Sub', ['z', 'y'], 'e'),
        node('Gemm', ['x', 'e'], 'g', [{ name: 'transA', kind: 'int', value: 1n }]),
      ],
      initializers: [],
      inputs: [
        { name: 'x', type: 'float32', shape: ['n', 2] },
        { name: 'y', type: 'float32', shape: ['n', 1] },
        { name: 'w', type: 'float32', shape: [2, 1] },
      ],
      outputs: [{ name: 'g', type: 'float32', shape: [2, 1] }],
    },
  }
}

describe('ModelRuntime', () => {
  let runtime: ModelRuntime
  let session: ModelSession
  let run: RowsRun

  beforeAll(async () => {
    runtime = await startModelRuntime({ inputs: 3, outputs: 1 })
    await runtime.inputs[0]!.write(bytesOf(table), 0)
    session = await runtime.load(scorer)
    const into = { scores: { file: runtime.outputs[0]! } }
    run = { rows, feeds: { rows: [{ file: runtime.inputs[0]! }] }, into, timeoutMilliseconds }
  })
  afterAll(() => runtime.close())

  it('gives the scores that the model gives outside, to the last bit', async () => {
    await session.runRows({ ...run, blockRows: 1024 })
    expect(floats(contentOf(runtime.outputs[0]!))).toEqual(await outside(scorer))
  })

  it('gives the same scores from columns of their own', async () => {
    const columns = Array.from({ length: 7 }, (_, column) =>
      Float32Array.from({ length: rows }, (__, row) => table[row * 7 + column]!),
    )
    for (const [index, column] of columns.entries())
      await runtime.inputs[1]!.write(bytesOf(column), index * rows * 4)
    const parts = columns.map((_, index) => ({
      file: runtime.inputs[1]!,
      offsetBytes: index * rows * 4,
      width: 1,
    }))
    await session.runRows({ ...run, feeds: { rows: parts } })
    expect(floats(contentOf(runtime.outputs[0]!))).toEqual(await outside(scorer))
  })

  it('answers a single step whole', async () => {
    const answer = await session.run(
      { rows: { shape: [2, 7], bytes: bytesOf(table.subarray(0, 14)) } },
      timeoutMilliseconds,
    )
    expect(floats(answer['scores'])).toEqual((await outside(scorer)).subarray(0, 2))
  })

  it('trains by repeated steps, weights in and summed gradients out', async () => {
    const step = await runtime.load(checkModel(gradientModel()))
    const truth = [1.5, -0.5]
    const x = Float32Array.from({ length: 2000 }, (_, index) => Math.sin(index * index))
    const y = Float32Array.from(
      { length: 1000 },
      (_, row) => x[2 * row]! * truth[0]! + x[2 * row + 1]! * truth[1]!,
    )
    await runtime.inputs[1]!.write(bytesOf(x), 0)
    await runtime.inputs[2]!.write(bytesOf(y), 0)
    let w = Float32Array.of(0, 0)
    for (let iteration = 0; iteration < 60; iteration++) {
      const { g } = await step.runRows({
        ...{ rows: 1000, blockRows: 300, sums: ['g'], timeoutMilliseconds },
        feeds: { x: [{ file: runtime.inputs[1]! }], y: [{ file: runtime.inputs[2]! }] },
        fixed: { w: { shape: [2, 1], bytes: bytesOf(w) } },
      })
      w = w.map((value, index) => value - (g![index]! * 1.5) / 1000)
    }
    expect(w[0]).toBeCloseTo(truth[0]!, 4)
    expect(w[1]).toBeCloseTo(truth[1]!, 4)
  })

  const wrong: [name: string, change: (run: RowsRun) => RowsRun][] = [
    ['more rows than the file holds', (each) => ({ ...each, rows: rows + 1 })],
    ['no rows', (each) => ({ ...each, rows: 0 })],
    ['blocks of no rows', (each) => ({ ...each, blockRows: 0 })],
    ['an input missing', (each) => ({ ...each, feeds: {} })],
    ['an input that the model has not', (each) => ({ ...each, feeds: { ...each.feeds, other: [] } })],
    [
      'parts of another width',
      (each) => ({ ...each, feeds: { rows: [{ file: runtime.inputs[0]!, width: 3 }] } }),
    ],
    [
      'a file of somebody else',
      (each) => ({ ...each, feeds: { rows: [{ file: { ...runtime.inputs[0]! } }] } }),
    ],
    [
      'an output that the model has not',
      (each) => ({ ...each, into: { other: { file: runtime.outputs[0]! } } }),
    ],
    ['a sum over rows', (each) => ({ ...each, sums: ['scores'] })],
  ]
  it.each(wrong)('refuses a run with %s before the child hears of it', async (_name, change) => {
    await expect(session.runRows(change(run))).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })

  it('refuses a model whose shapes do not fit together, and goes on', async () => {
    const model = logisticModel(weights, 0)
    const graph = {
      ...model.graph,
      initializers: [floatTensor('weights', [3, 1], [1, 2, 3]), floatTensor('bias', [1], [0])],
    }
    await expect(runtime.load(checkModel({ ...model, graph }))).rejects.toMatchObject({
      code: 'MODEL_NOT_LOADED',
    })
    await expect(session.runRows(run)).resolves.toEqual({})
  })
})

/** x · xᵀ over a whole block: memory and time grow with its square. */
function outerModel(repeats: number): CheckedModel {
  const steps = Array.from({ length: repeats }, (_, index) => ({
    ...{
      name: '',
      domain: '',
      operator: 'MatMul',
      inputs: [`m${index}`, 'm0'],
      outputs: [`m${index + 1}`],
      attributes: [],
    },
  }))
  const transpose = {
    name: '',
    domain: '',
    operator: 'Transpose',
    inputs: ['x'],
    outputs: ['t'],
    attributes: [],
  }
  const outer = {
    name: '',
    domain: '',
    operator: 'MatMul',
    inputs: ['x', 't'],
    outputs: ['m0'],
    attributes: [],
  }
  const attributes: ModelNode['attributes'] = [{ name: 'keepdims', kind: 'int', value: 0n }]
  const sum = {
    name: '',
    domain: '',
    operator: 'ReduceSum',
    inputs: [`m${repeats}`],
    outputs: ['s'],
    attributes,
  }
  return checkModel({
    irVersion: 8,
    opsets: [{ domain: '', version: 13 }],
    graph: {
      name: 'outer',
      nodes: [transpose, outer, ...steps, sum],
      initializers: [],
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 1] }],
      outputs: [{ name: 's', type: 'float32', shape: [] }],
    },
  })
}

describe('withModelRuntime', () => {
  const answerOf = (model: CheckedModel, count: number, milliseconds: number): Promise<unknown> =>
    withModelRuntime({ inputs: 1, memoryBytes: 500_000_000 }, async (runtime) => {
      const session = await runtime.load(model)
      await runtime.inputs[0]!.write(bytesOf(new Float32Array(count).fill(1)), 0)
      const feeds = { x: [{ file: runtime.inputs[0]! }] }
      return session.runRows({
        rows: count,
        blockRows: count,
        feeds,
        sums: ['s'],
        timeoutMilliseconds: milliseconds,
      })
    })

  it('ends a model that never ends, and every later call fails alike', async () => {
    await expect(answerOf(outerModel(10_000), 2000, 300)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })

  it('ends a model that takes more memory than it may have', async () => {
    const failure: unknown = await answerOf(outerModel(0), 40_000, timeoutMilliseconds).catch(
      (cause: unknown) => cause,
    )
    expect(['OUT_OF_MEMORY', 'RUN_FAILED', 'CHILD_DIED']).toContain((failure as { code: string }).code)
  })

  it('scores alike where there is no bubblewrap', async () => {
    await withModelRuntime({ mode: 'process' }, async (runtime) => {
      const session = await runtime.load(scorer)
      const first = { rows: { shape: [2, 7], bytes: bytesOf(table.subarray(0, 14)) } }
      const { scores } = await session.run(first, timeoutMilliseconds)
      expect(floats(scores)).toEqual((await outside(scorer)).subarray(0, 2))
    })
  })

  it('refuses or ends a model whose trees lead back to themselves', async () => {
    const list = (name: string, values: readonly number[]): Attribute => ({
      ...{ name, kind: 'ints', value: values.map(BigInt) },
    })
    const floatList = (name: string, values: readonly number[]): Attribute => ({
      ...{ name, kind: 'floats', value: Float32Array.from(values) },
    })
    const attributes = [
      ...[list('nodes_treeids', [0, 0]), list('nodes_nodeids', [0, 1]), list('nodes_featureids', [0, 0])],
      ...[
        list('nodes_truenodeids', [1, 0]),
        list('nodes_falsenodeids', [1, 0]),
        floatList('nodes_values', [0, 0]),
      ],
      ...[{ name: 'nodes_modes', kind: 'strings', value: ['BRANCH_LEQ', 'BRANCH_LEQ'] } as const],
      ...[list('target_treeids', [0]), list('target_nodeids', [1]), list('target_ids', [0])],
      ...[floatList('target_weights', [1]), { name: 'n_targets', kind: 'int', value: 1n } as const],
    ]
    const tree = {
      ...{ name: '', domain: 'ai.onnx.ml', operator: 'TreeEnsembleRegressor', inputs: ['rows'] },
      ...{ outputs: ['scores'], attributes },
    }
    const model = logisticModel(weights, 0)
    const opsets = [...model.opsets, { domain: 'ai.onnx.ml', version: 3 }]
    const checked = checkModel({
      ...model,
      opsets,
      graph: { ...model.graph, nodes: [tree], initializers: [] },
    })
    const scored = withModelRuntime({ startMilliseconds: 3000 }, async (runtime) => {
      const session = await runtime.load(checked)
      return session.run({ rows: { shape: [2, 7], bytes: bytesOf(table.subarray(0, 14)) } }, 500)
    })
    const failure: unknown = await scored.catch((cause: unknown) => cause)
    expect(['MODEL_NOT_LOADED', 'TIMED_OUT', 'CHILD_DIED', 'OUT_OF_MEMORY']).toContain(
      (failure as RuntimeError).code,
    )
  })

  it('closes what was used, and says so to whoever goes on', async () => {
    const session = await withModelRuntime({}, (runtime) => runtime.load(scorer))
    await expect(
      session.run({ rows: { shape: [1, 7], bytes: new Uint8Array(28) } }, 1000),
    ).rejects.toMatchObject({ code: 'CHILD_DIED' })
  })
})
