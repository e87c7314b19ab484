/** The contract that the specs of this library start from: valid, with a part of every kind. */

const thumbprint = (letter: string) => letter.repeat(42) + 'A'

/** Thumbprints of the example's parties. */
export const exampleKeys = {
  north: thumbprint('n'),
  south: thumbprint('s'),
  insurer: thumbprint('i'),
  lab: thumbprint('l'),
  regulator: thumbprint('r'),
  coordinator: thumbprint('c'),
} as const

/** The example with the consent keys of `keys`. */
export function exampleYamlFor(keys: Readonly<Record<keyof typeof exampleKeys, string>>): string {
  return `sealroom: contract/v1
name: cardiac-readmission
purpose: Estimate readmission risk after cardiac surgery; no other use.
valid: { from: 2026-11-01, until: 2027-10-31 }
parties:
  north:     { key: "${keys.north}", roles: [data, recipient, approver, requester] }
  south:     { key: "${keys.south}", roles: [data, recipient] }
  insurer:   { key: "${keys.insurer}", roles: [data] }
  lab:       { key: "${keys.lab}", roles: [requester, recipient] }
  regulator: { key: "${keys.regulator}", roles: [auditor] }
governance: { signatories: [north, south, insurer, lab], proposalExpires: 2026-11-20, amend: all, revokers: [north] }
log:
  origin: log.example.org/1
  key: "${thumbprint('k')}"
  coordinator: "${keys.coordinator}"
  secret: "${thumbprint('x')}"
  witnesses: [north, south, insurer]
  quorum: 3
  checkpoint: "log.example.org/1\\n0\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n"
enclaves:
  - tee: sev-snp
    measurement: ["${'ab'.repeat(48)}"]
    minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 }
    maximumAgeSeconds: 300
    generations: [genoa]
    gpu: { model: hopper, driver: ["550.90.07"], vbios: ["96.00.74.00.1A"] }
  - tee: tdx
    measurement: ["${'cd'.repeat(48)}"]
    minimumTcb: { evaluationDataNumber: 17 }
    maximumAgeSeconds: 300
datasets:
  stays:
    owners: [north, south]
    unit: patient_id
    minimums: { north: { minimumGroupSize: 10 }, south: { minimumGroupSize: 5 } }
    reseal: { afterReleases: 100, afterDays: 90 }
    segments: { keys: [patient_id], facts: [age, ward, readmitted] }
    columns:
      patient_id: { type: string, use: [join] }
      age: { type: int, min: 0, max: 120, use: [avg, stddev, filter] }
      ward: { type: string, use: [dimension] }
      readmitted: { type: bool, use: [avg, count] }
  claims:
    owners: [insurer]
    unit: insured_id
    columns:
      insured_id: { type: string, use: [join] }
      amount: { type: double, min: 0, max: 500000.50, nullable: true, use: [sum, avg] }
      paid: { type: date, min: 2020-01-01, max: 2026-12-31 }
computations:
  readmissions_by_ward:
    kind: sql
    query: select ward, avg(readmitted::int) as rate, count(*) as n from stays where age >= $from_age group by ward
    parameters:
      from_age: { type: int, min: 0, max: 120 }
      note: { type: string, oneOf: [first, second] }
    requesters: [lab]
    limit: 20
    approvals: { from: [north], count: 1 }
    outputs:
      result: { recipients: [lab, north], controls: [ { minimumGroupSize: 10 }, { roundTo: { rate: "0.01" } } ] }
  explore:
    kind: sql-aggregate
    over: [stays, claims]
    requesters: [lab]
    limit: 100
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 10 } ] } }
  risk_model:
    kind: train
    algorithm: logistic-regression
    query: |
      with cost as (select insured_id, sum(amount) as amount from claims group by insured_id)
      select readmitted, age, ward, amount
      from stays join cost on patient_id = insured_id
    preprocessing:
      ward: { oneHot: [cardiology, surgery] }
      amount: { impute: mean }
    l2: "1"
    split: { test: "0.25", seed: readmission }
    target: readmitted
    features: [age, ward, amount]
    requesters: [lab]
    limit: 5
    outputs:
      model:   { controls: [ { keep: sealed } ] }
      metrics: { recipients: [lab, north, south], controls: [ { minimumGroupSize: 50 } ] }
  score:
    kind: infer
    model: risk_model.model
    query: |
      with cost as (select insured_id, sum(amount) as amount from claims group by insured_id)
      select age, ward, amount
      from stays join cost on patient_id = insured_id
    features: [age, ward, amount]
    requesters: [north]
    limit: 1000
    outputs: { scores: { recipients: [north], rowsOf: north, controls: [ { roundTo: { score: "0.01" } } ] } }
budgets: { stays: { epsilon: "4.0", delta: "0.00001" } }
`
}

export const exampleYaml = exampleYamlFor(exampleKeys)
