/**
 * A whole log of one contract, as honest parties make it: two data owners, an approver, a requester who receives, an auditor who is
 * a witness too. What is sealed to whom is random bytes: an audit opens nothing. A test changes one statement, or their order.
 */
import { type StatementType, type Verified } from '#libs/canonical'
import { aClock, type TestClock } from './clock.js'
import { aContract, keyedSections, type TestContract } from './contract.js'
import { aLog, type LeafNames, type TestLog } from './log.js'
import { measurement, simulatorKey } from './offer.js'
import { aParty, type Party } from './party.js'
import { Scribe } from './history-scribe.js'

/** A statement that the log will have, or of a Nonce, that only the run has. */
export interface MadeStatement {
  readonly type: StatementType
  readonly statement: Verified<unknown>
  readonly names: LeafNames
  readonly attachment: Uint8Array | null
  readonly logged: boolean
}

/** The statements in order, with the checkpoints that somebody waited for: after so many entries, cosigned by these. */
export interface MadeHistory {
  readonly log: TestLog
  readonly contract: TestContract
  readonly parties: Readonly<Record<'north' | 'south' | 'lab' | 'watch', Party>>
  readonly made: readonly MadeStatement[]
  readonly checkpoints: readonly { readonly size: number; readonly cosigners: readonly Party[] }[]
  readonly clock: TestClock
}

export interface HistoryOptions {
  /** @defaultValue 1 */
  readonly runs?: number
  /** Runs that this computation may have. */
  readonly limit?: number
  /** A change to the contract's text. */
  readonly yaml?: (text: string) => string
}

const sections = (limit: number) => `datasets:
  people:
    owners: [north]
    unit: id
    columns: { id: { type: string, use: [join] }, ward: { type: string, use: [dimension] } }
  values:
    owners: [south]
    unit: id
    columns: { id: { type: string, use: [join] }, v: { type: double, min: 0, max: 100, use: [avg] } }
computations:
  by_ward:
    kind: sql
    query: select ward, count(*) as n, avg(v) as mean from people join values using (id) group by ward
    requesters: [lab]
    limit: ${limit}
    failures: 1000
    approvals: { from: [south], count: 1 }
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 3 } ] } }
`

/** Makes the honest history: Identities, the contract, two sealed versions, and so many runs one after the other. */
export async function aHistory(options: HistoryOptions = {}): Promise<MadeHistory> {
  const clock = aClock()
  const log = await aLog()
  const [north, south, lab, watch] = await Promise.all(
    ['north', 'south', 'lab', 'watch'].map((label) => aParty(label, { clock })),
  )
  if (north === undefined || south === undefined || lab === undefined || watch === undefined)
    throw new RangeError('four parties')
  const parties = { north, south, lab, watch }
  const text = keyedSections({
    log,
    parties: {
      north: { party: north, roles: ['data'] },
      south: { party: south, roles: ['data', 'approver'] },
      lab: { party: lab, roles: ['requester', 'recipient'] },
      watch: { party: watch, roles: ['auditor'] },
    },
    signatories: ['north', 'south', 'lab'],
    witnesses: ['north', 'south', 'watch'],
    simulator: { thumbprint: simulatorKey.thumbprint, measurement },
  })
  const { runs = 1, limit = runs + 5 } = options
  const yaml = options.yaml?.(text + sections(limit)) ?? text + sections(limit)
  const contract = await aContract({ log, parties: Object.values(parties), yaml })
  const scribe = new Scribe({ log, contract, parties, clock })
  scribe.agreement()
  await scribe.versions()
  for (let run = 0; run < runs; run++) await scribe.run()
  return scribe.history()
}
