import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unverifiedStatement } from '#libs/canonical'
import { encodeModel, logisticModel } from '#libs/model'
import { aStudy, signedContract, studyYaml, type Study } from '../testing/study.js'

const yaml = studyYaml
  .replace('roles: [requester, recipient] }', 'roles: [requester, recipient, model] }')
  .replace('witnesses: [north, south], quorum: 2', 'witnesses: [north, south, lab], quorum: 3')
  .replace(
    'computations:\n',
    `  risk:
    kind: model
    owners: [lab]
    format: onnx
    inputs: [ { name: rows, type: float32, columns: 2 } ]
    output: { name: scores, type: float32 }
computations:
  own_risks:
    kind: infer
    model: risk
    over: [people]
    features: [age, id]
    requesters: [lab]
    limit: 3
    outputs: { scores: { recipients: [north], rowsOf: north, controls: [ { roundTo: { score: "0.1" } } ] } }
`,
  )

let study: Study
let contract = ''
beforeAll(async () => {
  study = await aStudy()
  contract = await signedContract(study, yaml)
})
afterAll(async () => {
  await study.end()
})

const base = logisticModel([1, 2], 0.5)
const tell = async (verb: string, bytes: Uint8Array, who: 'lab' | 'north' = 'lab') => {
  const person = study.people[who]
  await writeFile(person.file('risk.onnx'), bytes)
  const place = ['--contract', contract, '--dataset', 'risk']
  return person.says('--json', 'dataset', verb, person.file('risk.onnx'), ...place)
}

const manifests = () =>
  study.coordinator.contracts.get(contract)?.statements.filter(({ type }) => type === 'manifest') ?? []

describe('a model as a dataset', () => {
  it.each<[what: string, bytes: Uint8Array, told: object]>([
    [
      'has another width than the contract says',
      encodeModel(logisticModel([1, 2, 3], 0)),
      { fits: false, mistakes: [{ place: 'input rows', expected: '2 of float32 for each row' }] },
    ],
    [
      'uses what an enclave refuses',
      encodeModel({
        ...base,
        graph: { ...base.graph, nodes: base.graph.nodes.map((node) => ({ ...node, operator: 'If' })) },
      }),
      { fits: false, refusal: { code: 'OPERATOR_NOT_ALLOWED' } },
    ],
    [
      'is no model',
      new TextEncoder().encode('id,age\n1,2\n'),
      { fits: false, refusal: { code: 'FIELD_UNKNOWN' } },
    ],
  ])('is neither found to fit nor sealed where it %s', async (_what, bytes, told) => {
    for (const verb of ['check', 'seal']) {
      const { exit, json } = await tell(verb, bytes)
      expect(exit).toBe(1)
      expect(json()).toMatchObject(told)
    }
    expect(manifests()).toEqual([])
  })

  it('is sealed by its owner alone', async () => {
    const { exit, err } = await tell('seal', encodeModel(base), 'north')
    expect(exit).toBe(1)
    expect(err).toContain('owned by lab')
  })

  it('is sealed as one segment, with a Manifest that says nothing of what is in it', async () => {
    const { exit, json } = await tell('seal', encodeModel(base))
    expect(exit).toBe(0)
    expect(json()).toMatchObject({ dataset: 'risk', segments: [{ name: 'model', columns: [] }] })
    const [manifest] = manifests()
    expect(unverifiedStatement(manifest?.statement ?? '').payload).toMatchObject({
      ...{ kind: 'model', columns: [], unit: null, dataset: 'risk' },
      segments: [{ name: 'model', columns: [] }],
    })
  })

  it('is dry-run with a stand-in, which says so', async () => {
    const { lab } = study.people
    const { out } = await lab.says('contract', 'check', await lab.write('again.yaml', yaml), '--dry-run')
    expect(out).toContain('DRY RUN of own_risks')
    expect(out).toContain('The model is sealed')
    expect(out).toContain('can rebuild the model')
    expect(out).toContain('It holds scores of rows that north itself sealed')
  })
})
