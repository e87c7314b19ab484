import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeModel, floatTensor, logisticModel, type Model } from '#libs/model'
import { aClock } from '#libs/testing'
import { Person } from '../testing/person.js'

const base = logisticModel([1, 2, 3], 0.5)
const loop: Model = {
  ...base,
  graph: { ...base.graph, nodes: base.graph.nodes.map((node) => ({ ...node, operator: 'Loop' })) },
}
const misfit: Model = {
  ...base,
  graph: {
    ...base.graph,
    initializers: [floatTensor('weights', [2, 1], [1, 2]), floatTensor('bias', [1], [0])],
  },
}

describe('sealroom model check', () => {
  let owner: Person
  beforeAll(async () => {
    owner = await Person.make('owner', aClock().now)
  })
  afterAll(() => owner.gone())

  const check = async (bytes: Uint8Array) => {
    await writeFile(owner.file('model.onnx'), bytes)
    return owner.says('--json', 'model', 'check', owner.file('model.onnx'))
  }

  it('says of a model that would run what it takes and gives, without a home', async () => {
    const { exit, json } = await check(encodeModel(base))
    expect(exit).toBe(0)
    expect(json()).toMatchObject({
      accepted: true,
      inputs: [{ name: 'rows', shape: ['n', 3] }],
      operators: { Gemm: 1 },
    })
  })

  it('shows a person how a contract says what the model takes and gives', async () => {
    await writeFile(owner.file('model.onnx'), encodeModel(base))
    const { out } = await owner.says('model', 'check', owner.file('model.onnx'))
    expect(out).toContain('passes the checks of an enclave')
    expect(out).toContain('inputs: [ { name: "rows", type: float32, columns: 3 } ]')
    expect(out).toContain('output: { name: "scores", type: float32, columns: 1 }')
  })

  const refused: [name: string, bytes: Uint8Array, code: string][] = [
    ['an operator that is not on the list', encodeModel(loop), 'OPERATOR_NOT_ALLOWED'],
    ['shapes that only the runtime finds wrong', encodeModel(misfit), 'MODEL_NOT_LOADED'],
    ['what is no model', new TextEncoder().encode('id,age\n1,2\n'), 'FIELD_UNKNOWN'],
    ['an empty file', new Uint8Array(0), 'MODEL_MALFORMED'],
  ]
  it.each(refused)('refuses %s as an enclave would, with place and way out', async (_name, bytes, code) => {
    const { exit, json } = await check(bytes)
    expect(exit).toBe(1)
    expect(json()).toMatchObject({ accepted: false, code })
    expect(json()['mend']).not.toBe('')
  })

  it('says which file cannot be read', async () => {
    const { exit, err } = await owner.says('model', 'check', owner.file('nothing.onnx'))
    expect(exit).toBe(2)
    expect(err).toContain('nothing.onnx')
  })
})
