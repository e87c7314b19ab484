import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { canonicalJson } from '#libs/canonical'
import { ContractError } from '../errors.js'
import { exampleKeys, exampleYaml } from '../example-contract.js'
import { contractTermsSchema } from '../terms/terms.js'
import { guidedFields } from './field-guide.js'
import { problemText } from './problem.js'
import { parseTerms } from './parse-terms.js'
import { canonicalTerms, readContract } from './read-contract.js'

// eslint-disable-next-line no-restricted-syntax -- how often a test tries is no configuration of the product
const runs = process.env['SLOW'] === undefined ? 300 : 20_000

type Path = readonly (string | number)[]
type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

const plain = () => parse(exampleYaml) as Json

function pathsOf(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value)
  return [path, ...entries.flatMap(([name, member]) => pathsOf(member, [...path, name]))]
}

function changed(
  path: Path,
  change: (holder: Record<string | number, Json>, name: string | number) => void,
): string {
  const root = { '': plain() } as Record<string | number, Json>
  const full = ['', ...path]
  const holder = full
    .slice(0, -1)
    .reduce<Record<string | number, Json>>((at, name) => at[name] as never, root)
  change(holder, full.at(-1)!)
  return stringify(root[''])
}

describe('canonicalTerms', () => {
  it('reads the example and writes every default out', () => {
    const terms = canonicalTerms(exampleYaml)
    expect(terms.runs).toEqual({
      leaseSeconds: 60,
      timeGridMilliseconds: 100,
      recordWaitSeconds: 60,
      maximumSeconds: 3600,
      failures: 5,
      reuse: 'never',
    })
    expect(terms.computations['readmissions_by_ward']).toMatchObject({ over: ['stays'], failures: 5 })
    expect(terms.datasets['claims']).toMatchObject({
      kind: 'table',
      columns: { amount: { min: '0', max: '500000.5' } },
    })
    expect(terms.budgets).toEqual({ stays: { epsilon: '4', delta: '0.00001' } })
  })

  it('is a fixed point: canonical terms are read back as they are', () => {
    const terms = canonicalTerms(exampleYaml)
    expect(parseTerms(JSON.parse(JSON.stringify(terms)))).toEqual(terms)
    expect(canonicalTerms(stringify(terms))).toEqual(terms)
  })

  it('gives the same bytes for other spellings of the same numbers and the same layout', () => {
    const spelled = exampleYaml
      .replace('500000.50', '"0500000.5"')
      .replace('epsilon: "4.0"', 'epsilon: 4')
      .replace('leaseSeconds', 'leaseSeconds')
    expect(canonicalJson(canonicalTerms(spelled))).toBe(canonicalJson(canonicalTerms(exampleYaml)))
    expect(canonicalJson(canonicalTerms(stringify(plain())))).toBe(canonicalJson(canonicalTerms(exampleYaml)))
  })

  it('takes what propose makes only where the author left it out', () => {
    const secret = `${'q'.repeat(42)}A`
    const without = exampleYaml.replace(/ {2}secret: .*\n/, '').replace(/ {2}checkpoint: .*\n/, '')
    expect(canonicalTerms(without, { secret, checkpoint: 'log.example.org/1\n5\nroot\n' }).log.secret).toBe(
      secret,
    )
    expect(canonicalTerms(exampleYaml, { secret }).log.secret).not.toBe(secret)
    expect(readContract(without).problems.map((problem) => problem.path)).toEqual([
      'log.secret',
      'log.checkpoint',
    ])
  })

  it('finds the datasets of a reviewed query by the words in it, quoted or not', () => {
    const query = (text: string) => exampleYaml.replace(/query: .*/, `query: ${JSON.stringify(text)}`)
    const over = (text: string) => canonicalTerms(query(text)).computations['readmissions_by_ward']?.over
    expect(over('from Stays join "claims" using (x)')).toEqual(['stays', 'claims'])
    expect(over('select 1 from staysx, stays-1')).toEqual(['stays'])
    expect(readContract(query('select 1')).problems.map((problem) => problem.path)).toContain(
      'computations.readmissions_by_ward.over',
    )
  })
})

describe('parseTerms', () => {
  const terms = () =>
    JSON.parse(JSON.stringify(canonicalTerms(exampleYaml))) as Record<string, Record<string, unknown>>

  it.each<[string, (terms: Record<string, Record<string, unknown>>) => void]>([
    ['a default left out', (t) => delete t['datasets']!['pins']],
    ['budgets left out', (t) => Reflect.deleteProperty(t, 'budgets')],
    ['a number in another spelling', (t) => (t['budgets'] = { stays: { epsilon: '4.0', delta: '0.00001' } })],
    [
      'a member that schemas skip',
      (t) => Object.defineProperty(t['parties'], '__proto__', { value: {}, enumerable: true }),
    ],
  ])('refuses %s', (_name, change) => {
    const changedTerms = terms()
    change(changedTerms)
    if (_name === 'a default left out')
      delete (changedTerms['datasets']!['stays'] as Record<string, unknown>)['pins']
    expect(() => parseTerms(changedTerms)).toThrow(
      expect.objectContaining({ code: 'TERMS_NOT_CANONICAL' }) as Error,
    )
  })

  it('refuses what is no contract with a coded error', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => parseTerms(value)).toThrow(ContractError)
      }),
      { numRuns: runs },
    )
  })
})

describe('a mistake in any field', () => {
  const paths = pathsOf(plain())
  const wrongValues: readonly Json[] = [
    { surprise: 1 },
    '\u202Eevil',
    ...(runs > 300 ? [-1.5, true, [[]]] : []),
  ]

  it.each(paths.map((path) => [path.join('.') || 'the whole', path] as const))(
    'of %s is found and placed',
    (_name, path) => {
      for (const wrong of wrongValues) {
        const text = changed(path, (holder, name) => (holder[name] = wrong))
        const { problems } = readContract(text)
        if (isAllowed(path, wrong)) continue
        expect(problems, JSON.stringify(wrong)).not.toEqual([])
        const near = problems.some((problem) => isNear(problem.path, path.join('.')))
        expect(near, problems.map(problemText).join('\n')).toBe(true)
        for (const problem of problems) {
          expect(problem.line).toBeGreaterThan(0)
          expect(problem.expected).not.toBe('')
          expect(problem.mend).not.toBe('')
        }
      }
    },
  )

  it.each(
    paths.filter((path) => typeof path.at(-1) === 'string').map((path) => [path.join('.'), path] as const),
  )('that leaves %s out is found, or the field is filled or optional', (_name, path) => {
    const { terms, problems } = readContract(
      changed(path, (holder, name) => Reflect.deleteProperty(holder, name)),
    )
    if (terms === null) expect(problems).not.toEqual([])
    else expect(canonicalTerms(stringify(terms))).toEqual(terms)
  })

  it.each(
    paths.filter((path) => typeof path.at(-1) === 'string').map((path) => [path.join('.'), path] as const),
  )('that misspells the name %s is found with the name that was meant', (_name, path) => {
    const { problems } = readContract(
      changed(path, (holder, name) => {
        holder[`${String(name)}x`] = holder[name]!
        Reflect.deleteProperty(holder, name)
      }),
    )
    const unknown = problems.filter(
      (problem) => problem.path === `${path.join('.')}x` && problem.seen.startsWith('the unknown'),
    )
    for (const problem of unknown) expect(problem.mend).toBe(`Did you mean ${String(path.at(-1))}?`)
    // Names that the author chose have no right spelling; what refers to them is then missing.
    const chosen =
      path.length === 2 ||
      [
        'minimums',
        'pins',
        'columns',
        'outputs',
        'parameters',
        'segments',
        'roundTo',
        'preprocessing',
      ].includes(String(path.at(-2)))
    if (!chosen) expect(unknown.length, problems.map(problemText).join('\n')).toBe(1)
  })

  it('is told together with all others, in the order of the text', () => {
    const text = exampleYaml
      .replace('purpose:', 'purpos:')
      .replace('type: bool', 'type: boool')
      .replace('owners: [insurer]', 'owners: [insuror]')
      .replace('limit: 20', 'limit: many')
      .replace('keep: sealed', 'kep: sealed')
    const { problems } = readContract(text)
    expect(problems.map((problem) => problem.path)).toEqual(
      expect.arrayContaining([
        'purpos',
        'purpose',
        'datasets.stays.columns.readmitted.type',
        'datasets.claims.owners.0',
        'computations.readmissions_by_ward.limit',
        'computations.risk_model.outputs.model.controls.0.kep',
      ]) as string[],
    )
    const lines = problems.map((problem) => problem.line ?? 0)
    expect(lines).toEqual([...lines].sort((a, b) => a - b))
    expect(problems.find((problem) => problem.path === 'datasets.claims.owners.0')?.mend).toBe(
      'Did you mean insurer?',
    )
  })

  it('names line and column of the value', () => {
    const lines = exampleYaml.split('\n')
    const line = lines.findIndex((text) => text.includes('age: { type: int'))
    const [problem] = readContract(
      exampleYaml.replace('max: 120, use: [avg, stddev', 'max: lots, use: [avg, stddev'),
    ).problems
    expect(problem).toMatchObject({
      path: 'datasets.stays.columns.age.max',
      line: line + 1,
      column: lines[line]!.indexOf('120') + 1,
      seen: '"lots"',
    })
  })

  it('of the secret is told without showing it', () => {
    const { problems } = readContract(exampleYaml.replace(/secret: ".*"/, 'secret: "hunter2"'))
    expect(problems.map(problemText).join()).not.toContain('hunter2')
  })

  const whole = (path: Path) => path.join('.')

  // What a field of the example may be as well.
  function isAllowed(path: Path, wrong: Json): boolean {
    if (path.at(-1) === 'roundTo') return typeof wrong === 'object'
    return whole(path).endsWith('amount.min') && wrong === -1.5
  }

  function isNear(problem: string, path: string): boolean {
    return (
      problem === path ||
      problem.startsWith(`${path}.`) ||
      path.startsWith(`${problem}.`) ||
      problem === '' ||
      path === '' ||
      // The datasets of a reviewed query are read from it.
      problem === path.replace(/query$/, 'over')
    )
  }
})

describe('parts that do not fit each other', () => {
  const key = exampleKeys
  const cases: readonly [what: string, from: string | RegExp, to: string, path: string][] = [
    ['a contract that ends before it begins', 'until: 2027-10-31', 'until: 2026-10-31', 'valid.until'],
    [
      'a proposal that outlives the contract',
      'proposalExpires: 2026-11-20',
      'proposalExpires: 2027-10-31',
      'governance.proposalExpires',
    ],
    ['one key for two parties', key.south, key.north, 'parties.south.key'],
    ['names that look alike', 'insurer:   { key', 'nоrth: { key', 'parties.nоrth'],
    ['names that differ in case only', 'ward: { type', 'AGE: { type', 'datasets.stays.columns.AGE'],
    [
      'a signatory that is no party',
      'signatories: [north, south, insurer, lab]',
      'signatories: [north, south, insurer, labb]',
      'governance.signatories.3',
    ],
    [
      'an owner that does not sign',
      'signatories: [north, south, insurer, lab]',
      'signatories: [north, south, lab]',
      'governance.signatories',
    ],
    ['a revoker that is no party', 'revokers: [north]', 'revokers: [nort]', 'governance.revokers.0'],
    ['more amenders than signatories', 'amend: all', 'amend: { count: 5 }', 'governance.amend.count'],
    [
      'an owner that is no witness',
      'witnesses: [north, south, insurer]\n  quorum: 3',
      'witnesses: [north, south, lab]\n  quorum: 3',
      'log.witnesses',
    ],
    ['a quorum beyond the witnesses', 'quorum: 3', 'quorum: 4', 'log.quorum'],
    ['a checkpoint of another log', '"log.example.org/1\\n0', '"log.example.org/2\\n0', 'log.checkpoint'],
    [
      'a simulated enclave beside a real one',
      /tee: tdx[\s\S]*?maximumAgeSeconds/,
      `tee: simulated\n    key: ${key.lab}\n    measurement: [${'ab'.repeat(32)}]\n    maximumAgeSeconds`,
      'enclaves.1.tee',
    ],
    ['an owner that is no party', 'owners: [insurer]', 'owners: [ensurer]', 'datasets.claims.owners.0'],
    [
      'an owner without the role data',
      'owners: [insurer]',
      'owners: [insurer, lab]',
      'datasets.claims.owners.1',
    ],
    ['a unit that is no column', 'unit: insured_id', 'unit: insured', 'datasets.claims.unit'],
    [
      'a unit that may be shown',
      'insured_id: { type: string, use: [join] }',
      'insured_id: { type: string, use: [join, dimension] }',
      'datasets.claims.columns.insured_id.use',
    ],
    [
      'a minimum of somebody else',
      'south: { minimumGroupSize: 5 }',
      'lab: { minimumGroupSize: 5 }',
      'datasets.stays.minimums.lab',
    ],
    [
      'bounds that are crossed',
      'min: 0, max: 120, use',
      'min: 121, max: 120, use',
      'datasets.stays.columns.age.max',
    ],
    ['decimal bounds that are crossed', 'max: 500000.50', 'max: -0.5', 'datasets.claims.columns.amount.max'],
    [
      'a sum of texts',
      'ward: { type: string, use: [dimension]',
      'ward: { type: string, use: [sum]',
      'datasets.stays.columns.ward.use',
    ],
    [
      'a column in no segment',
      'facts: [age, ward, readmitted]',
      'facts: [age, ward]',
      'datasets.stays.segments',
    ],
    [
      'a column in two segments',
      'keys: [patient_id]',
      'keys: [patient_id, age]',
      'datasets.stays.segments.facts.0',
    ],
    [
      'a segment of an unknown column',
      'keys: [patient_id]',
      'keys: [patient_id, agee]',
      'datasets.stays.segments.keys.1',
    ],
    ['a budget of an unknown dataset', 'budgets: { stays:', 'budgets: { stay:', 'budgets.stay'],
    ['a budget whose δ is 1', 'delta: "0.00001"', 'delta: 1', 'budgets.stays.delta'],
    [
      'an unknown dataset',
      'over: [stays, claims]\n    requesters',
      'over: [stays, claim]\n    requesters',
      'computations.explore.over.1',
    ],
    [
      'a requester without the role',
      'requesters: [lab]\n    limit: 20',
      'requesters: [south]\n    limit: 20',
      'computations.readmissions_by_ward.requesters.0',
    ],
    [
      'an approver without the role',
      'approvals: { from: [north]',
      'approvals: { from: [south]',
      'computations.readmissions_by_ward.approvals.from.0',
    ],
    [
      'more approvals than approvers',
      'from: [north], count: 1',
      'from: [north], count: 2',
      'computations.readmissions_by_ward.approvals.count',
    ],
    [
      'a recipient that is no party',
      'recipients: [lab, north], controls',
      'recipients: [labs, north], controls',
      'computations.readmissions_by_ward.outputs.result.recipients.0',
    ],
    [
      'a recipient without the role',
      'recipients: [lab, north], controls',
      'recipients: [insurer], controls',
      'computations.readmissions_by_ward.outputs.result.recipients.0',
    ],
    [
      'an output without recipients',
      'recipients: [lab, north], controls',
      'controls',
      'computations.readmissions_by_ward.outputs.result.recipients',
    ],
    [
      'an output without controls',
      /, controls: \[ \{ minimumGroupSize: 10 \}, .*/,
      ' }',
      'computations.readmissions_by_ward.outputs.result.controls',
    ],
    [
      'an empty list of controls',
      /controls: \[ \{ minimumGroupSize: 10 \}, .*/,
      'controls: [] }',
      'computations.readmissions_by_ward.outputs.result.controls',
    ],
    [
      'two controls in one entry',
      '{ minimumGroupSize: 10 }, { roundTo',
      '{ minimumGroupSize: 10, maxRows: 5 }, { roundTo',
      'computations.readmissions_by_ward.outputs.result.controls.0',
    ],
    [
      'a control twice',
      '{ minimumGroupSize: 10 }, { roundTo',
      '{ minimumGroupSize: 10 }, { minimumGroupSize: 11 }, { roundTo',
      'computations.readmissions_by_ward.outputs.result.controls.1',
    ],
    [
      'uncontrolled beside a control',
      '{ minimumGroupSize: 10 }, { roundTo',
      '{ uncontrolled: why }, { roundTo',
      'computations.readmissions_by_ward.outputs.result.controls',
    ],
    [
      'uncontrolled against an owner’s minimum',
      '{ minimumGroupSize: 10 }, { roundTo: { rate: "0.01" } }',
      '{ uncontrolled: why }',
      'computations.readmissions_by_ward.outputs.result.controls',
    ],
    [
      'recipients of a sealed output',
      'model:   { controls',
      'model:   { recipients: [lab], controls',
      'computations.risk_model.outputs.model.recipients',
    ],
    [
      'rows of somebody who owns none',
      'rowsOf: north',
      'rowsOf: lab',
      'computations.score.outputs.scores.rowsOf',
    ],
    [
      'preprocessing of what is no feature',
      'ward: { oneHot',
      'wart: { oneHot',
      'computations.risk_model.preprocessing.wart',
    ],
    [
      'an output that no training gives',
      'metrics: { recipients: [lab, north',
      'weights: { recipients: [lab, north',
      'computations.risk_model.outputs.weights',
    ],
    [
      'a model that leaves rounded',
      'model:   { controls: [ { keep: sealed } ] }',
      'model:   { recipients: [lab], controls: [ { minimumGroupSize: 9 }, { maxRows: 3 } ] }',
      'computations.risk_model.outputs.model.controls',
    ],
    [
      'a number for a text that is missing',
      'ward: { oneHot: [cardiology, surgery] }',
      'ward: { oneHot: [cardiology, surgery], impute: mean }',
      'computations.risk_model.preprocessing.ward.impute',
    ],
    [
      'a target among the features',
      'features: [age, ward, amount]',
      'features: [age, readmitted]',
      'computations.risk_model.features',
    ],
    [
      'a target of k-means',
      'algorithm: logistic-regression',
      'algorithm: k-means',
      'computations.risk_model.target',
    ],
    [
      'a model that is not kept',
      'model: risk_model.model',
      'model: risk_model.metrics',
      'computations.score.model',
    ],
    ['a table as a model', 'model: risk_model.model', 'model: stays', 'computations.score.model'],
    ...[
      ['fewer features than a kept model learned from', '[age, ward]'],
      ['more features than a kept model learned from', '[age, ward, amount, patient_id]'],
      ['features of a kept model in another order', '[ward, age, amount]'],
      ['another name for what a kept model learned from', '[age, ward, cost]'],
    ].map(([what = '', features = '']): [string, string, string, string] => {
      const rest = '\n    requesters: [north]'
      return [
        what,
        `features: [age, ward, amount]${rest}`,
        `features: ${features}${rest}`,
        'computations.score.features',
      ]
    }),
    [
      'a parameter without bounds',
      'from_age: { type: int, min: 0, max: 120 }',
      'from_age: { type: int }',
      'computations.readmissions_by_ward.parameters.from_age',
    ],
    [
      'a parameter whose bounds are crossed',
      'from_age: { type: int, min: 0, max: 120 }',
      'from_age: { type: int, min: 9, max: 8 }',
      'computations.readmissions_by_ward.parameters.from_age.max',
    ],
    ['no limit', '    limit: 20\n', '', 'computations.readmissions_by_ward.limit'],
    [
      'a minimum of nobody',
      '{ minimumGroupSize: 5 }',
      '{ minimumGroupSize: 0 }',
      'datasets.stays.minimums.south.minimumGroupSize',
    ],
  ]

  it.each(cases)('%s: refused where it stands', (_what, from, to, path) => {
    const text = exampleYaml.replace(from, to)
    expect(text).not.toBe(exampleYaml)
    expect(readContract(text).problems.map((problem) => problem.path)).toContain(path)
  })

  it('measures that a training keeps are no model', () => {
    const kept = exampleYaml.replace(
      'metrics: { recipients: [lab, north, south], controls: [ { minimumGroupSize: 50 } ] }',
      'metrics: { controls: [ { keep: sealed } ] }',
    )
    const paths = (text: string) => readContract(text).problems.map((problem) => problem.path)
    expect(paths(kept)).toEqual([])
    expect(paths(kept.replace('model: risk_model.model', 'model: risk_model.metrics'))).toEqual([
      'computations.score.model',
    ])
  })
})

describe('the field guide', () => {
  it('holds every field of the schema, and no other', () => {
    expect(
      [...new Set(fieldsOf(contractTermsSchema))].filter(
        (field) => !guidedFields.some((pattern) => covers(pattern, field)),
      ),
    ).toEqual([])
    const fields = fieldsOf(contractTermsSchema)
    expect(guidedFields.filter((pattern) => !fields.some((field) => covers(pattern, field)))).toEqual([])
  })

  function covers(pattern: string, field: string): boolean {
    const [parts, wanted] = [pattern.split('.'), field.split('.')]
    return parts.length === wanted.length && parts.every((part, i) => part === '*' || part === wanted[i])
  }

  function fieldsOf(schema: z.core.$ZodType, path: readonly string[] = []): string[] {
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault)
      return fieldsOf(schema.unwrap(), path)
    if (schema instanceof z.ZodPipe) return fieldsOf(schema.in, path)
    if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => fieldsOf(option, path))
    const own = path.join('.')
    if (schema instanceof z.ZodObject)
      return [
        own,
        ...Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([name, member]) =>
          fieldsOf(member, [...path, name]),
        ),
      ]
    if (schema instanceof z.ZodRecord) return [own, ...fieldsOf(schema.valueType, [...path, '*'])]
    if (schema instanceof z.ZodArray) return [own, ...fieldsOf(schema.element, [...path, '*'])]
    return [own]
  }
})
