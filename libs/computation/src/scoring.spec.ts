import { describe, expect, it } from 'vitest'
import type { InferTerms } from '#libs/contract'
import { canonicalTerms } from '#libs/contract/yaml'
import { withEngine } from '#libs/engine'
import { applyControls } from './apply-controls.js'
import { faceMistakes } from './model-face.js'
import { readRowsToScore, releaseScores } from './scored-rows.js'
import { modelFaceOf, prepareScoring, reviewScoring, type ModelFace } from './scoring.js'

const columns = `
      id: { type: string, use: [join] }
      age: { type: double, use: [avg] }
      nodes: { type: int, use: [avg] }
      ward: { type: string, use: [dimension, join] }`
const thumbprint = (letter: string) => `${letter.repeat(42)}A`
const terms = canonicalTerms(`sealroom: contract/v1
name: scores
purpose: Score.
valid: { from: 2026-11-01, until: 2027-10-31 }
parties:
  north: { key: "${thumbprint('n')}", roles: [data, recipient, requester] }
  south: { key: "${thumbprint('s')}", roles: [data] }
  maker: { key: "${thumbprint('m')}", roles: [model] }
governance: { signatories: [north, south, maker], proposalExpires: 2026-11-20 }
log: { origin: log.example.org/1, key: "${thumbprint('k')}", coordinator: "${thumbprint('c')}", secret: "${thumbprint('x')}", witnesses: [north, south, maker], quorum: 3, checkpoint: "log.example.org/1\\n0\\nroot\\n" }
enclaves: [ { tee: simulated, key: "${thumbprint('k')}", measurement: ["${'01'.repeat(32)}"], maximumAgeSeconds: 60 } ]
datasets:
  people:
    owners: [north, south]
    unit: id
    minimums: { south: { minimumGroupSize: 10 } }
    columns:${columns}
  risk:
    kind: model
    owners: [maker]
    format: onnx
    inputs: [ { name: rows, type: float32, columns: 1 }, { name: counts, type: int64 } ]
    output: { name: scores, type: float32 }
computations:
  own:
    kind: infer
    model: risk
    over: [people]
    features: [age, nodes]
    requesters: [north]
    limit: 1
    outputs: { scores: { recipients: [north], rowsOf: north, controls: [ { roundTo: { score: "0.1" } } ] } }
`)
const own = terms.computations['own'] as InferTerms
const face = modelFaceOf(terms.datasets, own)

async function review(change: Partial<InferTerms> = {}, changedFace: ModelFace = face) {
  const computation = { ...own, ...change }
  const tree = await withEngine({}, (engine) => engine.parse(computation.query))
  return reviewScoring(terms.datasets, computation, changedFace, tree)
}
const reduced = (key: string) =>
  `with b as (select id, ward, sum(nodes) as nodes from people group by id, ward) select a.age, b.nodes from people a join b on a.${key} = b.${key}`
const summed = 'select max(age) as age, sum(nodes) as nodes from people group by id'
const output = (change: object): InferTerms['outputs'] => ({
  scores: { ...own.outputs['scores']!, ...change },
})

describe('reviewScoring', () => {
  it('deals features out to inputs in their order, and reads no column that is neither feature nor unit', async () => {
    const { features, columns: read } = await review()
    expect(features).toEqual([
      { name: 'age', type: 'float32' },
      { name: 'nodes', type: 'int64' },
    ])
    expect(read).toEqual({ people: ['age', 'id', 'nodes'] })
  })

  it.each<[what: string, change: Partial<InferTerms>, code: string]>([
    ['a feature that the query does not give', { query: 'select age from people' }, 'SCORING_INVALID'],
    ['fewer features than the model takes', { features: ['age'] }, 'SCORING_INVALID'],
    ['a fraction for whole numbers', { features: ['nodes', 'age'] }, 'SCORING_INVALID'],
    [
      'a text as a feature',
      { query: 'select ward, nodes from people', features: ['ward', 'nodes'] },
      'SCORING_INVALID',
    ],
    ['rows that two people make', { query: reduced('ward') }, 'SCORING_INVALID'],
    [
      'a join that brings another owner’s rows in, who demands groups',
      { query: reduced('id') },
      'SCORING_INVALID',
    ],
    [
      'a person’s rows of two owners in one group, where one demands groups',
      { query: summed },
      'SCORING_INVALID',
    ],
    ['rows of an owner that has none', { outputs: output({ rowsOf: 'maker' }) }, 'SCORING_INVALID'],
    ['a group size', { outputs: output({ controls: [{ minimumGroupSize: 2 }] }) }, 'SCORING_INVALID'],
    [
      'everyone’s scores where an owner demands groups',
      { outputs: output({ rowsOf: undefined, controls: [{ uncontrolled: 'why not' }] }) },
      'SCORING_INVALID',
    ],
    ['everyone’s scores, merely rounded', { outputs: output({ rowsOf: undefined }) }, 'SCORING_INVALID'],
    [
      'rounding of what is no score',
      { outputs: output({ controls: [{ roundTo: { rate: '1' } }] }) },
      'CONTROL_INVALID',
    ],
    [
      'columns that are not there',
      { outputs: output({ controls: [{ columns: ['age'] }] }) },
      'CONTROL_INVALID',
    ],
    [
      'a control that is not kept',
      { outputs: output({ controls: [{ keep: 'sealed' }] }) },
      'CONTROL_UNSUPPORTED',
    ],
  ])('refuses %s', async (_what, change, code) => {
    await expect(review(change)).rejects.toMatchObject({ code })
  })

  it.each([
    ['a group', summed],
    ['a join of a table with itself', reduced('id')],
  ])('lets no two owners of one table meet in %s, even where none demands groups', async (_what, query) => {
    const people = { ...terms.datasets['people']!, minimums: {} }
    const tree = await withEngine({}, (engine) => engine.parse(query))
    const datasets = { ...terms.datasets, people }
    expect(() => reviewScoring(datasets, own, face, tree)).toThrow(/rows of north and of south/)
    const alone = { ...datasets, people: { ...people, owners: ['north'] } }
    expect(reviewScoring(alone, own, face, tree).reads).toEqual(['people'])
  })

  it('knows no model that the contract does not have', () => {
    expect(() => modelFaceOf(terms.datasets, { model: 'people' })).toThrow(
      expect.objectContaining({ code: 'SCORING_INVALID' }) as Error,
    )
  })
})

const table = (
  rows: readonly (readonly (string | number | null)[])[],
  types = ['string', 'double', 'int', 'int', 'int'],
) => ({
  columns: ['__unit', '__f0', '__f1', '__units_0', '__units_1'].map((name, i) => ({ name, type: types[i] })),
  rows: rows.length,
  values: types.map((_type, c) => rows.map((row) => row[c] ?? null)),
})

describe('releaseScores', () => {
  const prepared = async () => {
    const [scores] = prepareScoring(terms.datasets, await review(), own, {})
    if (scores === undefined) throw new Error('no output')
    return scores
  }

  it('sets each score beside its unit, and none where a feature is missing or too large for its input', async () => {
    const scores = await prepared()
    const rows = readRowsToScore(
      scores,
      table([
        ['a', 1, 2, 1, 0],
        ['b', null, 2, 1, 0],
        ['c', 1e300, 2, 1, 0],
        ['d', 3, '9007199254740993', 1, 0],
        ['e', 5, 6, 1, 0],
      ]),
    )
    expect(rows.complete).toEqual([0, 4])
    expect(rows.columns).toEqual({ age: Float64Array.of(1, 5), nodes: Float64Array.of(2, 6) })
    const { table: released } = releaseScores(scores, rows, Float32Array.of(0.26, NaN))
    expect(released.values).toEqual([
      ['a', 'b', 'c', 'd', 'e'],
      [0.3, null, null, null, null],
    ])
  })

  it.each<[what: string, fromChild: unknown, scores: number, code: string]>([
    [
      'a row of another owner',
      table([
        ['a', 1, 2, 1, 0],
        ['b', 1, 2, 0, 1],
      ]),
      2,
      'ROW_OF_ANOTHER',
    ],
    ['a row of nobody', table([['a', 1, 2, 0, 0]]), 1, 'ROW_OF_ANOTHER'],
    ['more scores than rows', table([['a', 1, 2, 1, 0]]), 2, 'RESULT_MALFORMED'],
    ['other columns', { columns: [], rows: 0, values: [] }, 0, 'RESULT_MALFORMED'],
    [
      'a unit of another type',
      table([[1, 1, 2, 1, 0]], ['int', 'double', 'int', 'int', 'int']),
      1,
      'RESULT_MALFORMED',
    ],
  ])('lets nothing out where the child gives %s', async (_what, fromChild, count, code) => {
    const scores = await prepared()
    expect(() => releaseScores(scores, readRowsToScore(scores, fromChild), new Float32Array(count))).toThrow(
      expect.objectContaining({ code }) as Error,
    )
  })

  it('takes rowsOf for no promise where nobody says whose rows there are', () => {
    const shown = { columns: [{ name: 'score', type: 'double' as const }], rows: 1, values: [[1]] }
    expect(() => applyControls({ table: shown, units: null }, [{ name: 'rowsOf', value: 'north' }])).toThrow(
      expect.objectContaining({ code: 'UNIT_COUNTS_MISSING' }) as Error,
    )
  })
})

describe('faceMistakes', () => {
  const value = (name: string, type: 'float32' | 'int64', shape: readonly (number | string)[]) => ({
    name,
    type,
    shape,
  })
  const fitting = {
    inputs: [value('rows', 'float32', ['n', 1]), value('counts', 'int64', ['n'])],
    outputs: [value('scores', 'float32', ['n', 1]), value('label', 'int64', ['n'])],
  }

  it('finds none in a model that takes and gives what the contract says, whatever else it gives', () => {
    expect(faceMistakes(fitting, face)).toEqual([])
  })

  it.each<[what: string, model: Partial<typeof fitting>, place: string]>([
    ['an input that is not there', { inputs: fitting.inputs.slice(0, 1) }, 'input counts'],
    [
      'an input of another width',
      { inputs: [value('rows', 'float32', ['n', 2]), fitting.inputs[1]!] },
      'input rows',
    ],
    [
      'an input without rows',
      { inputs: [value('rows', 'float32', [1, 1]), fitting.inputs[1]!] },
      'input rows',
    ],
    ['an input too many', { inputs: [...fitting.inputs, value('more', 'float32', ['n', 1])] }, 'input more'],
    ['an output of another type', { outputs: [value('scores', 'int64', ['n', 1])] }, 'output scores'],
    ['no such output', { outputs: [] }, 'output scores'],
  ])('finds %s', (_what, change, place) => {
    expect(faceMistakes({ ...fitting, ...change }, face).map((mistake) => mistake.place)).toEqual([place])
  })
})
