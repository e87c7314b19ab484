/** A contract over two data owners with a requester, an approver and an auditor. */
import { toBase64url } from '#libs/canonical'
import type { ContractTerms } from '#libs/contract'
import { canonicalTerms } from '#libs/contract/yaml'
import { randomBytes } from 'node:crypto'
import type { LogInfo } from '#libs/protocol'
import { thumbprintOf } from '#libs/canonical'
import { testMeasurement } from './worker.js'
import type { TestParty } from './party.js'

export interface Cast {
  readonly north: TestParty
  readonly south: TestParty
  readonly lab: TestParty
  readonly regulator: TestParty
}

export function testTerms(
  cast: Cast,
  log: LogInfo,
  change: (yaml: string) => string = (yaml) => yaml,
): ContractTerms {
  const { north, south, lab, regulator } = cast
  const yaml = `
sealroom: contract/v1
name: test-contract
purpose: To test the coordinator.
valid: { from: 2026-01-01, until: 2036-12-31 }
parties:
  north: { key: "${north.thumbprint}", roles: [data, approver] }
  south: { key: "${south.thumbprint}", roles: [data, recipient] }
  lab: { key: "${lab.thumbprint}", roles: [requester, recipient] }
  regulator: { key: "${regulator.thumbprint}", roles: [auditor] }
governance: { signatories: [north, south, lab], proposalExpires: 2036-01-01, amend: all, revokers: [north] }
log:
  origin: ${log.origin}
  key: "${log.logKey.x}"
  coordinator: "${thumbprintOf(log.coordinatorKey)}"
  secret: "${toBase64url(randomBytes(32))}"
  witnesses: [north, south]
  quorum: 2
  checkpoint: "${log.origin}\\n0\\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\\n"
enclaves:
  - { tee: simulated, key: "${north.thumbprint}", measurement: ["${testMeasurement}"], maximumAgeSeconds: 300 }
datasets:
  stays:
    owners: [north, south]
    unit: id
    columns: { id: { type: string, use: [join] }, age: { type: int, min: 0, max: 120, use: [avg] } }
computations:
  mean_age:
    kind: sql
    query: select avg(age) as mean from stays
    requesters: [lab]
    limit: 3
    outputs: { result: { recipients: [lab, south], controls: [ { minimumGroupSize: 10 } ] } }
  approved_mean:
    kind: sql
    query: select avg(age) as mean from stays
    requesters: [lab]
    limit: 3
    approvals: { from: [north], count: 1 }
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 10 } ] } }
`
  return canonicalTerms(change(yaml))
}
