/** A small study for specs: two owners, a requester, an auditor, over the fake coordinator. */
import { aClock, type TestClock } from '#libs/testing'
import { FakeCoordinator } from './fake-coordinator.js'
import { Person } from './person.js'

export const studyYaml = `sealroom: contract/v1
name: small-study
purpose: Try it.
valid: { from: 2026-11-01, until: 2027-10-31 }
parties:
  north: { key: north, roles: [data, recipient, approver] }
  south: { key: south, roles: [data] }
  lab:   { key: lab, roles: [requester, recipient] }
  watch: { key: watch, roles: [auditor] }
governance: { signatories: [north, south, lab], proposalExpires: 2026-12-20, revokers: [north] }
log: { witnesses: [north, south], quorum: 2 }
enclaves:
  - { tee: simulated, key: "${'s'.repeat(42)}A", measurement: ["${'0123456789abcdef'.repeat(4)}"], maximumAgeSeconds: 300 }
datasets:
  people:
    owners: [north]
    unit: id
    columns:
      id: { type: int, use: [join] }
      age: { type: int, min: 0, max: 120, use: [filter, avg] }
      ward: { type: string, use: [dimension] }
      secret: { type: string, nullable: true }
  values:
    owners: [south]
    unit: id
    columns:
      id: { type: int, use: [join] }
      v: { type: double, min: 0, max: 100, nullable: true, use: [avg] }
computations:
  by_ward:
    kind: sql
    query: select ward, count(*) as n, avg(v) as mean_v from people join values using (id) where age >= $from_age group by ward order by ward
    parameters: { from_age: { type: int, min: 0, max: 100 } }
    requesters: [lab]
    approvals: { from: [north], count: 1 }
    limit: 3
    outputs: { result: { recipients: [lab, north], controls: [ { minimumGroupSize: 5 }, { roundTo: { mean_v: "0.1" } } ] } }
`

export interface Study {
  readonly clock: TestClock
  readonly coordinator: FakeCoordinator
  readonly people: Readonly<Record<'north' | 'south' | 'lab' | 'watch', Person>>
  readonly keys: Readonly<Record<string, string>>
  end(): Promise<void>
}

/** People with homes, joined and pinned. */
export async function aStudy(): Promise<Study> {
  const clock = aClock()
  const coordinator = await FakeCoordinator.start(clock.now)
  const names = ['north', 'south', 'lab', 'watch'] as const
  const people = await Promise.all(names.map((name) => Person.make(name, clock.now)))
  const keys: Record<string, string> = {}
  for (const person of people) {
    const made = await person.says('--json', 'init', '--name', person.name, '--coordinator', coordinator.url)
    keys[person.name] = made.json<{ party: string }>().party
    await person.says('identity', 'join', '--invitation', 'x')
  }
  for (const person of people)
    for (const other of names) if (other !== person.name) await person.says('pin', other, keys[other] ?? '')
  const [north, south, lab, watch] = people as [Person, Person, Person, Person]
  return {
    clock,
    coordinator,
    people: { north, south, lab, watch },
    keys,
    end: async () => {
      await Promise.all(people.map((person) => person.gone()))
      await coordinator.close()
    },
  }
}

/** The study's contract, proposed by the lab and signed by all; returns its id. */
export async function signedContract({ people }: Study, yaml = studyYaml): Promise<string> {
  const { north, south, lab } = people
  for (const person of [north, south, lab]) await person.says('rules', 'allow-simulated', 'on')
  const file = await lab.write('study.yaml', yaml)
  const { contract } = (await lab.says('--json', 'contract', 'propose', file)).json<{ contract: string }>()
  await north.says('contract', 'sign', contract)
  await south.says('contract', 'sign', contract)
  return contract
}
