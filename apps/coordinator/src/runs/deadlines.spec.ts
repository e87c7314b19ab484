import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunState } from '#libs/protocol'
import { Play } from '../testing/play.js'
import { aStage, type Stage } from '../testing/stage.js'
import type { TestWorker } from '../testing/worker.js'

describe('deadlines', () => {
  let stage: Stage
  let play: Play

  beforeAll(async () => {
    stage = await aStage({ workerSilentSeconds: 45 })
    play = await Play.begin(stage, (yaml) =>
      yaml
        .replaceAll('limit: 3', 'limit: 500')
        .replace('governance:', 'runs: { failures: 500 }\ngovernance:'),
    )
  })
  afterAll(async () => {
    await stage.close()
  })

  async function begin(state: RunState): Promise<{ run: string; worker: TestWorker }> {
    const worker = await stage.worker()
    const run = await play.request()
    await play.until(state, run, worker)
    return { run, worker }
  }

  async function after(seconds: number, run: string, worker?: TestWorker) {
    for (let passed = 0; passed < seconds; passed += 20) {
      stage.clock.advance(Math.min(20, seconds - passed) * 1000)
      // A worker that is alive keeps asking.
      await worker?.refresh()
      await stage.sweep()
    }
    return await play.view(run)
  }

  it('end the round of an owner that gives no nonce, name it, and wait for it', async () => {
    const { run, worker } = await begin('collectingNonces')
    await play.nonce(play.cast.north, run, 1)
    const view = await after(21, run, worker)
    expect(view.state).toBe('awaitingOwners')
    expect(view.waitingFor).toEqual([
      { what: 'readiness', whom: [play.cast.south.thumbprint], reason: 'did not answer in round 1' },
    ])
    const fresh = await stage.worker()
    const again = await play.until('collectingAccepts', run, fresh)
    expect([again.round, again.state]).toEqual([2, 'collectingAccepts'])
    await play.cast.lab.client.cancel(run)
  })

  it('end the round of a worker that asks for nothing any more', async () => {
    const { run } = await begin('awaitingOffer')
    expect((await after(25, run)).state).toBe('awaitingOffer')
    expect((await after(25, run)).state).toBe('awaitingWorker')
    await play.cast.lab.client.cancel(run)
  })

  it.each([
    ['collectingAccepts', 'awaitingOwners'],
    ['recordingSpends', 'expired'],
    ['collectingReleases', 'expired'],
  ] as const)('of the Offer make a run that is %s %s', async (state, next) => {
    const { run, worker } = await begin(state)
    expect((await after(62, run, worker)).state).toBe(next)
    if (next === 'awaitingOwners') await play.cast.lab.client.cancel(run)
  })

  it('make a run lost whose worker is gone after the Spends', async () => {
    const { run } = await begin('running')
    const view = await after(50, run)
    expect([view.state, view.endedBecause]).toEqual(['lost', 'the worker was lost'])
  })

  it('make a run unrecorded whose Receipt is not cosigned in time, and it stays so', async () => {
    const { run, worker } = await begin('recordingReceipt')
    expect((await after(61, run, worker)).state).toBe('unrecorded')
    await play.cosign()
    expect((await play.view(run)).state).toBe('unrecorded')
  })

  it('of a request end it where nobody was ready', async () => {
    const run = await play.request({ expiresAt: stage.clock.iso(30_000) })
    await play.cast.north.client.readiness({ run, state: 'waiting', reason: 'a person must approve' })
    const view = await play.view(run)
    expect(view.waitingFor.find(({ whom }) => whom.includes(play.cast.north.thumbprint))?.reason).toBe(
      'a person must approve',
    )
    expect((await after(31, run)).state).toBe('expired')
  })

  it('end a run that a lease ended, naming the owner', async () => {
    const { run, worker } = await begin('running')
    await worker.client.endWorker(run, { code: 'leaseLost', owner: play.cast.south.thumbprint, detail: '' })
    const view = await play.view(run)
    expect([view.state, view.endedBecause]).toEqual([
      'leaseLost',
      `the lease of ${play.cast.south.thumbprint} ran out`,
    ])
  })

  it('end in a count of what was spent, whatever became of it', async () => {
    const limited = await Play.begin(stage, (yaml) => yaml.replaceAll('limit: 3', 'limit: 1'))
    const worker = await stage.worker()
    const run = await limited.request()
    await limited.until('running', run, worker)
    stage.clock.advance(50_000)
    await stage.sweep()
    const { statement, attachment } = await limited.makeRequest()
    await expect(limited.cast.lab.client.record(statement.jws, { attachment })).rejects.toMatchObject({
      problem: { code: 'RUN_REFUSED', refusals: [{ rule: 'limit.runs' }] },
    })
  })

  it('do not run out while the server is down: a restart goes on where the records stand', async () => {
    const disk = await aStage({}, { onDisk: true })
    const before = await Play.begin(disk)
    const worker = await disk.worker()
    const run = await before.request()
    await before.until('collectingSpends', run, worker)
    await before.spend(before.cast.north, run)
    const size = (await before.cast.lab.client.checkpoint()).size
    await disk.coordinator.close()
    const again = await aStage(
      { port: Number(new URL(disk.url).port) },
      { onDisk: true, folder: disk.folder },
    )
    const view = await before.view(run)
    expect([view.state, view.round]).toEqual(['collectingSpends', 1])
    expect((await before.cast.lab.client.checkpoint()).size).toBe(size)
    await before.spend(before.cast.south, run)
    expect((await before.until('completed', run, worker)).state).toBe('completed')
    await again.close()
    await disk.close()
  })
})
