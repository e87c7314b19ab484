import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { encodeModel, floatTensor, logisticModel, type Model } from '#libs/model'
import { startModelRuntime } from '#libs/runtime'
import { openedBy, playInference, type Rows } from './testing/inference-stage.js'

const rowsOf = (label: string, count: number): Rows => {
  const rows = Array.from({ length: count }, (_, i) => i)
  return {
    id: rows.map((i) => `${label}-${String(i).padStart(4, '0')}`),
    age: rows.map((i) => 30 + (i % 50) + 1 / (i + 3)),
    nodes: rows.map((i) => i % 20),
  }
}
const rows = { north: rowsOf('n', 40), south: rowsOf('s', 30) }
const plain = logisticModel([0.03, 0.2], -2)
const model = encodeModel(plain)

/** What onnxruntime gives in this process, without anything of ours around it. */
async function plainScores(bytes: Uint8Array, { age, nodes }: Rows): Promise<readonly number[]> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 })
  const flat = Float32Array.from(age.flatMap((value, i) => [value ?? NaN, nodes[i] ?? NaN]))
  const { scores } = await session.run({ rows: new Tensor('float32', flat, [age.length, 2]) })
  return Array.from(scores?.data as Float32Array)
}

describe('an inference', () => {
  it('gives each owner the scores of its own rows, to the last bit what onnxruntime gives outside', async () => {
    const played = await playInference({ model, rows })
    expect(played.said.end).toEqual({ code: 'done', owner: null, detail: '' })
    const { table, controls, simulated } = await openedBy(played, played.parties.north, 'norths')
    expect(table.columns).toEqual([
      { name: 'id', type: 'string' },
      { name: 'score', type: 'double' },
    ])
    expect(table.values).toEqual([[...rows.north.id], await plainScores(model, rows.north)])
    expect(controls.map(({ control }) => control)).toEqual(['rowsOf', 'maxRows'])
    expect(simulated).toBe(true)
    const souths = await openedBy(played, played.parties.south, 'souths')
    const exact = await plainScores(model, rows.south)
    expect(souths.table.values[0]).toEqual(rows.south.id)
    souths.table.values[1]?.forEach((score, i) => {
      expect(Math.abs(Number(score) - (exact[i] ?? NaN))).toBeLessThanOrEqual(0.005 + 1e-9)
      expect(Number(score)).toBe(Math.round(Number(score) * 100) / 100)
    })
    const named = played.said.receipt?.payload.outputs.map((output) => output.controls)
    expect(named).toEqual([
      ['rowsOf north', 'maxRows'],
      ['rowsOf south', 'roundTo'],
    ])
    expect(played.said.receipt?.payload.inputs.map(({ dataset }) => dataset)).toEqual([
      'patients',
      'patients',
      'risk',
    ])
  })

  it('gives no score to a row that misses a feature, or holds what its input cannot, and asks nothing of the model about it', async () => {
    const holes: Rows = {
      id: ['a', 'b', 'c', 'd'],
      age: [50, null, 1e300, 60],
      nodes: [1, 2, 3, null],
    }
    const played = await playInference({ model, rows: { ...rows, north: holes } })
    const { table } = await openedBy(played, played.parties.north, 'norths')
    const [score] = await plainScores(model, { id: ['a'], age: [50], nodes: [1] })
    expect(table.values).toEqual([
      ['a', 'b', 'c', 'd'],
      [score, null, null, null],
    ])
  })

  it('gives no score where the model’s own is no number', async () => {
    const vast = encodeModel({
      ...plain,
      graph: {
        ...plain.graph,
        nodes: plain.graph.nodes.slice(0, 1).map((node) => ({ ...node, outputs: ['scores'] })),
        initializers: [floatTensor('weights', [2, 1], [3e38, 3e38]), floatTensor('bias', [1], [0])],
      },
    })
    const played = await playInference({ model: vast, rows })
    const { table } = await openedBy(played, played.parties.north, 'norths')
    expect(new Set(table.values[1])).toEqual(new Set([null]))
  })

  it('gives everyone’s scores sorted and without units where the contract lets them out uncontrolled', async () => {
    const yaml = (text: string) =>
      text.replace(
        /norths: .*\n/,
        'all: { recipients: [north], controls: [ { uncontrolled: scores of made-up people } ] }\n',
      )
    const played = await playInference({ model, rows, yaml })
    const { table } = await openedBy(played, played.parties.north, 'all')
    const all = [...(await plainScores(model, rows.north)), ...(await plainScores(model, rows.south))]
    expect(table.columns).toEqual([{ name: 'score', type: 'double' }])
    expect(table.values).toEqual([all.sort((a, b) => a - b)])
  })
})

/** A model whose owner sealed it without any check. */
const changed = (change: (graph: Model['graph']) => Partial<Model['graph']>): Uint8Array =>
  encodeModel({ ...plain, graph: { ...plain.graph, ...change(plain.graph) } })

/** Protocol Buffers' fields, for what our own encoder cannot say. */
const field = (number: number, bytes: Uint8Array) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
const external = Buffer.concat([
  Buffer.from([0x08, 8]),
  field(8, Buffer.from([0x10, 13])),
  // graph { initializer { dims: 1, data_type: 1, name: "w", external_data { key: "location", value: "/etc/passwd" }, data_location: 1 } }
  field(
    7,
    field(
      5,
      Buffer.concat([
        Buffer.from([0x08, 1, 0x10, 1]),
        field(8, Buffer.from('w')),
        field(13, Buffer.concat([field(1, Buffer.from('location')), field(2, Buffer.from('/etc/passwd'))])),
        Buffer.from([0x70, 1]),
      ]),
    ),
  ),
])

describe('a model that its owner sealed without a check', () => {
  it.each<[what: string, bytes: Uint8Array, outcome: string]>([
    ['reads another file', external, 'modelRefused'],
    [
      'uses an operator that is not on the list',
      changed(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, operator: 'Loop' })) })),
      'modelRefused',
    ],
    [
      'uses a domain that is not known',
      changed(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, domain: 'com.example' })) })),
      'modelRefused',
    ],
    [
      'has a shape without a bound',
      changed(() => ({ inputs: [{ name: 'rows', type: 'float32', shape: ['n', 'm'] }] })),
      'modelRefused',
    ],
    ['is no model', Buffer.from('id,age\n1,2\n'), 'modelRefused'],
    ['takes more than the contract says', encodeModel(logisticModel([1, 2, 3], 0)), 'modelRefused'],
    [
      'gives its score under another name',
      changed(({ nodes, outputs }) => ({
        nodes: nodes.map((node) => ({
          ...node,
          outputs: node.outputs.map((name) => (name === 'scores' ? 'other' : name)),
        })),
        outputs: outputs.map((output) => ({ ...output, name: 'other' })),
      })),
      'modelRefused',
    ],
    [
      'does not fit together in the runtime',
      changed(() => ({
        initializers: [floatTensor('weights', [3, 1], [1, 2, 3]), floatTensor('bias', [1], [0])],
      })),
      'modelRefused',
    ],
  ])('ends the run where it %s, and nothing is told but that word', async (_what, bytes, outcome) => {
    const { said, run } = await playInference({ model: bytes, rows })
    expect(said.receipt?.payload.outcome).toBe(outcome)
    expect(said.receipt?.payload.outputs).toEqual([])
    expect(said.end).toEqual({ code: 'done', owner: null, detail: '' })
    expect(JSON.stringify([...run.blobs.keys()])).not.toContain('passwd')
  })

  it('is stopped with its child where it does not end', async () => {
    // Each product doubles the work of squaring: far beyond the time of this contract's runs.
    const size = 2000
    const square = (i: number) => ({
      ...{ name: `m${i}`, domain: '', operator: 'MatMul', attributes: [] },
      inputs: [i === 0 ? 'big' : `p${i - 1}`, 'big'],
      outputs: [`p${i}`],
    })
    const endless = encodeModel({
      ...plain,
      graph: {
        ...plain.graph,
        nodes: [
          // Random-looking numbers made inside, so that nothing is folded away when it is loaded.
          ...[
            {
              name: 'r',
              domain: '',
              operator: 'ReduceSum',
              inputs: ['rows', 'axes'],
              outputs: ['one'],
              attributes: [],
            },
            {
              name: 'b',
              domain: '',
              operator: 'Expand',
              inputs: ['one', 'shape'],
              outputs: ['big'],
              attributes: [],
            },
          ],
          ...Array.from({ length: 400 }, (_, i) => square(i)),
          {
            name: 's',
            domain: '',
            operator: 'ReduceSum',
            inputs: ['p399', 'axes'],
            outputs: ['sum'],
            attributes: [],
          },
          {
            name: 'g',
            domain: '',
            operator: 'Gemm',
            inputs: ['rows', 'weights', 'bias'],
            outputs: ['g'],
            attributes: [],
          },
          {
            name: 'a',
            domain: '',
            operator: 'Add',
            inputs: ['g', 'sum'],
            outputs: ['scores'],
            attributes: [],
          },
        ],
        initializers: [
          ...plain.graph.initializers,
          {
            name: 'axes',
            type: 'int64',
            shape: [2],
            bytes: new Uint8Array(new BigInt64Array([0n, 1n]).buffer),
          },
          {
            ...{ name: 'shape', type: 'int64', shape: [2] },
            bytes: new Uint8Array(new BigInt64Array([BigInt(size), BigInt(size)]).buffer),
          },
        ],
      },
    })
    const begun = performance.now()
    const { said } = await playInference({
      model: endless,
      rows,
      yaml: (text) => text.replace('datasets:', 'runs: { maximumSeconds: 2 }\ndatasets:'),
      runtime: () => startModelRuntime({ inputs: 1, outputs: 1, threads: 1 }),
    })
    expect(said.receipt?.payload.outcome).toBe('timedOut')
    expect(performance.now() - begun).toBeLessThan(20_000)
  })
})
