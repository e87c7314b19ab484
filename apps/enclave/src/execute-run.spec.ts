import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signingKeyFromSeed, type StatementKind, type StatementType, type Verified } from '#libs/canonical'
import { startEngine, type Engine } from '#libs/engine'
import { statementKinds, type Assignment, type RequestPart } from '#libs/protocol'
import { startModelRuntime } from '#libs/runtime'
import {
  aClock,
  aContract,
  aLog,
  aParty,
  approvalOf,
  aRequest,
  keyedSections,
  parquetOf,
  releaseOf,
  renewalOf,
  renewed,
  sealDataset,
  spendOf,
  seededBytes,
  StagedRun,
  type OwnedVersion,
  type Party,
  type Stage,
  openOutput,
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

const training = `  readmission_model:
    kind: train
    algorithm: logistic-regression
    query: select readmitted, ward, age from stays
    target: readmitted
    features: [ward, age]
    preprocessing: { ward: { oneHot: [a, b, c] } }
    requesters: [lab]
    limit: 10
    approvals: { from: [north], count: 1 }
    outputs:
      model: { recipients: [lab], controls: [ { minimumGroupSize: 2 } ] }
      metrics: { recipients: [lab, north], controls: [ { minimumGroupSize: 3 } ] }
`

interface SceneOptions {
  readonly computation?: string
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
  readonly engine?: () => Promise<Engine>
}

let parser: Engine
const parquet = new Map<string, Uint8Array>()

beforeAll(async () => {
  parser = await startEngine({ limits: { threads: 1 } })
  for (const owner of ['north', 'south'] as const) {
    const wards = [
      ...Array<string>(4).fill('a'),
      ...Array<string>(5).fill('b'),
      owner === 'north' ? 'c' : 'd',
    ]
    const ids = wards.map((_, i) => `${owner}-${i}`)
    const rows = wards.length
    parquet.set(
      `${owner}/keys`,
      await parquetOf({ columns: [{ name: 'patient_id', type: 'string' }], rows, values: [ids] }),
    )
    parquet.set(
      `${owner}/facts`,
      await parquetOf({
        columns: [columns[1], columns[2]],
        rows,
        values: [wards, wards.map((_, i) => i % 2 === 0)],
      }),
    )
    parquet.set(
      `${owner}/unread`,
      await parquetOf({ columns: [{ name: 'age', type: 'int' }], rows, values: [ids.map((_, i) => 40 + i)] }),
    )
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
  if (north === undefined || south === undefined || lab === undefined || regulator === undefined)
    throw new Error('no party')
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
    }) +
    datasets +
    computations +
    training
  const parties = { north, south, lab, regulator }
  const contract = await aContract({
    log,
    parties: [north, south, lab, regulator],
    yaml: options.yaml?.(yaml) ?? yaml,
    ...(options.signers === undefined ? {} : { signers: options.signers }),
  })
  const owned = await Promise.all(
    [north, south].map(async (owner) => ({
      owner,
      version: await seal(owner, contract.id, options.parquet),
    })),
  )
  const asked = await aRequest(lab, {
    contract,
    computation: options.computation ?? 'by_ward',
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
    modelRuntime: () => startModelRuntime({ inputs: 1, outputs: 1, threads: 1 }),
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
  return { run, said: run.said, owned, parties, contract, asked, log, clock, spent }
}

async function seal(
  owner: Party,
  contract: string,
  replaced?: ReadonlyMap<string, Uint8Array>,
): Promise<OwnedVersion> {
  const file = (name: string) =>
    replaced?.get(`${owner.label}/${name}`) ?? parquet.get(`${owner.label}/${name}`) ?? new Uint8Array()
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

describe('executeRun', () => {
  it('computes over both owners’ rows, lets out what the controls pass, and seals it to the recipients only', async () => {
    const played = await play()
    expect(played.said.end).toEqual({ code: 'done', owner: null, detail: '' })
    expect(played.said.receipt?.payload.outcome).toBe('completed')
    const document = await openOutput(played.run, played.parties.lab)
    expect(document.table.columns.map(({ name }) => name)).toEqual(['ward', 'rate', 'n'])
    expect(document.table.values).toEqual([
      ['a', 'b'],
      [0.5, 0.6],
      [8, 10],
    ])
    expect(document.simulated).toBe(true)
    expect(document.controls.map(({ control }) => control)).toEqual(['minimumGroupSize', 'roundTo'])
    expect((await openOutput(played.run, played.parties.north)).table).toEqual(document.table)
    await expect(openOutput(played.run, played.parties.south)).rejects.toThrow('nothing was released')
  })

  it('trains over both owners’ rows, and lets out a model and its measures as the controls allow', async () => {
    const played = await play({ computation: 'readmission_model', part: { parameters: {}, query: null } })
    expect(played.said.end).toEqual({ code: 'done', owner: null, detail: '' })
    const { lab, north } = played.parties
    const model = await openOutput(played.run, lab, 'model')
    if (model.type !== 'sealroom/training/v1') throw new Error('the output of a query')
    expect(model.card).toMatchObject({ status: 'trained', target: 'readmitted', output: 'probability' })
    const states = model.table.values.slice(0, 3)
    // South has nobody on ward c, so neither coefficient nor count of it leaves; and those on c and d would be what the intercept
    // tells of, were ward a not counted among them.
    expect(states).toEqual([
      ['(intercept)', 'ward', 'ward', 'age'],
      [null, 'a', 'b', null],
      ['used', 'tooFewUnits', 'used', 'used'],
    ])
    expect(model.model?.onnx.length).toBeGreaterThan(100)
    const metrics = await openOutput(played.run, north, 'metrics')
    expect(metrics.table.values.slice(0, 2)).toEqual([
      ['auc', 'logLoss', 'brier'],
      ['train', 'train', 'train'],
    ])
    await expect(openOutput(played.run, north, 'model')).rejects.toThrow('nothing was released')
  })

  it('says on its Receipt what it did, with times on the grid and no count', async () => {
    const { said, owned } = await play()
    const receipt = said.receipt?.payload
    expect(receipt).toMatchObject({
      offers: [said.offer?.id],
      evidence: [said.evidence?.id],
      start: said.start?.id,
      computation: 'by_ward',
      simulated: true,
      inputs: owned.map(({ owner, version }) => ({
        dataset: 'stays',
        owner: owner.thumbprint,
        manifest: version.manifest.id,
      })),
    })
    expect(receipt?.outputs[0]?.controls).toEqual(['minimumGroupSize 3', 'roundTo'])
    const took = Date.parse(receipt?.finishedAt ?? '') - Date.parse(receipt?.startedAt ?? '')
    expect(took % 100).toBe(0)
    expect(took).toBeGreaterThan(0)
    expect(receipt?.issuedAt).toBe(receipt?.finishedAt)
    expect(said.outputKeys?.payload.receipt).toBe(said.receipt?.id)
  })

  it('needs only the keys of the segments that the query reads', async () => {
    const { said } = await play({ stage: { release: () => ({ segments: ['keys', 'facts'] }) } })
    expect(said.end?.code).toBe('done')
  })

  it('makes fresh keys and a new Offer when a round is lost before data was opened', async () => {
    const offers: string[] = []
    let begun = false
    const { said } = await play({
      stage: {
        onTheWay: (type, statement) => {
          const round = (statement.payload as { round?: number }).round ?? offers.length
          return Promise.resolve(type !== 'nonce' && round === 1 && offers.length === 1 ? null : statement)
        },
        recorded: (type, run) => {
          if (type === 'offer') offers.push(run.said.offer?.payload.by ?? '')
        },
        idle: (_wait, run) => {
          if (offers.length === 1 && !begun) void run.nextRound()
          begun = true
          return false
        },
      },
    })
    expect(said.end?.code).toBe('done')
    expect(said.offer?.payload.round).toBe(2)
    expect(new Set(offers).size).toBe(2)
  })

  it('goes on with a lease that its owner renews', async () => {
    const { said, parties } = await play({
      stage: {
        recorded: async (type, run) => {
          if (type !== 'start') return
          for (const { owner, run: ownRun } of run.owners()) {
            const { offer } = run.said
            if (offer === undefined) continue
            await run.give(
              'renewal',
              await renewalOf(owner, ownRun, offer, { leaseUntil: owner.clock.iso(55_000) }),
              owner,
            )
          }
        },
      },
    })
    expect(said.end?.code).toBe('done')
    expect(said.receipt?.payload.renewals.map(({ owner }) => owner).sort()).toEqual(
      [parties.north.thumbprint, parties.south.thumbprint].sort(),
    )
  })
})

/** Each changes one thing of a run that would be executed; the run must end before anything is opened. */
const refusals: readonly [what: string, options: SceneOptions, code: string][] = [
  ['a contract that a signatory did not sign', { signers: ['north', 'lab'] }, 'SIGNATURE_MISSING'],
  [
    'a contract shown under another id',
    { change: ofContract((contract) => ({ ...contract, id: 'ab'.repeat(32) })) },
    'ASSIGNMENT_INVALID',
  ],
  [
    'a contract without an Activation',
    { change: ofContract((contract) => without(contract, 'activation')) },
    'ACTIVATION_INVALID',
  ],
  [
    'a party without an Identity',
    { change: ofContract((contract) => ({ ...contract, identities: contract.identities.slice(1) })) },
    'IDENTITY_UNKNOWN',
  ],
  [
    'a request shown as that of another run',
    { change: ofRun((run) => ({ ...run, id: 'ab'.repeat(32) })) },
    'ASSIGNMENT_INVALID',
  ],
  [
    'another sealed part than the request names',
    { change: ofRun((run) => attached(run, 'AAAA')) },
    'ASSIGNMENT_INVALID',
  ],
  [
    'an input without its Manifest',
    { change: ofContract((contract) => without(contract, 'manifest')) },
    'ASSIGNMENT_INVALID',
  ],
  [
    'an enclave that the contract does not name',
    { yaml: (text) => text.replace(measurement, 'cd'.repeat(32)) },
    'ENCLAVE_NOT_NAMED',
  ],
  [
    'a query that returns rows of people',
    {
      yaml: (text) =>
        text.replace(/query: .*/, 'query: select ward, readmitted from stays where ward <> $except'),
    },
    'DECISION_REFUSED',
  ],
  [
    'a control that is not supported',
    {
      yaml: (text) =>
        text
          .replace('{ roundTo: { rate: "0.01" } }', '{ keep: sealed }')
          .replace('recipients: [lab, north], ', ''),
    },
    'DECISION_REFUSED',
  ],
  [
    'a nonce for another run',
    { stage: changed('nonce', 'south', { run: 'ab'.repeat(32) }) },
    'STATEMENT_FOREIGN',
  ],
  ['a nonce for another place', { stage: changed('nonce', 'south', { place: 1 }) }, 'STATEMENT_FOREIGN'],
  ['a nonce by nobody who owns data', { stage: { onTheWay: byAnother('nonce', 'lab') } }, 'IDENTITY_UNKNOWN'],
  [
    'a nonce under a daemon key that its owner has replaced',
    { stage: { onTheWay: bySuccessor('nonce') } },
    'IDENTITY_INVALID',
  ],
  [
    'an Accept of another set of Offers',
    { stage: changed('accept', 'south', { offers: 'ab'.repeat(32) }) },
    'STATEMENT_FOREIGN',
  ],
  [
    'a Spend for another run',
    { stage: changed('spend', 'south', { run: 'ab'.repeat(32) }) },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease for another set of Offers',
    { stage: { release: only('south', { offers: 'ab'.repeat(32) }) } },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease for another Offer',
    { stage: { release: only('south', { offer: 'ab'.repeat(32) }) } },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease of another run',
    { stage: { release: only('south', { run: 'ab'.repeat(32) }) } },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease of another contract',
    { stage: { release: only('south', { contract: 'ab'.repeat(32) }) } },
    'STATEMENT_FOREIGN',
  ],
  ['a KeyRelease of another round', { stage: { release: only('south', { round: 2 }) } }, 'STATEMENT_FOREIGN'],
  [
    'a KeyRelease for another place',
    { stage: { release: only('south', { place: 1 }) } },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease of another version',
    { stage: { release: only('south', { manifest: 'ab'.repeat(32) }) } },
    'STATEMENT_FOREIGN',
  ],
  [
    'a KeyRelease that rests on another Spend',
    { stage: { release: only('south', { spend: 'ab'.repeat(32) }) } },
    'SPEND_MISMATCH',
  ],
  [
    'a KeyRelease without the key of a segment that is read',
    { stage: { release: only('south', { segments: ['keys'] }) } },
    'RELEASE_INCOMPLETE',
  ],
  [
    'request keys that differ',
    { stage: { release: only('south', { requestKeyBytes: new Uint8Array(32) }) } },
    'DECISION_REFUSED',
  ],
  [
    'a lease that has run out',
    { stage: { release: only('south', { leaseUntil: '2026-11-23T11:59:59.000Z' }) } },
    'LEASE_LOST',
  ],
  ['two KeyReleases of one owner', { stage: { recorded: releaseAgain } }, 'STATEMENT_REPEATED'],
  ['a Spend that is not in the log', { stage: { unlogged: (type) => type === 'spend' } }, 'NOT_IN_LOG'],
  [
    'an Approval that is not in the log',
    { stage: { unlogged: (type) => type === 'approval' } },
    'NOT_IN_LOG',
  ],
  [
    'a request that is not in the log',
    { stage: { unlogged: (type) => type === 'run-request' } },
    'NOT_IN_LOG',
  ],
  [
    'Spends that an owner has not cosigned',
    { stage: { cosigners: (_step, all) => all.filter(({ label }) => label !== 'south') } },
    'COSIGNATURES_MISSING',
  ],
  ['an Approval that is missing', { approved: false }, 'DECISION_REFUSED'],
  [
    'ciphertext of another digest',
    { stage: { blob: (bytes) => bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)) } },
    'TRANSFER_MISMATCH',
  ],
  ['a second execution in one instance', { executed: true }, 'DECISION_REFUSED'],
  ['an Offer that expires', { stage: { onTheWay: withheld('key-release'), idle: passing } }, 'OFFER_EXPIRED'],
  ['nonces that never come', { stage: { onTheWay: withheld('nonce'), idle: passing } }, 'OFFER_EXPIRED'],
  [
    'a run that was cancelled',
    {
      stage: {
        onTheWay: withheld('key-release'),
        idle: (_wait, run) => {
          run.endAs('cancelled')
          return true
        },
      },
    },
    'RUN_ENDED',
  ],
]

describe('executeRun, before data is opened', () => {
  it.each(refusals)('refuses %s', async (_what, options, code) => {
    const { said, spent } = await play({ engine: noEngine, ...options })
    // An instance that was spent before tells codes only.
    expect(said.end?.detail.split(':')[0]).toBe(code)
    expect(said.end?.code).not.toBe('done')
    expect(said.start).toBeUndefined()
    expect(said.receipt).toBeUndefined()
    expect(said.outputKeys).toBeUndefined()
    expect(spent.executed).toBe(options.executed ?? false)
  })
})

/** Each makes the work fail; a Receipt with one word leaves, and nothing else. */
const failures: readonly [what: string, options: () => Promise<SceneOptions>, outcome: string][] = [
  ['a parameter that is missing', with_({ part: { parameters: {}, query: null } }), 'requestInvalid'],
  [
    'a parameter out of its bounds',
    with_({ part: { parameters: { except: 'x'.repeat(11) }, query: null } }),
    'requestInvalid',
  ],
  [
    'a query of the requester’s own',
    with_({ part: { parameters: { except: 'z' }, query: 'select 1' } }),
    'requestInvalid',
  ],
  [
    'a file that is no Parquet',
    with_({ parquet: new Map([['south/facts', new Uint8Array(1000)]]) }),
    'inputUnreadable',
  ],
  [
    'a file of another type',
    () =>
      facts(
        [
          ['a', 'a', 'b'],
          [1, 2, 3],
        ],
        'int',
      ),
    'inputMismatch',
  ],
  [
    'a value that is missing',
    () =>
      facts(
        [
          ['a', null, 'b'],
          [true, false, true],
        ],
        'bool',
      ),
    'inputMismatch',
  ],
  [
    'segments of different length',
    () =>
      facts(
        [
          ['a', 'b'],
          [true, false],
        ],
        'bool',
      ),
    'inputMismatch',
  ],
  [
    'a unit that is missing',
    async () => ({
      parquet: new Map([['south/keys', await keysFile(['s1', null, 's3', ...Array<string>(7).fill('x')])]]),
    }),
    'inputMismatch',
  ],
  ['an engine that dies', with_({ engine: dyingEngine }), 'engineFailed'],
]

describe('executeRun, on data that does not do', () => {
  it.each(failures)('says one word of %s', async (_what, options, outcome) => {
    const { said, run } = await play(await options())
    expect(said.receipt?.payload).toMatchObject({ outcome, outputs: [], simulated: true })
    expect(said.outputKeys).toBeUndefined()
    expect(run.uploads).toBe(0)
    // The Receipt is all that leaves: its end says no more.
    expect(said.end).toEqual({ code: 'done', owner: null, detail: '' })
  })

  it('ends a run that takes longer than the contract lets it', async () => {
    const { said } = await play({
      yaml: (text) => `${text}runs: { maximumSeconds: 1 }\n`,
      engine: async () => {
        const engine = await startEngine({ inputs: 8, limits: { threads: 1 } })
        engine.load = () =>
          new Promise((_resolve, reject) => {
            setTimeout(() => {
              reject(new Error('too late'))
            }, 3000)
          })
        return engine
      },
    })
    expect(said.receipt?.payload).toMatchObject({ outcome: 'timedOut', outputs: [] })
  })
})

/** Each lets a lease run out, or the record fail, when data was opened already. */
const losses: readonly [what: string, options: SceneOptions, code: string, receipt: boolean][] = [
  ['before the Receipt', { stage: { recorded: leap('start') } }, 'leaseLost', false],
  ['before the OutputKeys', { stage: { recorded: leap('receipt') } }, 'leaseLost', true],
  ['when a Renewal shortens it', { stage: { recorded: shorten } }, 'leaseLost', false],
]

describe('executeRun, when a lease runs out', () => {
  it.each(losses)('releases nothing %s, and names the owner', async (_what, options, code, receipt) => {
    const { said, parties } = await play(options)
    expect(said.end?.code).toBe(code)
    expect([parties.north.thumbprint, parties.south.thumbprint]).toContain(said.end?.owner)
    expect(said.receipt !== undefined).toBe(receipt)
    expect(said.outputKeys).toBeUndefined()
  })
})

const soonUnrecorded = (text: string) => `${text}runs: { recordWaitSeconds: 20 }\n`
const unrecorded: readonly [what: string, stage: Stage][] = [
  [
    'too few witnesses cosign it',
    { cosigners: (step, all) => (step === 'spends' ? all : all.filter(({ label }) => label !== 'lab')) },
  ],
  [
    'a data owner does not cosign it',
    { cosigners: (step, all) => (step === 'spends' ? all : all.filter(({ label }) => label !== 'south')) },
  ],
  ['the log does not hold it', { unlogged: (type) => type === 'receipt' }],
]

describe('executeRun, when its Receipt is not recorded', () => {
  it.each(unrecorded)('signs no OutputKeys where %s', async (_what, stage) => {
    const { said } = await play({ yaml: soonUnrecorded, stage: { ...stage, idle: passingAfterReceipt } })
    expect(said.receipt?.payload.outcome).toBe('completed')
    expect(said.end).toEqual({ code: 'unrecorded', owner: null, detail: 'RECEIPT_UNRECORDED' })
    expect(said.outputKeys).toBeUndefined()
  })
})

function ofContract(change: (contract: Assignment['contract']) => Assignment['contract']) {
  return (assignment: Assignment) => ({ ...assignment, contract: change(assignment.contract) })
}

function ofRun(change: (run: Assignment['run']) => Assignment['run']) {
  return (assignment: Assignment) => ({ ...assignment, run: change(assignment.run) })
}

function without(contract: Assignment['contract'], type: StatementType): Assignment['contract'] {
  return { ...contract, statements: contract.statements.filter((statement) => statement.type !== type) }
}

function attached(run: Assignment['run'], attachment: string): Assignment['run'] {
  return {
    ...run,
    statements: run.statements.map((own) => (own.type === 'run-request' ? { ...own, attachment } : own)),
  }
}

/** An owner signs its statement with one field changed. */
function changed(type: StatementType, label: string, change: object): Stage {
  return {
    onTheWay: (seen, statement, owner) =>
      seen === type && owner.label === label ? resign(statement, owner, change) : Promise.resolve(statement),
  }
}

async function resign(
  statement: Verified<unknown>,
  signer: Party,
  change: object,
): Promise<Verified<unknown>> {
  const payload = statement.payload as { readonly type: keyof typeof statementKinds; readonly by: string }
  const kind = statementKinds[payload.type] as StatementKind<{ readonly by: string }>
  return await signer.sign(kind, { ...payload, ...change }, { by: signer.thumbprint })
}

function byAnother(type: StatementType, label: string): Stage['onTheWay'] {
  return async (seen, statement, owner) =>
    seen === type && owner.label === 'south'
      ? await resign(statement, await aParty(label, { clock: owner.clock }), {})
      : statement
}

function bySuccessor(type: StatementType): Stage['onTheWay'] {
  return async (seen, statement, owner) =>
    seen === type && owner.label === 'south' ? await resign(statement, await renewed(owner), {}) : statement
}

function withheld(type: StatementType): Stage['onTheWay'] {
  return (seen, statement, owner) =>
    Promise.resolve(seen === type && owner.label === 'south' ? null : statement)
}

function only(label: string, change: ReturnType<NonNullable<Stage['release']>>): Stage['release'] {
  return (owner) => (owner.label === label ? change : {})
}

async function releaseAgain(type: StatementType, run: StagedRun): Promise<void> {
  const { offer } = run.said
  const [first] = run.owners()
  if (type !== 'evidence' || offer === undefined || first === undefined) return
  const spend = await spendOf(first.owner, first.run)
  await run.give('key-release', await releaseOf(first.owner, first.run, offer, spend), first.owner)
}

function leap(after: StatementType): Stage['recorded'] {
  return (type, run) => {
    if (type === after) run.owners()[0]?.owner.clock.advance(61_000)
  }
}

async function shorten(type: StatementType, run: StagedRun): Promise<void> {
  const { offer } = run.said
  const [first] = run.owners()
  if (type !== 'start' || offer === undefined || first === undefined) return
  await run.give(
    'renewal',
    await renewalOf(first.owner, first.run, offer, { leaseUntil: first.owner.clock.iso(0) }),
    first.owner,
  )
}

function passing(waitSeconds: number, run: StagedRun): boolean {
  run.owners()[0]?.owner.clock.advance(waitSeconds * 1000)
  return true
}

/** While the worker computes the time stands; it is the record that is waited for in vain. */
function passingAfterReceipt(waitSeconds: number, run: StagedRun): boolean {
  return run.said.receipt !== undefined && passing(waitSeconds, run)
}

function with_(options: SceneOptions): () => Promise<SceneOptions> {
  return () => Promise.resolve(options)
}

async function facts(
  [wards, flags]: [(string | null)[], (boolean | number)[]],
  type: 'bool' | 'int',
): Promise<SceneOptions> {
  const file = await parquetOf({
    columns: [columns[1], { name: 'readmitted', type }],
    rows: wards.length,
    values: [wards, flags],
  })
  const keys = wards.length === 3 ? [['south/keys', await keysFile(['s1', 's2', 's3'])] as const] : []
  return { parquet: new Map([['south/facts', file], ...keys]) }
}

async function keysFile(ids: (string | null)[]): Promise<Uint8Array> {
  return await parquetOf({
    columns: [{ name: 'patient_id', type: 'string' }],
    rows: ids.length,
    values: [ids],
  })
}

async function dyingEngine(): Promise<Engine> {
  const engine = await startEngine({ inputs: 8, limits: { threads: 1 } })
  const lock = engine.lock.bind(engine)
  engine.lock = () => {
    engine.kill()
    return lock()
  }
  return engine
}
