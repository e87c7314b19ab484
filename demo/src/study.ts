/** The study of the demo: three owners, two reviewed queries, one training, one contract. */

/** The parties' labels in the contract, with what each of them is. */
export const parties = {
  registry: 'data owner: 17,549 patients',
  laboratory: 'data owner: 400,123 laboratory values',
  insurer: 'data owner: 34,340 diagnoses',
  institute: 'requester and recipient',
  regulator: 'auditor',
} as const

export type Label = keyof typeof parties
export const labels = Object.keys(parties) as Label[]
export const owners = ['registry', 'laboratory', 'insurer'] as const

/** Death rate by BMI band and diabetes, among the people whom the insurer knows. */
export const deathRateQuery = `
with conditions as (
  select id, bool_or(event = 'diabetes') as diabetes
  from events
  group by id
), cholesterol as (
  select id, avg(value) as mean_hdl
  from labs
  where test = 'hdl'
  group by id
)
select
  case when bmi < 25 then '1: under 25' when bmi < 30 then '2: 25 to 30' when bmi < 35 then '3: 30 to 35' else '4: 35 and over' end as bmi_band,
  diabetes,
  count(*) as people,
  avg(died::int) as death_rate,
  avg(mean_hdl) as mean_hdl
from registry
join conditions using (id)
join cholesterol using (id)
where bmi is not null
group by 1, 2
order by 1, 2`

/** Mean fibrosis score by age band, from an age on that the requester names. */
export const fibrosisQuery = `
with scores as (
  select id, avg(value) as fib4
  from labs
  where test = 'fib4'
  group by id
), conditions as (
  select id, count(*) as diagnoses
  from events
  group by id
)
select
  case when age < 30 then '18 to 29' when age < 40 then '30 to 39' when age < 50 then '40 to 49' when age < 60 then '50 to 59'
       when age < 70 then '60 to 69' when age < 80 then '70 to 79' when age < 95 then '80 to 94' else '95 and over' end as age_band,
  count(*) as people,
  avg(fib4) as mean_fib4,
  avg(diagnoses) as mean_diagnoses
from registry
join scores using (id)
join conditions using (id)
where age >= $from_age
group by 1
order by 1`

/** One row per patient whom all three know: what the institute's model of death learns from. */
export const riskQuery = `
with conditions as (
  select id, bool_or(event = 'diabetes') as diabetes
  from events
  group by id
), cholesterol as (
  select id, avg(value) as mean_hdl
  from labs
  where test = 'hdl'
  group by id
)
select age, male, bmi, diabetes, mean_hdl, died
from registry
join conditions using (id)
join cholesterol using (id)`

/** A small count that reads all three owners' data; the hostile coordinator tries its tricks on it. */
export const sexQuery = `
with conditions as (
  select id, count(*) as diagnoses
  from events
  group by id
), measured as (
  select id, count(*) as measurements
  from labs
  group by id
)
select male, count(*) as people, avg(diagnoses) as mean_diagnoses
from registry
join conditions using (id)
join measured using (id)
group by 1
order by 1`

export interface StudyTerms {
  readonly keys: Readonly<Record<Label, string>>
  readonly simulatorKey: string
  readonly measurement: string
  readonly validFrom: string
  readonly validUntil: string
  readonly proposalExpires: string
}

/** The contract as a person writes it; `sealroom contract propose` fills in what concerns the log. */
export function studyContract(terms: StudyTerms): string {
  const { keys } = terms
  return `sealroom: contract/v1
name: fatty-liver-outcomes
purpose: Estimate how weight, diabetes and fibrosis go with death; no other use.
valid: { from: ${terms.validFrom}, until: ${terms.validUntil} }
parties:
  registry:   { key: "${keys.registry}", roles: [data, approver, recipient] }
  laboratory: { key: "${keys.laboratory}", roles: [data] }
  insurer:    { key: "${keys.insurer}", roles: [data] }
  institute:  { key: "${keys.institute}", roles: [requester, recipient] }
  regulator:  { key: "${keys.regulator}", roles: [auditor] }
governance:
  signatories: [registry, laboratory, insurer, institute]
  proposalExpires: ${terms.proposalExpires}
  amend: all
  revokers: [registry]
log: { witnesses: [registry, laboratory, insurer], quorum: 3 }
enclaves:
  - tee: simulated      # protects nothing: for demonstrations only
    key: "${terms.simulatorKey}"
    measurement: ["${terms.measurement}"]
    maximumAgeSeconds: 300
runs: { leaseSeconds: 30 }
datasets:
  registry:
    owners: [registry]
    unit: id
    minimums: { registry: { minimumGroupSize: 10 } }
    columns:
      id:      { type: int, use: [join] }
      age:     { type: int, min: 0, max: 120, use: [filter] }
      male:    { type: bool, use: [dimension] }
      weight:  { type: double, min: 20, max: 300, nullable: true, use: [avg] }
      height:  { type: int, min: 50, max: 250, nullable: true, use: [avg] }
      bmi:     { type: double, min: 5, max: 120, nullable: true, use: [avg, filter] }
      case_id: { type: int, nullable: true }
      futime:  { type: int, min: 0, max: 20000, use: [avg] }
      died:    { type: bool, use: [avg, count] }
  labs:
    owners: [laboratory]
    unit: id
    minimums: { laboratory: { minimumGroupSize: 10 } }
    columns:
      id:    { type: int, use: [join] }
      days:  { type: int, min: -20000, max: 20000, use: [filter] }
      test:  { type: string, use: [filter] }
      value: { type: double, min: 0, max: 20000, use: [avg] }
  events:
    owners: [insurer]
    unit: id
    minimums: { insurer: { minimumGroupSize: 10 } }
    columns:
      id:    { type: int, use: [join] }
      days:  { type: int, min: -20000, max: 20000, use: [filter] }
      event: { type: string, use: [filter] }
computations:
  death_rate_by_weight:
    kind: sql
    query: |${indented(deathRateQuery)}
    requesters: [institute]
    limit: 2
    outputs:
      result: { recipients: [institute], controls: [ { minimumGroupSize: 10 }, { roundTo: { death_rate: "0.001", mean_hdl: "0.01" } } ] }
  fibrosis_by_age:
    kind: sql
    query: |${indented(fibrosisQuery)}
    parameters:
      from_age: { type: int, min: 18, max: 90 }
    requesters: [institute]
    approvals: { from: [registry], count: 1 }
    limit: 5
    outputs:
      result: { recipients: [institute, registry], controls: [ { minimumGroupSize: 10 }, { roundTo: { mean_fib4: "0.01", mean_diagnoses: "0.1" } } ] }
  death_risk:
    kind: train
    algorithm: logistic-regression
    query: |${indented(riskQuery)}
    target: died
    features: [age, male, bmi, diabetes, mean_hdl]
    preprocessing: { bmi: { impute: mean } }
    split: { test: "0.3", seed: "fatty liver" }
    requesters: [institute]
    limit: 2
    outputs:
      model: { recipients: [institute], controls: [ { minimumGroupSize: 10 } ] }
      coefficients: { recipients: [institute], controls: [ { minimumGroupSize: 10 }, { roundTo: { coefficient: "0.001", standard_error: "0.001" } } ] }
      metrics: { recipients: [institute, registry], controls: [ { minimumGroupSize: 10 }, { roundTo: { value: "0.001", low: "0.001", high: "0.001" } } ] }
  people_by_sex:
    kind: sql
    query: |${indented(sexQuery)}
    requesters: [institute]
    limit: 1000
    failures: 100
    outputs:
      result: { recipients: [institute], controls: [ { minimumGroupSize: 10 }, { roundTo: { mean_diagnoses: "0.1" } } ] }
`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `      ${line}`))
    .join('\n')
}
