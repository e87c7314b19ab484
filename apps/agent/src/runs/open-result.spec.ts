import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { vendorHardware } from '#libs/attestation'
import { canonicalBytes, digest, domains, utf8, type Verified } from '#libs/canonical'
import {
  generateSealingKeyPair,
  keyInfo,
  outputContext,
  pad,
  sealBytes,
  sealKey,
  type KeyPurpose,
  type SealingKeyPair,
} from '#libs/envelope'
import { offerSetDigest, type OutputKeys, type Receipt, type ReleasedOutput } from '#libs/protocol'
import { aClock, seededBytes } from '#libs/testing'
import { openHome, type OpenHome } from '../agent-from-home.js'
import type { Agent } from '../agent.js'
import { homeAt } from '../home.js'
import { readKeyFile } from '../keys/unlock.js'
import { FakeCoordinator } from '../testing/fake-coordinator.js'
import { Person } from '../testing/person.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import type { VerifiedRun } from '../trust/verify-run.js'
import { openOutput, ownOutputs, type ReceivedRun } from './open-result.js'

const clock = aClock()
const randomBytes = seededBytes('open-result')
const contract = digest(domains.offerSet, utf8('contract'))
const run = digest(domains.offerSet, utf8('run'))
const offer = digest(domains.offerSet, utf8('offer'))
const enclave = `${'e'.repeat(42)}A`

let coordinator: FakeCoordinator
let lab: Person
let open: OpenHome
let folder = ''
beforeEach(async () => {
  coordinator = await FakeCoordinator.start(clock.now)
  lab = await Person.make('lab', clock.now)
  await lab.says('init', '--name', 'lab', '--coordinator', coordinator.url)
  const world = {
    now: clock.now,
    randomBytes,
    signal: new AbortController().signal,
    wait: () => Promise.resolve(),
    hardware: vendorHardware,
  }
  open = await openHome(homeAt(lab.home), await readKeyFile(lab.file('unlock')), world, () => undefined)
  folder = await mkdtemp(join(tmpdir(), 'sealroom-result-'))
})
afterEach(async () => {
  await open.close()
  await lab.gone()
  await coordinator.close()
  await rm(folder, { recursive: true })
})

const released = (): ReleasedOutput => ({
  type: 'sealroom/output/v1',
  contract,
  run,
  output: 'result',
  table: { columns: [{ name: 'n', type: 'int' }], rows: 2, values: [[12, 34]] },
  controls: [
    {
      control: 'minimumGroupSize',
      says: 'at least 10',
      rowsBefore: 2,
      rowsAfter: 2,
      columnsAfter: 1,
      changedCells: 0,
    },
  ],
  simulated: true,
})

interface Staging {
  content: ReleasedOutput
  context: { run: string; output: string }
  info: Extract<KeyPurpose, { purpose: 'output-key' }>
  sealTo: SealingKeyPair
  keyRecipient: string
  alter: (sealed: Uint8Array) => Uint8Array
  receiptSimulated: boolean
}

/** What an enclave leaves: a sealed output at the coordinator, a Receipt and OutputKeys, changed in one way. */
async function received(
  agent: Agent,
  change: (staging: Staging) => void = () => undefined,
): Promise<ReceivedRun> {
  const [sealTo] = agent.keys.sealingKeys
  if (sealTo === undefined) throw new Error('no sealing key')
  const staging: Staging = {
    content: released(),
    context: { run, output: 'result' },
    info: {
      purpose: 'output-key',
      sender: enclave,
      recipient: agent.keys.party,
      contract,
      run,
      offer,
      set: offerSetDigest([offer]),
      output: 'result',
    },
    sealTo,
    keyRecipient: agent.keys.party,
    alter: (sealed) => sealed,
    receiptSimulated: true,
  }
  change(staging)
  const dataKey = randomBytes(32)
  const sealed = sealBytes(
    { dataKey, context: outputContext(staging.context), randomBytes },
    pad(canonicalBytes(staging.content)),
  )
  const output = {
    name: 'result',
    digest: digest(domains.ciphertext, sealed),
    size: sealed.length,
    recipients: [{ party: agent.keys.party, identity: agent.keys.identity.id }],
    controls: ['minimumGroupSize 10'],
  }
  coordinator.uploads.blobs.set(output.digest, Buffer.from(staging.alter(sealed)))
  const key = await sealKey(staging.sealTo.publicKey, dataKey, keyInfo(staging.info))
  const receipt = { payload: { offers: [offer], outputs: [output], simulated: staging.receiptSimulated } }
  const outputKeys = {
    kid: enclave,
    payload: {
      keys: [{ output: 'result', recipient: staging.keyRecipient, identity: agent.keys.identity.id, key }],
    },
  }
  return {
    contract: { id: contract } as VerifiedContract,
    run: { id: run, offers: [{ offer: { id: offer, kid: enclave } }] } as unknown as VerifiedRun,
    receipt: receipt as unknown as Verified<Receipt>,
    outputKeys: outputKeys as unknown as Verified<OutputKeys>,
  }
}

const openFirst = async (agent: Agent, run: ReceivedRun) => {
  const [output] = ownOutputs(agent, run.receipt)
  if (output === undefined) throw new Error('no output for this party')
  return await openOutput(agent, run, output, { folder, onProgress: () => undefined })
}

describe('a result', () => {
  it('is fetched, opened and what the enclave sealed', async () => {
    expect(await openFirst(open.agent, await received(open.agent))).toEqual(released())
    expect(await readdir(folder)).toEqual([])
  })

  it('is fetched by one statement, however often it is taken', async () => {
    const staged = await received(open.agent)
    await openFirst(open.agent, staged)
    const size = coordinator.log.size
    await openFirst(open.agent, staged)
    expect(coordinator.log.size).toBe(size)
  })

  it('opens with a sealing key that was replaced since', async () => {
    const newer = await generateSealingKeyPair(randomBytes)
    const keys = { ...open.agent.keys, sealingKeys: [newer, ...open.agent.keys.sealingKeys] }
    expect(await openFirst({ ...open.agent, keys }, await received(open.agent))).toEqual(released())
  })

  const mutations: [name: string, change: (staging: Staging) => void][] = [
    [
      'the output of another run inside',
      (staging) => (staging.content = { ...staging.content, run: 'a'.repeat(64) }),
    ],
    [
      'the output of another contract inside',
      (staging) => (staging.content = { ...staging.content, contract: 'a'.repeat(64) }),
    ],
    ['another output inside', (staging) => (staging.content = { ...staging.content, output: 'other' })],
    [
      'a content that denies the simulation',
      (staging) => (staging.content = { ...staging.content, simulated: false }),
    ],
    [
      'a content of another form',
      (staging) => (staging.content = { ...staging.content, table: { columns: [], rows: 0, values: [] } }),
    ],
    ['a receipt that denies the simulation', (staging) => (staging.receiptSimulated = false)],
    ['ciphertext of another run', (staging) => (staging.context.run = 'a'.repeat(64))],
    ['ciphertext of another output', (staging) => (staging.context.output = 'other')],
    ['a key for another run', (staging) => (staging.info = { ...staging.info, run: 'a'.repeat(64) })],
    [
      'a key from another enclave',
      (staging) => (staging.info = { ...staging.info, sender: `${'f'.repeat(42)}A` }),
    ],
    ['a key for another Offer', (staging) => (staging.info = { ...staging.info, offer: 'a'.repeat(64) })],
    [
      'a key for another set of Offers',
      (staging) => (staging.info = { ...staging.info, set: 'a'.repeat(64) }),
    ],
    ['a key for another output', (staging) => (staging.info = { ...staging.info, output: 'other' })],
    ['no key for this party', (staging) => (staging.keyRecipient = enclave)],
  ]
  it.each(mutations)('is not opened with %s', async (_name, change) => {
    await expect(openFirst(open.agent, await received(open.agent, change))).rejects.toMatchObject({
      code: 'RESULT_NOT_VERIFIED',
    })
    expect(await readdir(folder)).toEqual([])
  })

  it('is not opened where its key is sealed to somebody else', async () => {
    const other = await generateSealingKeyPair(randomBytes)
    const staged = await received(open.agent, (staging) => (staging.sealTo = other))
    await expect(openFirst(open.agent, staged)).rejects.toMatchObject({ code: 'RESULT_NOT_VERIFIED' })
  })

  it.each([
    ['altered', (sealed: Uint8Array) => sealed.map((byte, index) => (index === 100 ? byte ^ 1 : byte))],
    ['longer', (sealed: Uint8Array) => Buffer.concat([sealed, Buffer.from([0])])],
  ])('is not opened where its ciphertext is %s', async (_name, alter) => {
    const staged = await received(open.agent, (staging) => (staging.alter = alter))
    await expect(openFirst(open.agent, staged)).rejects.toMatchObject({ code: 'TRANSFER_MISMATCH' })
    expect(await readdir(folder)).toEqual([])
  })

  it('of another recipient is not even looked for', async () => {
    const staged = await received(open.agent)
    const others = {
      ...staged.receipt,
      payload: {
        ...staged.receipt.payload,
        outputs: staged.receipt.payload.outputs.map((output) => ({
          ...output,
          recipients: [{ party: enclave, identity: null }],
        })),
      },
    }
    expect(ownOutputs(open.agent, others as Verified<Receipt>)).toEqual([])
  })
})
