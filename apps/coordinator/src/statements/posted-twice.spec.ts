import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CoordinatorClient } from '#libs/client'
import {
  approvalKind,
  denialKind,
  fetchKind,
  manifestKind,
  refusalKind,
  revocationKind,
  withdrawalKind,
} from '#libs/protocol'
import { Ledger } from '../ledger/ledger.js'
import { PublicLog } from '../log/public-log.js'
import { testTerms } from '../testing/contract.js'
import { makeParty, type TestParty } from '../testing/party.js'
import { Play } from '../testing/play.js'
import { QueuedActs } from '../testing/queued-acts.js'
import { aStage, type Stage } from '../testing/stage.js'
import type { TestWorker } from '../testing/worker.js'

/** Three posts of one statement: two of them alone might agree by the order in which they came. */
const posts = 3

describe('the same statement posted several times at once', () => {
  let stage: Stage
  let play: Play
  let queue: QueuedActs
  let twins = 0

  /** From now on everything that a client records is posted several times, all of which wait for their turn together. */
  function multiply(client: CoordinatorClient): void {
    const record = client.record.bind(client)
    client.record = async (...message) => {
      const before = size()
      const outcomes = await queue.together(Array.from({ length: posts }, () => () => record(...message)))
      const refused = outcomes.find((outcome) => outcome.status === 'rejected')
      if (refused !== undefined) throw refused.reason
      const [first, ...others] = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? [outcome.value] : [],
      )
      if (first === undefined) throw new RangeError('nothing was posted')
      for (const other of others) expect(other).toEqual(first)
      // An Activation follows a last signature, so a leaf more is possible; two of one statement are not.
      expect(size() - before).toBeLessThanOrEqual(first.index === null ? 0 : 2)
      twins++
      return first
    }
  }

  const size = () => stage.coordinator.app.get(PublicLog).size

  async function worker(): Promise<TestWorker> {
    const fresh = await stage.worker()
    multiply(fresh.client)
    return fresh
  }

  const about = (run: string) => ({
    contract: play.contract,
    run,
    release: null,
    expiresAt: stage.clock.iso(60_000),
  })

  beforeAll(async () => {
    stage = await aStage({ maximumRounds: 20 })
    queue = new QueuedActs(stage.coordinator.app.get(Ledger))
    play = await Play.begin(stage, (yaml) => yaml.replaceAll('limit: 3', 'limit: 50'))
    for (const { client } of Object.values(play.cast) as TestParty[]) multiply(client)
  })

  afterAll(async () => {
    await stage.close()
  })

  it('is a whole run, in which each statement is recorded once and answered alike', async () => {
    const one = await worker()
    const run = await play.request()
    expect((await play.until('completed', run, one)).state).toBe('completed')
    const { lab } = play.cast
    const fetched = { ...lab.own('fetch'), contract: play.contract, run, output: 'result' }
    await lab.client.record((await lab.sign(fetchKind, fetched)).jws)
    const { statements } = await play.view(run)
    expect(new Set(statements.map(({ digest }) => digest)).size).toBe(statements.length)
    expect(statements.filter(({ type }) => type === 'spend')).toHaveLength(2)
    // request, 2 nonces, Offer, Evidence, 2 Accepts, 2 Spends, 2 KeyReleases, Start, Receipt, OutputKeys, Fetch
    expect(twins).toBe(15)
  })

  it('is a yes, or a no that ends its run', async () => {
    const { north } = play.cast
    const approved = await play.request({ computation: 'approved_mean' })
    const approval = { ...north.own('approval'), ...about(approved) }
    await north.client.record((await north.sign(approvalKind, approval, north.consent)).jws)
    const denied = await play.request({ computation: 'approved_mean' })
    const denial = { ...north.own('denial'), ...about(denied), reason: 'no' }
    await north.client.record((await north.sign(denialKind, denial, north.consent)).jws)
    expect((await play.view(denied)).state).toBe('denied')
  })

  it('is a Refusal that ends its run, and a Receipt that says that it failed', async () => {
    const { north } = play.cast
    const refused = await play.request()
    const reasons = [{ rule: 'r', expected: 'e', seen: 's', who: 'w', text: 't' }]
    const refusal = {
      ...north.own('refusal'),
      contract: play.contract,
      run: refused,
      round: 0,
      step: 'request' as const,
      reasons,
    }
    await north.client.record((await north.sign(refusalKind, refusal)).jws)
    expect((await play.view(refused)).state).toBe('refused')
    const failed = await play.request()
    const failing = await worker()
    await play.until('running', failed, failing)
    await failing.start()
    await failing.receipt([play.cast.lab.thumbprint], { outcome: 'timedOut', outputs: [] })
    await play.cosign()
    expect((await play.view(failed)).state).toBe('failed')
  })

  it('is still refused where it is refused alone', async () => {
    const { north } = play.cast
    const known = play.manifests.get('north')
    if (known === undefined) throw new RangeError('north sealed nothing')
    const gap = { ...known.payload, ...north.own('manifest'), sequence: 9, previous: known.id }
    const { jws } = await north.sign(manifestKind, gap)
    await expect(north.client.record(jws)).rejects.toMatchObject({ problem: { code: 'STATEMENT_CONFLICT' } })
  })
  it('is a proposal and its signatures, of which the last brings one Activation', async () => {
    const { lab, north, south } = play.cast
    const contract = await lab.propose(testTerms(play.cast, stage.log))
    await north.signContract(contract)
    await south.signContract(contract)
    const { state, statements } = await lab.client.contract(contract)
    expect(state).toBe('active')
    expect(statements.map(({ type }) => type)).toEqual(['contract', 'contract', 'contract', 'activation'])
  })

  it('is a party’s first Identity, a next version of data, and what takes data and contract out', async () => {
    const { north, lab } = play.cast
    const newcomer = await makeParty('newcomer', lab.wire)
    multiply(newcomer.client)
    await newcomer.join(await stage.invite())
    const known = play.manifests.get('north')
    if (known === undefined) throw new RangeError('north sealed nothing')
    const next = { ...known.payload, ...north.own('manifest'), sequence: 2, previous: known.id }
    await north.client.record((await north.sign(manifestKind, next)).jws)
    const stop = { contract: play.contract, from: stage.clock.iso(-1000), reason: 'a test' }
    const withdrawal = { ...north.own('withdrawal'), ...stop, dataset: 'stays', manifest: null }
    await north.client.record((await north.sign(withdrawalKind, withdrawal)).jws)
    const revocation = { ...north.own('revocation'), ...stop, subject: { kind: 'contract' as const } }
    await north.client.record((await north.sign(revocationKind, revocation, north.consent)).jws)
  })
})
