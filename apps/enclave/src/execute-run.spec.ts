import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCanonical, signingKeyFromSeed, type StatementType, type Verified } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import { keyInfo, openBytes, openKey, outputContext, unpad } from '#libs/envelope'
import { offerSetDigest, releasedOutputSchema, type Assignment, type RequestPart } from '#libs/protocol'
import {
  aClock,
  aContract,
  aLog,
  aParty,
  approvalOf,
  aRequest,
  keyedSections,
  parquetOf,
  renewalOf,
  renewed,
  sealDataset,
  seededBytes,
  StagedRun,
  type OwnedVersion,
  type Party,
  type Stage,
} from '#libs/testing'
import type { Enclave } from './enclave.js'
import { EnclaveClock } from './enclave-clock.js'
import { freshKeys } from './fresh-keys.js'
import { simulatedSource } from './simulated-tee.js'
import { serve } from './worker.js'

const measurement = 'ab'.repeat(32)
const simulatorKey = await signingKeyFromSeed(seededBytes('simulator')(32))
const columns = [
  { name: 'patient_id', type: 'string', nullable: false },
  { name: 'ward', type: 'string', nullable: false },
  { name: 'readmitted', type: 'bool', nullable: false },
] as const
const datasets = `datasets:
  stays:
    owners: [north, south]
    unit: patient_id
    segments: { keys: [patient_id], facts: [ward, readmitted], unread: [age] }
    columns:
      patient_id: { type: string, use: [join] }
      ward: { type: string, use: [dimension] }
      readmitted: { type: bool, use: [avg, count] }
      age: { type: int, min: 0, max: 120, use: [avg] }
`
const computations = `computations:
  by_ward:
    kind: sql
    query: select ward, avg(readmitted::int) as rate, count(*) as n from stays where ward <> $except group by ward
    parameters: { except: { type: string, maxLength: 10 } }
    requesters: [lab]
    limit: 10
    approvals: { from: [north], count: 1 }
    outputs:
      result: { recipients: [lab, north], controls: [ { minimumGroupSize: 3 }, { roundTo: { rate: "0.01" } } ] }
`

interface SceneOptions {
  readonly stage?: Stage
  readonly yaml?: (text: string) => string
  readonly signers?: readonly string[]
  readonly part?: RequestPart
  readonly approved?: boolean
  /** Replaces a Parquet file before it is sealed. */
  readonly parquet?: ReadonlyMap<string, Uint8Array>
  readonly change?: (assignment: Assignment) => Assignment
  /** The instance has executed an Offer before. */
  readonly executed?: boolean
  /** How long a poll without news takes by the enclave's own count. */
  readonly engine?: () => Promise<Engine>
}

let parser: Engine
const parquet = new Map<string, Uint8Array>()

beforeAll(async () => {
  parser = await startEngine({ limits: { threads: 1 } })
  for (const owner of ['north', 'south'] as const) {
    const wards = [...Array<string>(4).fill('a'), ...Array<string>(5).fill('b'), owner === 'north' ? 'c' : 'd']
    const ids = wards.map((_, i) => `${owner}-${i}`)
    const rows = wards.length
    parquet.set(`${owner}/keys`, await parquetOf({ columns: [{ name: 'patient_id', type: 'string' }], rows, values: [ids] }))
    parquet.set(
      `${owner}/facts`,
      await parquetOf({
        columns: [columns[1], columns[2]],
        rows,
        values: [wards, wards.map((_, i) => i % 2 === 0)],
      }),
    )
    parquet.set(`${owner}/unread`, await parquetOf({ columns: [{ name: 'age', type: 'int' }], rows, values: [ids.map((_, i) => 40 + i)] }))
  }
})

afterAll(async () => {
  await parser.close()
})

async function play(options: SceneOptions = {}) {
  const clock = aClock()
  const [north, south, lab, regulator] = await Promise.all(
    ['north', 'south', 'lab', 'regulator'].map((label) => aParty(label, { clock })),
  )
  if (north === undefined || south === undefined || lab === undefined || regulator === undefined) throw new Error('no party')
  const log = await aLog()
  const source = simulatedSource(simulatorKey, measurement)
  const yaml =
    keyedSections({
      log,
      parties: {
        north: { party: north, roles: ['data', 'recipient', 'approver'] },
        south: { party: south, roles: ['data'] },
        lab: { party: lab, roles: ['requester', 'recipient'] },
        regulator: { party: regulator, roles: ['auditor'] },
      },
      signatories: ['north', 'south', 'lab'],
      witnesses: ['north', 'south', 'lab'],
      simulator: { thumbprint: simulatorKey.thumbprint, measurement },
    }) + datasets + computations
  const parties = { north, south, lab, regulator }
  const contract = await aContract({
    log,
    parties: [north, south, lab, regulator],
    yaml: options.yaml?.(yaml) ?? yaml,
    ...(options.signers === undefined ? {} : { signers: options.signers }),
  })
  const owned = await Promise.all(
    [north, south].map(async (owner) => ({ owner, version: await seal(owner, contract.id, options.parquet) })),
  )
  const asked = await aRequest(lab, {
    contract,
    computation: 'by_ward',
    versions: owned.map(({ version }) => version),
    part: options.part ?? { parameters: { except: 'z' }, query: null },
  })
  const approval = await approvalOf(north, asked.request)
  const before = [{ type: 'approval', statement: approval, signer: north.thumbprint }] as const
  const run = await StagedRun.begin({
    log,
    contract,
    asked,
    owned,
    before: options.approved === false ? [] : before,
    ...(options.stage === undefined ? {} : { stage: options.stage }),
  })
  const spent = { executed: options.executed ?? false }
  const enclave: Enclave = {
    channel: run.channel(),
    clock: new EnclaveClock(clock.now),
    worker: { source, build: { name: 'sealroom-enclave', version: '0', measurement }, sandbox: parser.mode },
    parser: () => Promise.resolve({ parse: (sql) => parser.parse(sql), kill: () => undefined }),
    dataEngine: options.engine ?? ((inputs) => startEngine({ inputs, limits: { threads: 1 } })),
    engineVersion: { name: 'duckdb', version: 'test' },
    takeKeys: freshKeys(seededBytes('enclave')),
    sleep: (milliseconds) => {
      clock.advance(milliseconds)
      return new Promise((resolve) => setImmediate(resolve))
    },
    randomBytes: seededBytes('output'),
    journal: () => undefined,
    spent,
  }
  const assignment = run.assignment()
  await serve(options.change?.(assignment) ?? assignment, enclave)
  return { run, said: run.said, parties, contract, asked, log, clock, spent }
}

async function seal(owner: Party, contract: string, replaced?: ReadonlyMap<string, Uint8Array>): Promise<OwnedVersion> {
  const file = (name: string) => replaced?.get(`${owner.label}/${name}`) ?? parquet.get(`${owner.label}/${name}`) ?? new Uint8Array()
  return await sealDataset(owner, {
    contract,
    dataset: 'stays',
    unit: 'patient_id',
    columns: [...columns, { name: 'age', type: 'int', nullable: false }],
    segments: [
      { name: 'keys', columns: ['patient_id'], parquet: file('keys') },
      { name: 'facts', columns: ['ward', 'readmitted'], parquet: file('facts') },
      { name: 'unread', columns: ['age'], parquet: file('unread') },
    ],
  })
}

/** An engine that must not be used. */
const noEngine = () => Promise.resolve({ kill: () => undefined, inputs: [] } as unknown as Engine)

async function opened({ run, said, contract, asked }: Awaited<ReturnType<typeof play>>, recipient: Party) {
  const [output] = said.receipt?.payload.outputs ?? []
  const sealed = said.outputKeys?.payload.keys.find((key) => key.recipient === recipient.thumbprint)
  if (output === undefined || sealed === undefined || said.offer === undefined) throw new Error('nothing was released')
  const info = keyInfo({
    purpose: 'output-key',
    sender: said.offer.payload.by,
    recipient: recipient.thumbprint,
    contract: contract.id,
    run: asked.request.id,
    offer: said.offer.id,
    set: offerSetDigest([said.offer.id]),
    output: output.name,
  })
  const dataKey = await openKey(recipient.sealing, sealed.key, info)
  const context = outputContext({ run: asked.request.id, output: output.name })
  const bytes = openBytes({ dataKey, context }, run.blobs.get(output.digest) ?? new Uint8Array())
  return releasedOutputSchema.parse(parseCanonical(unpad(bytes)))
}

describe('executeRun', () => {
  it('computes over both owners’ rows, lets out what the controls pass, and seals it to the recipients only', async () => {
    const played = await play()
    expect(played.said.end).toEqual({ code: 'done', owner: null, detail: '' })
    expect(played.said.receipt?.payload.outcome).toBe('completed')
    const document = await opened(played, played.parties.lab)
    expect(document.table.columns.map(({ name }) => name)).toEqual(['ward', 'rate', 'n'])
    expect(document.table.values).toEqual([
      ['a', 'b'],
      [0.5, 0.6],
      [8, 10],
    ])
    expect(document.simulated).toBe(true)
    expect(document.controls.map(({ control }) => control)).toEqual(['minimumGroupSize', 'roundTo'])
    expect((await opened(played, played.parties.north)).table).toEqual(document.table)
    await expect(opened(played, played.parties.south)).rejects.toThrow('nothing was released')
  })
})
