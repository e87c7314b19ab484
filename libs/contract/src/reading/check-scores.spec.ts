import { describe, expect, it } from 'vitest'
import { scoringYaml } from '../example-scoring.js'
import {
  effectiveControls,
  inputsOf,
  modelSourceOf,
  ownersBehind,
  requestReaders,
} from '../terms/questions.js'
import type { InferTerms } from '../terms/terms.js'
import { renderContract } from '../review/render-contract.js'
import { reviewContract } from '../review/review-contract.js'
import { canonicalTerms, readContract } from './read-contract.js'

const terms = canonicalTerms(scoringYaml)
const own = terms.computations['own_risks'] as InferTerms

describe('an inference over a model of the contract', () => {
  it('is signed with the query that its features stand for', () => {
    expect(own.query).toBe('select "age", "readmitted" from "stays"')
    expect(own.over).toEqual(['stays'])
  })

  it('opens the model too, so that its owner decides, and reads the request', () => {
    expect(inputsOf(own)).toEqual(['stays', 'risk'])
    expect(requestReaders(terms, own)).toEqual(['north', 'south', 'lab', 'regulator'])
  })

  it('tells a dataset from the output of a training', () => {
    expect(modelSourceOf({ model: 'risk' })).toEqual({ kind: 'dataset', dataset: 'risk' })
    const kept = { kind: 'kept', computation: 'risk_model', output: 'model' }
    expect(modelSourceOf({ model: 'risk_model.model' })).toEqual(kept)
  })

  it('asks for no group size of rows that go back to whoever sealed them', () => {
    expect(effectiveControls(terms, own.outputs['norths']!, own.over)).toEqual([
      { roundTo: { score: '0.01' } },
    ])
  })

  it('counts no other owner of one table behind a row, and everyone of the tables that it is joined with', () => {
    expect(ownersBehind(terms, ['stays'], 'north')).toEqual([])
    expect(ownersBehind(terms, ['stays', 'claims'], 'north')).toEqual(['insurer'])
    expect(ownersBehind(terms, ['stays', 'claims'], 'insurer')).toEqual(['north', 'south'])
  })

  it('is told in words: the model’s face, what is applied to what, and whose scores leave', () => {
    const text = renderContract(terms)
    for (const line of [
      '      takes "rows": 2 numbers a row, float32',
      '      gives "scores": one number a row, float32; nothing else of it is ever given',
      '    Applies the model risk to age, readmitted, in this order.',
      '      A row that misses one of them gets no score: nothing is filled in.',
      '      It holds scores of rows that north itself sealed, each beside its unit, and none of another owner’s rows.',
      '  lab gives risk, read by own_risks.',
    ])
      expect(text.split('\n')).toContain(line)
  })

  it('warns that scores can rebuild a model, and what joined scores tell of others', () => {
    const codes = (path: string) =>
      reviewContract(terms)
        .filter((finding) => finding.path.startsWith(path))
        .map(({ code }) => code)
    expect(codes('computations.own_risks')).toEqual(['MODEL_REBUILT', 'MODEL_REBUILT'])
    expect(codes('computations.score.')).toEqual(['MODEL_REBUILT', 'SCORES_TELL_OF_OTHERS'])
  })

  it.each<[what: string, from: string | RegExp, to: string, path: string]>([
    ['a model that is not there', 'model: risk\n', 'model: rsk\n', 'computations.own_risks.model'],
    ['a table as a model', 'model: risk\n', 'model: stays\n', 'computations.own_risks.model'],
    [
      'an output of a training that is not kept',
      'model: risk\n',
      'model: risk_model.metrics\n',
      'computations.own_risks.model',
    ],
    [
      'fewer features than the model takes',
      'features: [age, readmitted]',
      'features: [age]',
      'computations.own_risks.features',
    ],
    [
      'another recipient of an owner’s own rows',
      'recipients: [north], rowsOf: north, controls: [ { roundTo: { score: "0.01" } } ] }\n      souths',
      'recipients: [north, lab], rowsOf: north, controls: [ { roundTo: { score: "0.01" } } ] }\n      souths',
      'computations.own_risks.outputs.norths.recipients',
    ],
    [
      'a recipient that is not the owner',
      'norths: { recipients: [north], rowsOf: north',
      'norths: { recipients: [north], rowsOf: south',
      'computations.own_risks.outputs.norths.recipients',
    ],
    [
      'rows of a party that owns none',
      'norths: { recipients: [north], rowsOf: north',
      'norths: { recipients: [lab], rowsOf: lab',
      'computations.own_risks.outputs.norths.rowsOf',
    ],
    [
      'a group size of scores',
      'rowsOf: south, controls: [ { roundTo',
      'rowsOf: south, controls: [ { minimumGroupSize: 10 }, { roundTo',
      'computations.own_risks.outputs.souths.controls',
    ],
    [
      'scores of everyone under a control that lets single people through',
      'norths: { recipients: [north], rowsOf: north',
      'norths: { recipients: [north]',
      'computations.own_risks.outputs.norths',
    ],
    [
      'joined scores where an owner behind them demands a group',
      'owners: [insurer]\n',
      'owners: [insurer]\n    minimums: { insurer: { minimumGroupSize: 10 } }\n',
      'computations.score.outputs.scores.rowsOf',
    ],
    [
      'several tables without a query',
      'over: [stays]\n    features',
      'over: [stays, claims]\n    features',
      'computations.own_risks.query',
    ],
    ['a model of two owners', 'owners: [lab]', 'owners: [lab, north]', 'datasets.risk.owners'],
    [
      'a group size of a model',
      'owners: [lab]\n',
      'owners: [lab]\n    minimums: { lab: { minimumGroupSize: 2 } }\n',
      'datasets.risk.minimums',
    ],
    ['a model without inputs', /inputs: \[ .* \]\n/, 'inputs: []\n', 'datasets.risk.inputs'],
    [
      'two inputs of one name',
      'inputs: [ {',
      'inputs: [ { name: rows, type: int64 }, {',
      'datasets.risk.inputs',
    ],
    [
      'an input type that columns do not have',
      'type: float32, columns: 2',
      'type: uint8, columns: 2',
      'datasets.risk.inputs.0.type',
    ],
    [
      'a model without an output',
      '    output: { name: scores, type: float32 }\n',
      '',
      'datasets.risk.output',
    ],
  ])('refuses %s', (_what, from, to, path) => {
    const text = scoringYaml.replace(from, to)
    expect(text).not.toBe(scoringYaml)
    expect(readContract(text).problems.map((problem) => problem.path)).toContain(path)
  })
})
