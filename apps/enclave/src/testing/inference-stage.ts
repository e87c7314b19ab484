/** An inference played to its end in this process: a maker's model, two hospitals' rows, a real engine and a real runtime. For specs. */
import { signingKeyFromSeed } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import { startModelRuntime, type ModelRuntime } from '#libs/runtime'
import {
  aClock,
  aContract,
  aLog,
  aParty,
  aRequest,
  keyedSections,
  parquetOf,
  sealDataset,
  seededBytes,
  StagedRun,
  type Party,
} from '#libs/testing'
import type { Enclave } from '../enclave.js'
import { EnclaveClock } from '../enclave-clock.js'
import { freshKeys } from '../fresh-keys.js'
import { simulatedSource } from '../simulated-tee.js'
import { serve } from '../worker.js'

const measurement = 'ab'.repeat(32)
const simulatorKey = await signingKeyFromSeed(seededBytes('simulator')(32))

/** Rows of one hospital. */
export interface Rows {
  readonly id: readonly string[]
  readonly age: readonly (number | null)[]
  readonly nodes: readonly (number | null)[]
}

/** What differs from an honest run. */
export interface InferenceOptions {
  readonly model: Uint8Array
  readonly rows: Readonly<Record<'north' | 'south', Rows>>
  readonly yaml?: (text: string) => string
  readonly runtime?: () => Promise<ModelRuntime>
  readonly engine?: (inputs: number) => Promise<Engine>
}

const terms = `datasets:
  patients:
    owners: [north, south]
    unit: id
    columns:
      id: { type: string, use: [join] }
      age: { type: double, nullable: true, use: [avg] }
      nodes: { type: int, nullable: true, use: [avg] }
  risk:
    kind: model
    owners: [maker]
    format: onnx
    inputs: [ { name: rows, type: float32, columns: 2 } ]
    output: { name: scores, type: float32 }
computations:
  risks:
    kind: infer
    model: risk
    over: [patients]
    features: [age, nodes]
    requesters: [north]
    limit: 10
    outputs:
      norths: { recipients: [north], rowsOf: north, controls: [ { maxRows: 1000 } ] }
      souths: { recipients: [south], rowsOf: south, controls: [ { roundTo: { score: "0.01" } } ] }
`

const sections = ['id', 'age', 'nodes'] as const

/** Plays a run. */
export async function playInference(options: InferenceOptions) {
  const clock = aClock()
  const [north, south, maker] = await Promise.all(
    ['north', 'south', 'maker'].map((label) => aParty(label, { clock })),
  )
  if (north === undefined || south === undefined || maker === undefined) throw new Error('no party')
  const log = await aLog()
  const yaml =
    keyedSections({
      log,
      parties: {
        north: { party: north, roles: ['data', 'recipient', 'requester'] },
        south: { party: south, roles: ['data', 'recipient'] },
        maker: { party: maker, roles: ['model'] },
      },
      signatories: ['north', 'south', 'maker'],
      witnesses: ['north', 'south', 'maker'],
      simulator: { thumbprint: simulatorKey.thumbprint, measurement },
    }) + terms
  const contract = await aContract({
    log,
    parties: [north, south, maker],
    yaml: options.yaml?.(yaml) ?? yaml,
  })
  const tables = await Promise.all(
    [north, south].map(async (owner) => ({
      owner,
      version: await sealRows(owner, contract.id, options.rows[owner.label as 'north' | 'south']),
    })),
  )
  const model = { name: 'model', columns: [], parquet: options.model }
  const place = { contract: contract.id, dataset: 'risk', unit: null, columns: [] }
  const owned = [
    ...tables,
    { owner: maker, version: await sealDataset(maker, { ...place, segments: [model] }) },
  ]
  const asked = await aRequest(north, {
    contract,
    computation: 'risks',
    versions: owned.map(({ version }) => version),
    part: { parameters: {}, query: null },
  })
  const run = await StagedRun.begin({ log, contract, asked, owned, before: [] })
  const parser = await startEngine({ limits: { threads: 1 } })
  try {
    await serve(run.assignment(), enclaveFor(run, clock, parser, options))
  } finally {
    await parser.close()
  }
  return { run, said: run.said, parties: { north, south, maker }, contract, asked }
}

function enclaveFor(
  run: StagedRun,
  clock: ReturnType<typeof aClock>,
  parser: Engine,
  {
    runtime = () => startModelRuntime({ inputs: 1, outputs: 1, threads: 1 }),
    engine = (inputs) => startEngine({ inputs, limits: { threads: 1 } }),
  }: InferenceOptions,
): Enclave {
  const source = simulatedSource(simulatorKey, measurement)
  return {
    channel: run.channel(),
    clock: new EnclaveClock(clock.now),
    worker: { source, build: { name: 'sealroom-enclave', version: '0', measurement }, sandbox: parser.mode },
    parser: () => Promise.resolve({ parse: (sql) => parser.parse(sql), kill: () => undefined }),
    dataEngine: engine,
    modelRuntime: runtime,
    engineVersion: { name: 'duckdb', version: 'test' },
    takeKeys: freshKeys(seededBytes('enclave')),
    sleep: (milliseconds) => {
      clock.advance(milliseconds)
      return new Promise((resolve) => setImmediate(resolve))
    },
    randomBytes: seededBytes('output'),
    journal: () => undefined,
    spent: { executed: false },
  }
}

async function sealRows(owner: Party, contract: string, rows: Rows) {
  const types = { id: 'string', age: 'double', nodes: 'int' } as const
  const segments = await Promise.all(
    sections.map(async (name) => ({
      name,
      columns: [name],
      parquet: await parquetOf({
        columns: [{ name, type: types[name] }],
        rows: rows.id.length,
        values: [[...rows[name]]],
      }),
    })),
  )
  const columns = sections.map((name) => ({ name, type: types[name], nullable: name !== 'id' }))
  return await sealDataset(owner, { contract, dataset: 'patients', unit: 'id', columns, segments })
}
