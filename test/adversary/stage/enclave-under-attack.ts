/** A real enclave, from assignment to OutputKeys, over a coordinator in memory. Ten people carry markers that must never leave. */
import { type StatementType } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import { type RequestPart } from '#libs/protocol'
import {
  aClock,
  aContract,
  aParty,
  approvalOf,
  aRequest,
  keyedSections,
  parquetOf,
  sealDataset,
  seededBytes,
  StagedRun,
  type Party,
  type Stage,
  type StageOptions,
  type TestRequest,
} from '#libs/testing'
import type { Enclave } from '../../../apps/enclave/src/enclave.js'
import { EnclaveClock } from '../../../apps/enclave/src/enclave-clock.js'
import { freshKeys } from '../../../apps/enclave/src/fresh-keys.js'
import { simulatedSource } from '../../../apps/enclave/src/simulated-tee.js'
import { serve } from '../../../apps/enclave/src/worker.js'
import { HostileLog } from './hostile-log.js'
import { measurement, simulatorKey } from './offer-of.js'

/** Stands in data, parameters and results; nowhere else may it be found. */
export const marker = 'MARKER-4711-of-a-patient'

const sections = `datasets:
  stays:
    owners: [north]
    unit: id
    columns:
      id: { type: string, use: [join] }
      ward: { type: string, use: [dimension] }
computations:
  by_ward:
    kind: sql
    query: select ward, count(*) as n from stays where ward <> $except group by ward
    parameters: { except: { type: string, maxLength: 100 } }
    requesters: [lab]
    limit: 10
    outputs: { result: { recipients: [lab], controls: [ { minimumGroupSize: 5 } ] } }
`

export interface EnclaveScene {
  readonly stage?: Stage
  readonly part?: RequestPart
  readonly parquet?: Uint8Array
  readonly engine?: () => Promise<Engine>
  /** The contract names north as approver, and north has approved. */
  readonly approved?: boolean
  /** Recorded beside the Approval. */
  readonly before?: (north: Party, asked: TestRequest) => Promise<NonNullable<StageOptions['before']>>
}

/** Groups of five, of four (one fewer than may leave), and of one. */
export const groups = { [`five ${marker}`]: 5, [`four ${marker}`]: 4, [`one ${marker}`]: 1 } as const

export async function parquetOfGroups(): Promise<Uint8Array> {
  const wards = Object.entries(groups).flatMap(([ward, count]) => Array<string>(count).fill(ward))
  const columns = [
    { name: 'id', type: 'string' },
    { name: 'ward', type: 'string' },
  ] as const
  return await parquetOf({
    columns,
    rows: wards.length,
    values: [wards.map((_, i) => `${marker}-${i}`), wards],
  })
}

export async function playEnclave(parser: Engine, parquet: Uint8Array, options: EnclaveScene = {}) {
  const { stage, approved = false } = options
  const clock = aClock()
  const [north, lab] = await Promise.all([aParty('north', { clock }), aParty('lab', { clock })])
  const log = await HostileLog.make()
  const parties = {
    north: { party: north, roles: approved ? ['data', 'approver'] : ['data'] },
    lab: { party: lab, roles: ['requester', 'recipient'] },
  }
  const text = keyedSections({
    log,
    parties,
    signatories: ['north', 'lab'],
    witnesses: ['north', 'lab'],
    simulator: { thumbprint: simulatorKey.thumbprint, measurement },
  })
  const contract = await aContract({
    log,
    parties: [north, lab],
    yaml: text + (approved ? named(sections) : sections),
  })
  const version = await sealDataset(north, {
    contract: contract.id,
    dataset: 'stays',
    unit: 'id',
    columns: [
      { name: 'id', type: 'string', nullable: false },
      { name: 'ward', type: 'string', nullable: false },
    ],
    segments: [{ name: 'all', columns: ['id', 'ward'], parquet: options.parquet ?? parquet }],
  })
  const part = options.part ?? { parameters: { except: `not ${marker}` }, query: null }
  const asked = await aRequest(lab, { contract, computation: 'by_ward', versions: [version], part })
  const more = (await options.before?.(north, asked)) ?? []
  const approval = {
    type: 'approval',
    statement: await approvalOf(north, asked.request),
    signer: north.thumbprint,
  } as const
  const run = await StagedRun.begin({
    log,
    contract,
    asked,
    owned: [{ owner: north, version }],
    before: approved ? [approval, ...more] : more,
    ...(stage === undefined ? {} : { stage }),
  })
  const journal: unknown[] = []
  const enclave: Enclave = {
    channel: run.channel(),
    clock: new EnclaveClock(clock.now),
    worker: {
      source: simulatedSource(simulatorKey, measurement),
      build: { name: 'sealroom-enclave', version: '0', measurement },
      sandbox: parser.mode,
    },
    parser: () => Promise.resolve({ parse: (sql) => parser.parse(sql), kill: () => undefined }),
    dataEngine: options.engine ?? ((inputs) => startEngine({ inputs, limits: { threads: 1 } })),
    modelRuntime: () => Promise.reject(new Error('no model is part of this attack')),
    engineVersion: { name: 'duckdb', version: 'test' },
    takeKeys: freshKeys(seededBytes('enclave')),
    sleep: (milliseconds) => {
      clock.advance(milliseconds)
      return new Promise((resolve) => setImmediate(resolve))
    },
    randomBytes: seededBytes('output'),
    journal: (...entry) => journal.push(entry),
    spent: { executed: false },
  }
  await serve(run.assignment(), enclave)
  return { run, said: run.said, contract, asked, lab, north, log, clock, journal }
}

function named(text: string): string {
  return text.replace('limit: 10', 'limit: 10\n    approvals: { from: [north], count: 1 }')
}

export type Played = Awaited<ReturnType<typeof playEnclave>>

/** Everything that left the enclave in any form, as text: statements, blobs, its end, and its journal. */
export function everythingThatLeft({ run, said, journal }: Played): string {
  const mine: StatementType[] = ['offer', 'evidence', 'start', 'receipt', 'output-keys']
  const statements = run.statements
    .filter(({ type }) => mine.includes(type))
    .map(
      ({ statement, attachment }) =>
        `${Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString()} ${attachment ?? ''}`,
    )
  const blobs = [...run.blobs.values()].map((bytes) => Buffer.from(bytes).toString('latin1'))
  return [...statements, ...blobs, JSON.stringify(said.end), JSON.stringify(journal)].join('\n')
}
