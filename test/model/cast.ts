/** Who takes part, under which contract, with which data. The same in every sequence, made anew for each. */
import { utf8 } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import {
  aClock,
  aContract,
  aParty,
  keyedSections,
  sealDataset,
  type OwnedVersion,
  type Party,
  type TestClock,
  type TestContract,
} from '#libs/testing'
import { HostileLog } from '../adversary/stage/hostile-log.js'
import { measurement, simulatorKey } from '../adversary/stage/offer-of.js'

export const owners = ['north', 'south'] as const
export type OwnerLabel = (typeof owners)[number]

/** The computation that the adversary plays with, and one whose limit is left for the end. */
export const computation = 'matched'
export const lastComputation = 'matched_at_last'
export const limit = 3

export const query = 'select count(*) as n from people join readings using (id)'

const sections = `runs: { leaseSeconds: 60, timeGridMilliseconds: 100, recordWaitSeconds: 60, maximumSeconds: 3600, failures: 50 }
datasets:
  people: { owners: [north], unit: id, columns: { id: { type: int, use: [join] } } }
  readings: { owners: [south], unit: id, columns: { id: { type: int, use: [join] } } }
computations:
  ${computation}:
    kind: sql
    query: ${query}
    requesters: [lab]
    limit: ${limit}
    approvals: { from: [south], count: 1 }
    outputs: { result: { recipients: [lab], controls: [ { uncontrolled: "numbers of a test" } ] } }
  ${lastComputation}:
    kind: sql
    query: ${query}
    requesters: [lab]
    limit: 3
    outputs: { result: { recipients: [lab], controls: [ { uncontrolled: "numbers of a test" } ] } }
`

/** What each owner's file holds; the small engine reads it as it stands. */
export const rows: Readonly<Record<OwnerLabel, readonly number[]>> = {
  north: [1, 2, 3, 5, 8],
  south: [2, 3, 4, 8],
}

export interface Cast {
  readonly clock: TestClock
  readonly log: HostileLog
  readonly parties: Readonly<Record<OwnerLabel | 'lab', Party>>
  readonly contract: TestContract
  readonly versions: Readonly<Record<OwnerLabel, OwnedVersion>>
  /** DuckDB's own tree of the one query: parsed once, since it never changes. */
  readonly tree: unknown
}

export async function aCast(tree: unknown): Promise<Cast> {
  const clock = aClock()
  const log = await HostileLog.make()
  const [north, south, lab] = await Promise.all([
    aParty('north', { clock }),
    aParty('south', { clock }),
    aParty('lab', { clock }),
  ])
  const text = keyedSections({
    log,
    parties: {
      north: { party: north, roles: ['data'] },
      south: { party: south, roles: ['data', 'approver'] },
      lab: { party: lab, roles: ['requester', 'recipient'] },
    },
    signatories: ['north', 'south', 'lab'],
    witnesses: ['north', 'south'],
    simulator: { thumbprint: simulatorKey.thumbprint, measurement },
  })
  const contract = await aContract({ log, parties: [north, south, lab], yaml: text + sections })
  const versions = {
    north: await sealed(north, contract.id, 'people', rows.north),
    south: await sealed(south, contract.id, 'readings', rows.south),
  }
  const { secret } = contract.terms.log
  for (const owner of owners)
    log.append('manifest', versions[owner].manifest, {
      secret,
      signer: versions[owner].manifest.payload.by,
      run: null,
    })
  return { clock, log, parties: { north, south, lab }, contract, versions, tree }
}

async function sealed(owner: Party, contract: string, dataset: string, ids: readonly number[]) {
  const parquet = utf8(JSON.stringify(ids))
  return await sealDataset(owner, {
    contract,
    dataset,
    unit: 'id',
    columns: [{ name: 'id', type: 'int', nullable: false }],
    segments: [{ name: 'all', columns: ['id'], parquet }],
  })
}

export async function parsedQuery(): Promise<unknown> {
  const engine: Engine = await startEngine()
  try {
    return await engine.parse(query)
  } finally {
    await engine.close()
  }
}
