import { describe, expect, it } from 'vitest'
import { AfterStart } from '../../apps/agent/src/daemon/after-start.js'
import type { MemoryStore } from './stage/memory-store.js'
import { Scene } from './stage/owner-under-attack.js'

const twoDays = 2 * 24 * 3600 * 1000

/** A run on which north has spent and for which it has released, and its disk from just before it spent. */
async function spentSince(): Promise<{ scene: Scene; backup: MemoryStore; sizeThen: number }> {
  const scene = await (await Scene.begin()).toAccepts()
  const backup = scene.disk.backup()
  const sizeThen = scene.log.size()
  await scene.act()
  await scene.southSays('spend')
  scene.coordinator.state = 'collectingReleases'
  await scene.act()
  expect([scene.spent, scene.released]).toEqual([1, 1])
  scene.clock.advance(5000)
  return { scene, backup, sizeThen }
}

/** Invariants 2 and 7: what a restored agent learns of itself must come from the log that all others saw. */
describe('a restored agent', () => {
  it('does not take a longer tree of its own for the one that the others cosigned', async () => {
    const { scene, backup, sizeThen } = await spentSince()
    const { north, south } = scene.parties
    const fork = scene.log.fork(sizeThen)
    while (fork.size() < scene.log.size() + 2)
      fork.append(
        'denial',
        { digest: String(fork.size()).padStart(64, '0') },
        { secret: null, signer: 'nobody', run: null },
      )
    await scene.start(backup)
    let asked = 0
    scene.coordinator.state = 'collectingSpends'
    scene.coordinator.lies = {
      log: fork,
      checkpoint: () =>
        asked++ === 0 ? fork.checkpoint([], fork.size()) : scene.log.checkpoint([north, south]),
      run: (view) => ({
        ...view,
        statements: view.statements.filter(({ type }) => type !== 'spend' && type !== 'key-release'),
      }),
    }
    expect((await scene.attempt()).code ?? 'it noticed nothing').toMatch(/CONSISTENCY_BROKEN|FORK/)
    for (let news = 0; news < 3; news++) await scene.attempt()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })

  it('whose clock is behind, and which an older cosignature satisfies, still finds its Spend when the log holds it', async () => {
    const { scene, backup, sizeThen } = await spentSince()
    const { north, south } = scene.parties
    await scene.start(backup)
    // Its clock is two days behind: what the others cosigned yesterday was cosigned after its start.
    scene.acting = {
      ...scene.acting,
      afterStart: new AfterStart(scene.agent, scene.clock.now() - twoDays, new Map()),
    }
    const before = new Set(['spend', 'key-release'])
    const cut = scene.log.fork(sizeThen)
    scene.coordinator.state = 'awaitingOffer'
    scene.coordinator.lies = {
      log: cut,
      checkpoint: () => cut.checkpoint([north, south]),
      run: (view) => ({
        ...view,
        state: 'collectingAccepts',
        statements: view.statements.filter(({ type }) => !before.has(type) && type !== 'accept'),
      }),
    }
    await scene.attempt()
    scene.coordinator.lies = {}
    scene.coordinator.state = 'collectingReleases'
    for (let news = 0; news < 3; news++) await scene.attempt()
    expect([scene.spent, scene.released]).toEqual([1, 1])
  })
})
