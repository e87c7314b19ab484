import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { createMemoryFile } from '#libs/engine'
import { encodeModel, floatTensor, logisticModel, type Model } from '#libs/model'
import { aClock, aParty, openOutput, sealDataset } from '#libs/testing'
import { partKey } from './round-record.js'
import { openModel } from './score-rows.js'
import { playInference, type Rows } from './testing/inference-stage.js'

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
    const { table, controls, simulated } = await openOutput(played.run, played.parties.north, 'norths')
    expect(table.columns).toEqual([
      { name: 'id', type: 'string' },
      { name: 'score', type: 'double' },
    ])
    expect(table.values).toEqual([[...rows.north.id], await plainScores(model, rows.north)])
    expect(controls.map(({ control }) => control)).toEqual(['rowsOf', 'maxRows'])
    expect(simulated).toBe(true)
    const souths = await openOutput(played.run, played.parties.south, 'souths')
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
    const { table } = await openOutput(played.run, played.parties.north, 'norths')
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
    const { table } = await openOutput(played.run, played.parties.north, 'norths')
    expect(new Set(table.values[1])).toEqual(new Set([null]))
  })

  it('gives everyone’s scores sorted and without units where the contract lets them out uncontrolled', async () => {
    const yaml = (text: string) =>
      text.replace(
        /norths: .*\n/,
        'all: { recipients: [north], controls: [ { uncontrolled: scores of made-up people } ] }\n',
      )
    const played = await playInference({ model, rows, yaml })
    const { table } = await openOutput(played.run, played.parties.north, 'all')
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
const elsewhere = Buffer.concat([field(1, Buffer.from('location')), field(2, Buffer.from('/etc/passwd'))])
// An initializer w of one float32, whose values are said to be in a file.
const initializer = Buffer.concat([
  Buffer.from([0x08, 1, 0x10, 1]),
  field(8, Buffer.from('w')),
  field(13, elsewhere),
  Buffer.from([0x70, 1]),
])
const external = Buffer.concat([
  Buffer.from([0x08, 8]),
  field(8, Buffer.from([0x10, 13])),
  field(7, field(5, initializer)),
])

const face = {
  inputs: [{ name: 'rows', type: 'float32', columns: 2 }],
  output: { name: 'scores', type: 'float32', columns: 1 },
} as const

/** A sealed model as the enclave has fetched it, with the key that its owner released. */
async function fetchedModel(bytes: Uint8Array) {
  const maker = await aParty('maker', { clock: aClock() })
  const { manifest, segments } = await sealDataset(maker, {
    ...{ contract: 'ab'.repeat(32), dataset: 'risk', unit: null, columns: [] },
    segments: [{ name: 'model', columns: [], parquet: bytes }],
  })
  const input = { dataset: 'risk', owner: maker.thumbprint, manifest }
  const ciphertext = createMemoryFile()
  await ciphertext.write(segments[0]?.sealed ?? new Uint8Array(0), 0)
  const [segment] = manifest.payload.segments
  if (segment === undefined) throw new Error('no segment')
  const keys = new Map([['model', segments[0]?.key ?? new Uint8Array(0)]])
  return {
    fetched: [{ input, segment, ciphertext }],
    keys: { requestKeys: [], segmentKeys: new Map([[partKey(maker.thumbprint, 'risk'), keys]]) },
  }
}

describe('a model that its owner sealed without a check', () => {
  it('is opened where it is what the contract says', async () => {
    const { fetched, keys } = await fetchedModel(model)
    expect((await openModel(fetched, keys, face)).bytes).toEqual(model)
  })

  it.each<[what: string, bytes: Uint8Array, refused: object]>([
    ['reads another file', external, { code: 'EXTERNAL_DATA' }],
    [
      'uses an operator that is not on the list',
      changed(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, operator: 'Loop' })) })),
      { code: 'OPERATOR_NOT_ALLOWED' },
    ],
    [
      'uses a domain that is not known',
      changed(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, domain: 'com.example' })) })),
      { code: 'DOMAIN_UNKNOWN' },
    ],
    [
      'has a shape without a bound',
      changed(() => ({ inputs: [{ name: 'rows', type: 'float32', shape: ['n', 'm'] }] })),
      { code: 'SHAPE_UNBOUNDED' },
    ],
    ['is no model', Buffer.from('id,age\n1,2\n'), { code: 'FIELD_UNKNOWN' }],
    ['is empty', new Uint8Array(0), { code: 'MODEL_MALFORMED' }],
    [
      'takes more than the contract says',
      encodeModel(logisticModel([1, 2, 3], 0)),
      { outcome: 'modelRefused' },
    ],
    [
      'takes another type than the contract says',
      changed(() => ({ inputs: [{ name: 'rows', type: 'float64', shape: ['n', 2] }] })),
      { outcome: 'modelRefused' },
    ],
    [
      'takes something beside what the contract says',
      changed(({ inputs }) => ({ inputs: [...inputs, { name: 'more', type: 'float32', shape: ['n', 1] }] })),
      { outcome: 'modelRefused' },
    ],
    [
      'takes rows of one size only',
      changed(() => ({ inputs: [{ name: 'rows', type: 'float32', shape: [1, 2] }] })),
      { outcome: 'modelRefused' },
    ],
    [
      'gives its score under another name',
      changed(({ nodes }) => ({
        nodes: nodes.map((node) => ({
          ...node,
          outputs: node.outputs.map((name) => (name === 'scores' ? 'other' : name)),
        })),
        outputs: [{ name: 'other', type: 'float32', shape: ['n', 1] }],
      })),
      { outcome: 'modelRefused' },
    ],
  ])('is refused where it %s', async (_what, bytes, refused) => {
    const { fetched, keys } = await fetchedModel(bytes)
    await expect(openModel(fetched, keys, face)).rejects.toMatchObject(refused)
  })

  it.each<[what: string, bytes: Uint8Array]>([
    ['reads another file', external],
    [
      'does not fit together, as the runtime alone finds',
      changed(() => ({
        initializers: [floatTensor('weights', [3, 1], [1, 2, 3]), floatTensor('bias', [1], [0])],
      })),
    ],
  ])('ends the run where it %s, and no more is told than that', async (_what, bytes) => {
    const { said } = await playInference({ model: bytes, rows })
    expect(said.receipt?.payload).toMatchObject({ outcome: 'modelRefused', outputs: [] })
    expect(said.outputKeys).toBeUndefined()
    expect(said.end).toEqual({ code: 'done', owner: null, detail: '' })
  })

  it('is stopped with its child where it does not end', async () => {
    const side = 1500
    const node = (operator: string, inputs: readonly string[], output: string) => ({
      ...{ name: output, domain: '', operator, inputs, outputs: [output], attributes: [] },
    })
    // 300 products of large matrices, of which the first depends on the rows, so that none is folded away.
    const products = Array.from({ length: 300 }, (_, i) => node('MatMul', [`p${i}`, 'square'], `p${i + 1}`))
    const endless = changed(({ initializers }) => ({
      nodes: [
        node('ReduceSum', ['rows', 'axes'], 'one'),
        node('Mul', ['one', 'square'], 'p0'),
        ...products,
        node('ReduceSum', ['p300', 'axes'], 'sum'),
        node('Gemm', ['rows', 'weights', 'bias'], 'own'),
        node('Add', ['own', 'sum'], 'scores'),
      ],
      initializers: [
        ...initializers,
        floatTensor('square', [side, side], new Float32Array(side * side).fill(0.001)),
        { name: 'axes', type: 'int64', shape: [2], bytes: new Uint8Array(BigInt64Array.of(0n, 1n).buffer) },
      ],
    }))
    const { said } = await playInference({
      model: endless,
      rows,
      yaml: (text) => text.replace('datasets:', 'runs: { maximumSeconds: 2 }\ndatasets:'),
    })
    expect(said.receipt?.payload).toMatchObject({ outcome: 'timedOut', outputs: [] })
  })
})
