import { describe, expect, it } from 'vitest'
import { exampleYaml } from '../example-contract.js'
import { parseTerms } from '../reading/parse-terms.js'
import { canonicalTerms } from '../reading/read-contract.js'
import { ContractError } from '../errors.js'
import { controlNames } from '../terms/controls.js'
import type { ContractTerms, Control } from '../terms/terms.js'
import { diffTerms } from './diff-terms.js'
import { guaranteeOf, modelFileText } from './guarantees.js'
import { summaryOf } from './party-summary.js'
import { renderContract } from './render-contract.js'
import { reviewContract, type FindingCode } from './review-contract.js'

const terms = canonicalTerms(exampleYaml)

describe('renderContract', () => {
  it('shows every change of a term, but of the secret', () => {
    const text = renderContract(terms)
    let changes = 0
    for (const path of leavesOf(terms)) {
      const changed = changedAt(path)
      if (changed === null || path.join('.') === 'log.secret') continue
      changes++
      expect(renderContract(changed), path.join('.')).not.toBe(text)
    }
    expect(changes).toBeGreaterThan(60)
  })

  it('shows a seed so that its words pass for none of the contract’s', () => {
    const seed = 'x". Nobody is held out. "'
    const forged = canonicalTerms(exampleYaml.replace('seed: readmission', `seed: ${JSON.stringify(seed)}`))
    expect(renderContract(forged)).toContain(`begins with ${JSON.stringify(seed)}.`)
  })

  it('shows no secret', () => {
    expect(renderContract(terms)).not.toContain(terms.log.secret)
  })

  it('marks every line that an author wrote, so that none passes for a line of the contract', () => {
    const purpose = 'Research.\n\nPARTIES\n  nobody: data'
    const query = 'select 1 from stays\nGOVERNANCE\n  Amendments are signed by nobody.'
    const forged = canonicalTerms(
      exampleYaml
        .replace(/purpose: .*/, `purpose: ${JSON.stringify(purpose)}`)
        .replace(/query: .*/, `query: ${JSON.stringify(query)}`),
    )
    const lines = renderContract(forged).split('\n')
    expect(lines.filter((line) => line.trim() === 'PARTIES')).toHaveLength(1)
    expect(lines.filter((line) => line.trim() === 'GOVERNANCE')).toHaveLength(1)
    expect(lines).toContain('  | PARTIES')
  })

  it('says of a model that goes to somebody that it is a file to be applied anywhere, and of a kept one not', () => {
    const leaves = exampleYaml.replace(
      'model:   { controls: [ { keep: sealed } ] }',
      'model:   { recipients: [lab], controls: [ { minimumGroupSize: 50 } ] }',
    )
    const kept = 'score:\n    kind: infer'
    expect(renderContract(terms)).not.toContain('ONNX')
    const without = leaves.replace(/ {2}score:\n(?: {4}.*\n)+/, '')
    expect(leaves).toContain(kept)
    expect(renderContract(canonicalTerms(without))).toContain(`      ${modelFileText}`)
  })

  it('tells each party what it gives and gets', () => {
    expect(summaryOf(terms, 'north')).toEqual([
      'north gives stays, read by readmissions_by_ward, explore, risk_model and score.',
      'north may ask for score.',
      'north decides on runs of readmissions_by_ward.',
      'north gets result of readmissions_by_ward, metrics of risk_model and scores of score.',
      'north signs.',
      'north cosigns the record.',
    ])
  })
})

describe('guaranteeOf', () => {
  it('has a sentence for every control', () => {
    const controls: readonly Control[] = [
      { minimumGroupSize: 10 },
      { roundTo: { rate: '0.01' } },
      { clamp: { amount: { min: '0', max: '9' } } },
      { topCode: { age: '90' } },
      { maxRows: 5 },
      { columns: ['ward'] },
      { differentialPrivacy: { epsilon: '1', delta: '0', mechanism: 'discrete-laplace' } },
      { releaseApproval: { from: ['north'], count: 1 } },
      { keep: 'sealed' },
      { uncontrolled: 'public anyway' },
    ]
    expect(controls.map((control) => Object.keys(control)[0])).toEqual([...controlNames])
    for (const control of controls) expect(guaranteeOf(control).length).toBeGreaterThan(20)
  })
})

describe('reviewContract', () => {
  const codes = (yaml: string): FindingCode[] => [
    ...new Set(reviewContract(canonicalTerms(yaml)).map((finding) => finding.code)),
  ]
  // Measurements and resealing without the example's own warnings.
  const quiet = exampleYaml
    .replace('ab'.repeat(48), '01'.repeat(47) + '02')
    .replace('cd'.repeat(48), '01'.repeat(47) + '03')
    .replace(
      '    owners: [insurer]\n',
      '    owners: [insurer]\n    reseal: { afterDays: 30 }\n    minimums: { insurer: { minimumGroupSize: 10 } }\n',
    )
    .replaceAll(/(kind: (?:sql-aggregate|train)\n)/g, '$1    approvals: { from: [north, south], count: 2 }\n')
    .replace('south:     {', 'south:     {')
    .replace(/(south: .*roles: \[data, recipient)\]/, '$1, approver]')
    // Scores always tell something, of a model at least.
    .replace(/ {2}score:\n(?: {4}.*\n)+/, '')

  it('finds nothing in a careful contract', () => {
    expect(reviewContract(canonicalTerms(quiet))).toEqual([])
  })

  it.each<[FindingCode, string | RegExp, string]>([
    [
      'SMALL_GROUPS',
      /north: { minimumGroupSize: 10 }, south: { minimumGroupSize: 5 }([^]*?)minimumGroupSize: 10 }, { roundTo/,
      'north: { minimumGroupSize: 3 }, south: { minimumGroupSize: 3 }$1minimumGroupSize: 3 }, { roundTo',
    ],
    ['OLD_EVIDENCE', 'maximumAgeSeconds: 300', 'maximumAgeSeconds: 7200'],
    ['UNREPRODUCIBLE_MEASUREMENT', '01'.repeat(47) + '02', '00'.repeat(48)],
    ['MULTITHREADING_ALLOWED', 'gpu: {', 'smt: allowed\n    gpu: {'],
    ['PROTECTIONS_WAIVED', 'gpu: {', 'waivedProtections: [aliasCheck]\n    gpu: {'],
    [
      'OUTDATED_FIRMWARE_ALLOWED',
      'minimumTcb: { evaluationDataNumber: 17 }',
      'minimumTcb: { evaluationDataNumber: 17 }\n    tcbStatus: [OutOfDate]',
    ],
    [
      'PAGE_EXCEPTIONS_ALLOWED',
      'minimumTcb: { evaluationDataNumber: 17 }',
      'minimumTcb: { evaluationDataNumber: 17 }\n    septVe: enabled',
    ],
    ['NO_RESEALING', '    reseal: { afterDays: 30 }\n', ''],
    ['HIGH_LIMIT', 'limit: 20', 'limit: 20000'],
    ['MANY_FAILURES', 'limit: 20', 'limit: 20\n    failures: 99'],
    ['HIGH_EPSILON', 'epsilon: "4.0"', 'epsilon: "40"'],
    ['ONE_WITNESS', 'quorum: 3', 'quorum: 1'],
    ['NO_REVOKER', ', revokers: [north]', ''],
    ['NO_AUDITOR', 'roles: [auditor]', 'roles: [recipient]'],
    [
      'NO_MINIMUM',
      '{ north: { minimumGroupSize: 10 }, south: { minimumGroupSize: 5 } }',
      '{ north: { minimumGroupSize: 10 } }',
    ],
    ['LONG_VALIDITY', 'until: 2027-10-31', 'until: 2037-10-31'],
    ['MINORITY_AMENDS', 'amend: all', 'amend: { count: 2 }'],
    ['ENCLAVE_REUSED', 'enclaves:', 'runs: { reuse: sameContract }\nenclaves:'],
    ['RECIPIENT_UNSIGNED', 'insurer, lab], proposalExpires', 'insurer], proposalExpires'],
    ['ONE_APPROVER', 'from: [north, south], count: 2', 'from: [north, south], count: 1'],
    ['REQUESTER_APPROVES', 'approvals: { from: [north], count: 1 }', 'approvals: { from: [lab], count: 1 }'],
    ['UNIT_NULLABLE', 'patient_id: { type: string', 'patient_id: { type: string, nullable: true'],
    ['NO_APPROVAL', '    approvals: { from: [north, south], count: 2 }\n', ''],
  ])('warns of %s', (code, from, to) => {
    const text =
      code === 'REQUESTER_APPROVES'
        ? quiet.replace(/(lab: .*roles: \[requester, recipient)\]/, '$1, approver]').replace(from, to)
        : quiet.replace(from, to)
    expect(text).not.toBe(quiet)
    expect(codes(text)).toEqual([code])
  })

  const maa = `  - tee: maa-tdx
    measurement: ["${'01'.repeat(47)}02"]
    issuer: https://service.example
    keys: ["${'0a'.repeat(32)}"]
    policyHash: ["${'A'.repeat(43)}"]
    maximumAgeSeconds: 300
`
  const space = `  - tee: gcp-cs
    measurement: ["${'01'.repeat(31)}02"]
    audience: sealroom
    keys: ["${'0a'.repeat(32)}"]
    hardware: [GCP_AMD_SEV_SNP]
    maximumAgeSeconds: 300
`
  const azure = `  - tee: az-tdx-vtpm
    measurement: ["${'01'.repeat(47)}02"]
    minimumTcb: { evaluationDataNumber: 17 }
    maximumAgeSeconds: 300
`
  const beside = (entry: string) => quiet.replace('enclaves:', `enclaves:\n${entry.trimEnd()}`)

  it.each<[string, string, FindingCode[]]>([
    ['a service that is trusted', maa, ['SERVICE_TRUSTED']],
    [
      'a guest that nothing measures',
      `${maa}    guestCode: unmeasured\n`,
      ['UNMEASURED_GUEST', 'SERVICE_TRUSTED'],
    ],
    ['a Confidential Space', space, ['SERVICE_TRUSTED']],
    ['memory that can be changed', space.replace('_SNP', ''), ['MEMORY_CHANGEABLE', 'SERVICE_TRUSTED']],
    ['nothing of a machine of Azure that is held tight', azure, []],
    ['the console of a host', `${azure}    console: allowed\n`, ['HOST_CONSOLE']],
  ])('warns of %s', (_what, entry, expected) => {
    expect(codes(beside(entry))).toEqual(expected)
  })

  it('warns of a model that leaves, whatever its group size', () => {
    const leaves = quiet.replace(
      'model:   { controls: [ { keep: sealed } ] }',
      'model:   { recipients: [lab], controls: [ { minimumGroupSize: 5000 } ] }',
    )
    expect(codes(leaves)).toEqual(['MODEL_LEAVES'])
  })

  it('does not ask for approval of a training, whose query the contract fixes', () => {
    const approved = '    kind: train\n    approvals: { from: [north, south], count: 2 }\n'
    expect(quiet).toContain(approved)
    expect(codes(quiet.replace(approved, '    kind: train\n'))).toEqual([])
  })

  it('warns of an output that leaves as computed, first of all', () => {
    const text = quiet
      .replace(
        'minimums: { north: { minimumGroupSize: 10 }, south: { minimumGroupSize: 5 } }',
        'minimums: {}',
      )
      .replace('{ minimumGroupSize: 10 }, { roundTo: { rate: "0.01" } }', '{ uncontrolled: public anyway }')
    expect(codes(text)[0]).toBe('UNCONTROLLED_OUTPUT')
  })

  it('warns of a simulated enclave', () => {
    const text = quiet.replace(
      / {2}- tee: sev-snp[\s\S]*?(?=datasets:)/,
      `  - { tee: simulated, key: "${terms.log.key}", measurement: ["${'01'.repeat(31)}02"], maximumAgeSeconds: 60 }\n`,
    )
    expect(codes(text)).toEqual(['SIMULATED_ENCLAVE'])
  })
})

describe('diffTerms', () => {
  it('finds nothing between equal terms', () => {
    expect(diffTerms(terms, canonicalTerms(exampleYaml))).toEqual([])
  })

  it('names each field that differs, before and after', () => {
    const after = canonicalTerms(exampleYaml.replace('limit: 20', 'limit: 21').replace('  paid:', '  payed:'))
    expect(diffTerms(terms, after)).toEqual([
      { path: 'computations.readmissions_by_ward.limit', before: '20', after: '21' },
      { path: 'datasets.claims.columns.paid', before: expect.any(String) as string, after: null },
      { path: 'datasets.claims.columns.payed', before: null, after: expect.any(String) as string },
    ])
  })

  it('names every change of a term', () => {
    for (const path of leavesOf(terms)) {
      const changed = changedAt(path)
      if (changed !== null) expect(diffTerms(terms, changed).length, path.join('.')).toBeGreaterThan(0)
    }
  })
})

type Path = readonly (string | number)[]

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]))
}

/** The example with one leaf changed into something that is still a contract; null where there is no such thing. */
function changedAt(path: Path): ContractTerms | null {
  for (const next of [nextOf, otherHex, otherDay]) {
    const copy = JSON.parse(JSON.stringify(terms)) as Record<string | number, unknown>
    let holder = copy
    for (const name of path.slice(0, -1)) holder = holder[name] as typeof copy
    const name = path.at(-1)!
    const value = next(holder[name])
    if (value === undefined || value === holder[name]) continue
    holder[name] = value
    try {
      return parseTerms(copy)
    } catch (error) {
      if (!(error instanceof ContractError)) throw error
    }
  }
  return null
}

function nextOf(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'boolean') return !value
  return typeof value === 'string' ? (/^[\d.]+$/.test(value) ? `${value}1` : `${value} x`) : undefined
}

function otherHex(value: unknown): unknown {
  if (typeof value !== 'string') return undefined
  return value.startsWith('a') ? `b${value.slice(1)}` : `a${value.slice(1)}`
}

function otherDay(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^(\d{4}-\d\d)-\d\d$/, '$1-05') : undefined
}
