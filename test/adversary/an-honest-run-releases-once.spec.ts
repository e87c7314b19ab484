import { describe, expect, it } from 'vitest'
import { keyReleaseSchema } from '#libs/protocol'
import { spaces } from '../../apps/agent/src/store/records.js'
import { Scene } from './stage/owner-under-attack.js'

// Every attack in this folder changes one thing of this run; so it must release, or the attacks would prove nothing.
describe('an honest run', () => {
  it('gets one Nonce, Accept, Spend and KeyRelease from the owner, and only the segments that the query reads', async () => {
    const scene = await (await Scene.begin()).toReleases()
    const { coordinator } = scene
    expect(coordinator.readiness.map(({ state }) => state)).toEqual(['ready'])
    for (const type of ['nonce', 'accept', 'spend', 'key-release'] as const)
      expect(coordinator.ofType(type)).toHaveLength(1)
    const release = keyReleaseSchema.parse(coordinator.ofType('key-release')[0]?.payload)
    expect(release.segmentKeys.map(({ segment }) => segment).toSorted()).toEqual(['facts', 'keys'])
    expect(release.offer).toBe(scene.offered?.offer.id)
    expect(scene.refusals()).toEqual([])
  })

  it('is released once however often the news comes', async () => {
    const scene = await (await Scene.begin()).toReleases()
    for (let again = 0; again < 3; again++) await scene.act()
    expect([scene.spent, scene.released]).toEqual([1, 1])
    expect(await scene.agent.store.list(spaces.spends)).toHaveLength(1)
  })
})
