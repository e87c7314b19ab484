import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonicalBytes, statementId, type Verified } from '#libs/canonical'
import {
  runRequestKind,
  spendKind,
  verifyIdentityChain,
  verifyPartyStatement,
  type Spend,
} from '#libs/protocol'
import { aClock, aParty, seededBytes, spendOf, type Party } from '#libs/testing'
import type { Agent } from '../agent.js'
import { AgentStore } from '../store/agent-store.js'
import { spaces } from '../store/records.js'
import type { VerifiedContract } from '../trust/verify-contract.js'
import { changeRun } from './run-record.js'
import { adoptSpend, countSpends, oneRun, spend, spendsOf } from './spending.js'

const contract = { id: 'ab'.repeat(32) } as VerifiedContract
let folder: string
let owner: Party
let agent: Agent
let requests: Map<string, Verified<unknown>>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealroom-spending-'))
  const clock = aClock()
  owner = await aParty('owner', { clock })
  requests = new Map()
  const store = await AgentStore.open(join(folder, 'store'), new Uint8Array(32), seededBytes('store'))
  const answer = (run: string) => ({
    statements: [{ type: 'run-request', statement: requests.get(run)?.jws ?? '' }],
  })
  agent = {
    config: { log: { origin: 'log.test/1' } },
    keys: { party: owner.thumbprint, daemonKey: owner.daemon },
    store,
    client: { run: (run: string) => Promise.resolve(answer(run)) },
    now: clock.now,
    randomBytes: seededBytes('agent'),
    report: () => undefined,
  } as unknown as Agent
})

afterEach(async () => {
  await agent.store.close()
  await rm(folder, { recursive: true, force: true })
})

/** A request for a run, with its id. */
async function requested(computation: string): Promise<Verified<{ readonly by: string }>> {
  const lab = await aParty('lab')
  const key = { encapsulated: 'A'.repeat(1494), ciphertext: 'A'.repeat(64) }
  const request = await lab.sign(runRequestKind, {
    contract: contract.id,
    computation,
    inputs: [{ dataset: 'd', owner: owner.thumbprint, manifest: 'cd'.repeat(32) }],
    purpose: 'p',
    expiresAt: '2026-12-01T00:00:00.000Z',
    sealed: {
      digest: 'ef'.repeat(32),
      size: 1,
      keys: [{ party: owner.thumbprint, identity: 'ab'.repeat(32), key }],
    },
    resultKey: null,
  })
  requests.set(request.id, request)
  return request
}

async function payloadOf(statement: string): Promise<Spend> {
  const chain = await verifyIdentityChain(owner.chain, owner.thumbprint)
  return (await verifyPartyStatement(spendKind, statement, chain, { newestOnly: true })).payload
}

const runs = ['01', '02', '03'].map((byte) => byte.repeat(32))

describe('spend', () => {
  it('makes one chain per dataset: numbers without a gap, each naming the one before, totals that add up', async () => {
    let previous: string | null = null
    for (const [index, run] of runs.entries()) {
      const [made] = await spend(agent, contract, { id: run, computation: 'c' }, ['people'])
      const payload = await payloadOf(made?.statement ?? '')
      expect(payload).toMatchObject({
        run,
        sequence: index + 1,
        previous,
        amounts: oneRun,
        total: { runs: index + 1 },
      })
      previous = made?.id ?? null
    }
  })

  it('keeps the chains of two datasets apart, and spends both or neither', async () => {
    const [run = ''] = runs
    const made = await spend(agent, contract, { id: run, computation: 'c' }, ['people', 'values'])
    expect(made.map(({ sequence }) => sequence)).toEqual([1, 1])
    expect([...(await spendsOf(agent, run)).keys()].toSorted()).toEqual(['people', 'values'])
  })

  it('asked twice for one run gives the same bytes and spends once', async () => {
    const [run = ''] = runs
    const first = await spend(agent, contract, { id: run, computation: 'c' }, ['people'])
    const again = await spend(agent, contract, { id: run, computation: 'c' }, ['people'])
    expect(again.map(({ statement }) => statement)).toEqual(first.map(({ statement }) => statement))
    expect(await agent.store.list(spaces.spends)).toHaveLength(1)
  })
})

describe('countSpends', () => {
  it('counts each run once, of this computation only, and as failed until a completed Receipt is known', async () => {
    const [one = '', two = '', three = ''] = runs
    await spend(agent, contract, { id: one, computation: 'c' }, ['people', 'values'])
    await spend(agent, contract, { id: two, computation: 'c' }, ['people'])
    await spend(agent, contract, { id: three, computation: 'another' }, ['people'])
    expect(await countSpends(agent, contract.id, 'c', 'none')).toEqual({ runs: 2, failures: 2 })
    await changeRun(agent, contract.id, one, { outcome: 'completed' })
    expect(await countSpends(agent, contract.id, 'c', 'none')).toEqual({ runs: 2, failures: 1 })
    expect(await countSpends(agent, contract.id, 'c', two)).toEqual({ runs: 1, failures: 0 })
    expect(await countSpends(agent, 'cd'.repeat(32), 'c', 'none')).toEqual({ runs: 0, failures: 0 })
  })
})

describe('adoptSpend', () => {
  const total = { runs: 7, rows: 0, epsilonMicro: 0, deltaPico: 0 }

  async function fromLog(computation: string, sequence: number): Promise<Verified<Spend>> {
    const request = await requested(computation)
    const version = { manifest: { id: '' }, segments: [] }
    const run = { request, round: 1, dataset: 'people', version, requestKey: new Uint8Array() }
    return await spendOf(owner, run as never, {
      contract: contract.id,
      sequence,
      total,
      previous: 'ab'.repeat(32),
    })
  }

  it('goes on from the larger count, and closes the run', async () => {
    const adopted = await fromLog('c', 7)
    await adoptSpend(agent, contract, adopted)
    expect(await agent.store.get(spaces.runs, adopted.payload.run)).toMatchObject({ adopted: true })
    expect(await countSpends(agent, contract.id, 'c', 'none')).toMatchObject({ runs: 1 })
    const [next] = await spend(agent, contract, { id: runs[0] ?? '', computation: 'c' }, ['people'])
    expect(await payloadOf(next?.statement ?? '')).toMatchObject({
      sequence: 8,
      previous: adopted.id,
      total: { runs: 8 },
    })
  })

  it('never goes back to a smaller one', async () => {
    for (const run of runs) await spend(agent, contract, { id: run, computation: 'c' }, ['people'])
    const older = { ...(await fromLog('c', 2)) }
    await expect(adoptSpend(agent, contract, older)).rejects.toMatchObject({ code: 'LOG_MISBEHAVED' })
    expect((await agent.store.get(spaces.spendHeads, `${contract.id}/people`))?.sequence).toBe(3)
  })

  it('is counted under what was asked for, and refused where the request is not shown', async () => {
    const adopted = await fromLog('c', 7)
    requests.set(adopted.payload.run, await requested('another'))
    await expect(adoptSpend(agent, contract, adopted)).rejects.toMatchObject({ code: 'RUN_NOT_VERIFIED' })
    expect(statementId('run-request', canonicalBytes({}))).not.toBe(adopted.payload.run)
  })
})
