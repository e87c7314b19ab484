import { describe, expect, it } from 'vitest'
import type { RunView } from '#libs/protocol'
import { spaces } from '../../apps/agent/src/store/records.js'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { offerOf } from './stage/offer-of.js'
import { computation, Scene } from './stage/owner-under-attack.js'

/** Invariants 2 and 7: at most once per run and dataset, ever; no crash, restore or replay gives a second key or budget back. */
describe('a second key for one run', () => {
  it('is not had by a new round after the release, even where the log hides nothing', async () => {
    const scene = await (await Scene.begin()).toReleases()
    scene.coordinator.state = 'collectingNonces'
    scene.coordinator.round = 2
    await scene.attempt()
    expect(scene.coordinator.ofType('nonce')).toHaveLength(1)
    await scene.southSays('nonce')
    const { contract, coordinator, clock } = scene
    const second = await offerOf({ contract, view: coordinator.runView(), clock, seed: 'second round' })
    coordinator.record('offer', second.offer, second.receiptKey.thumbprint)
    coordinator.record('evidence', second.evidence, second.receiptKey.thumbprint, second.evidenceBytes)
    coordinator.state = 'collectingReleases'
    await scene.attempt()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('is not had by a new round after the Spend', async () => {
    const scene = await (await Scene.begin()).toSpends()
    scene.coordinator.state = 'collectingNonces'
    scene.coordinator.round = 2
    await scene.attempt()
    expect(scene.coordinator.ofType('nonce')).toHaveLength(1)
    await expectNothingGiven(scene, 1)
  })

  it('is not had by showing the finished run as one that has only begun', async () => {
    const scene = await (await Scene.begin()).toReleases()
    const begun = (view: RunView): RunView => ({
      ...view,
      state: 'collectingNonces',
      round: 2,
      statements: view.statements.filter(({ type }) => ['run-request', 'approval'].includes(type)),
    })
    scene.coordinator.lies = { run: begun }
    expect((await scene.attempt()).code).toBe('RUN_NOT_VERIFIED')
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('sends the same bytes again where the first were lost, and counts nothing anew', async () => {
    const scene = await (await Scene.begin()).toReleases()
    const lost = scene.coordinator.ofType('key-release')[0]?.jws
    // The coordinator lost what it had recorded, and so did the log that it shows: only the run's list is shorter.
    scene.coordinator.lies = {
      run: (view) => ({ ...view, statements: view.statements.filter(({ type }) => type !== 'key-release') }),
    }
    expect((await scene.attempt()).code).toBe('RUN_NOT_VERIFIED')
    scene.coordinator.lies = {}
    await scene.act()
    expect(scene.coordinator.ofType('key-release').map(({ jws }) => jws)).toEqual([lost])
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('sends one and the same Spend after a crash between writing and sending it', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { client } = scene.agent
    const { record } = client
    client.record = () => Promise.reject(new Error('crash'))
    await expect(scene.act()).rejects.toThrow('crash')
    client.record = record
    await scene.start(scene.disk)
    await scene.act()
    await scene.act()
    expect([scene.spent, scene.released]).toEqual([1, 0])
    expect(await scene.agent.store.list(spaces.spends)).toHaveLength(1)
  })

  it('forgets a nonce in a crash: an Offer over it could be a replay, so it waits for another round', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.start(scene.disk)
    expect((await scene.attempt()).waiting).toContain('a new round')
    // Said once, so that another round can begin before the Offer expires; never `ready` for this one.
    await scene.attempt()
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    expect(scene.coordinator.readiness.filter(({ reason }) => reason.includes('a new round'))).toHaveLength(1)
    await expectNothingGiven(scene)
  })

  it('signs no second nonce in a round whose first was lost in a crash', async () => {
    const scene = await (await Scene.begin()).toNonces()
    await scene.start(scene.disk)
    expect((await scene.attempt()).waiting).toContain('a new round')
    expect(scene.coordinator.ofType('nonce')).toHaveLength(1)
  })

  it('goes on from a durable Accept after a crash, and releases once', async () => {
    const scene = await (await Scene.begin()).toSpends()
    scene.clock.advance(1000)
    await scene.start(scene.disk)
    scene.coordinator.state = 'collectingReleases'
    await scene.act()
    await scene.act()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })
})

describe('an agent that was restored from a backup', () => {
  it('releases nothing for a run that it had spent on, and takes over the count from the log', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const backup = scene.disk.backup()
    await scene.offer()
    await scene.act()
    await scene.southSays('accept')
    scene.coordinator.state = 'collectingSpends'
    await scene.act()
    await scene.southSays('spend')
    scene.coordinator.state = 'collectingReleases'
    expect(scene.spent).toBe(1)
    scene.clock.advance(5000)
    await scene.start(backup)
    for (let news = 0; news < 3; news++) expect((await scene.attempt()).waiting).toContain('nobody')
    expect(scene.reports.join()).toContain('spend adopted from the log')
    expect([scene.spent, scene.released]).toEqual([1, 0])
    expect((await scene.agent.store.list(spaces.spends)).length).toBe(1)
  })

  it('releases nothing a second time where the backup is older than the release only', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const backup = scene.disk.backup()
    scene.coordinator.state = 'collectingReleases'
    await scene.act()
    expect(scene.released).toBe(1)
    scene.clock.advance(5000)
    await scene.start(backup)
    for (let news = 0; news < 3; news++) await scene.attempt()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('releases nothing a second time where the release is in a part of the log that is shown to it late', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const backup = scene.disk.backup()
    scene.coordinator.state = 'collectingReleases'
    const before = scene.log.size()
    await scene.act()
    scene.clock.advance(5000)
    await scene.start(backup)
    const { north, south } = scene.parties
    let asked = 0
    scene.coordinator.lies = {
      checkpoint: () =>
        asked++ === 0 ? scene.log.checkpoint([], before) : scene.log.checkpoint([north, south]),
      run: (view) => ({ ...view, statements: view.statements.filter(({ type }) => type !== 'key-release') }),
    }
    for (let news = 0; news < 3; news++) await scene.attempt()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('goes on waiting in the middle of a round, and refuses nothing for it', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const { north, south } = scene.parties
    scene.clock.advance(5000)
    await scene.start(scene.disk)
    scene.coordinator.cosigners = [north]
    scene.coordinator.state = 'collectingReleases'
    expect((await scene.attempt()).waiting).toContain('south')
    expect(scene.refusals()).toEqual([])
    scene.coordinator.cosigners = [north, south]
    await scene.act()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('counts a Spend from the log under the computation that was asked for, whatever the coordinator calls it', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const backup = scene.disk.backup()
    await scene.offer()
    await scene.act()
    await scene.southSays('accept')
    scene.coordinator.state = 'collectingSpends'
    await scene.act()
    scene.clock.advance(5000)
    await scene.start(backup)
    scene.coordinator.lies = { run: (view) => ({ ...view, computation: 'another' }) }
    await scene.attempt()
    const spends = await scene.agent.store.list(spaces.spends)
    expect(spends.map(([, record]) => record.computation)).toEqual([computation])
  })

  it('waits until every other owner has cosigned a checkpoint since its start', async () => {
    const scene = await Scene.begin()
    const { north } = scene.parties
    scene.clock.advance(60_000)
    await scene.start(scene.disk)
    scene.coordinator.cosigners = [north]
    const attempt = await scene.attempt()
    expect(attempt.waiting).toContain('south')
    expect(scene.coordinator.cosignRequests).toBe(1)
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    await expectNothingGiven(scene)
  })

  it('is not brought up to date by a cosignature from before its start', async () => {
    const scene = await Scene.begin()
    const { north, south } = scene.parties
    const stale = await scene.log.checkpoint([north, south])
    scene.clock.advance(60_000)
    await scene.start(scene.disk)
    scene.coordinator.lies = { checkpoint: () => Promise.resolve(stale) }
    expect((await scene.attempt()).waiting).toContain('south')
    await expectNothingGiven(scene)
  })

  it('is told another statement in place of its Spend, and trusts the log no more', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const backup = scene.disk.backup()
    await scene.offer()
    await scene.act()
    await scene.southSays('accept')
    scene.coordinator.state = 'collectingSpends'
    await scene.act()
    const [accept] = scene.coordinator.runStatements.filter(({ type }) => type === 'accept')
    const [spend] = scene.coordinator.runStatements.filter(({ type }) => type === 'spend')
    if (accept === undefined || spend === undefined) throw new Error('nothing was spent')
    scene.clock.advance(5000)
    await scene.start(backup)
    scene.coordinator.lies = { statement: () => ({ ...spend, statement: accept.statement }) }
    expect((await scene.attempt()).code).not.toBeNull()
    expect([scene.spent, scene.released]).toEqual([1, 0])
  })
})
