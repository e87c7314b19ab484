import { describe, expect, it } from 'vitest'
import { spaces } from '../../apps/agent/src/store/records.js'
import { Scene } from './stage/owner-under-attack.js'

/** A KeyRelease on north's disk that nobody has got: the process ended before it was sent. */
async function unsent(): Promise<Scene> {
  const scene = await (await Scene.begin()).toSpends()
  scene.coordinator.state = 'collectingReleases'
  scene.agent.client.record = () => Promise.reject(new Error('the process ended'))
  await expect(scene.act()).rejects.toThrow('the process ended')
  const record = await scene.agent.store.get(spaces.runs, scene.asked.request.id)
  expect(Object.keys(record?.releases ?? {})).toEqual(['people'])
  await scene.start(scene.disk)
  return scene
}

/** Invariant 2: keys are handed over when they are sent, so what forbids a release then forbids the sending. */
describe('a release that a crash kept back', () => {
  it('is sent after the start while the Offer stands', async () => {
    const scene = await unsent()
    await scene.attempt()
    expect(scene.released).toBe(1)
  })

  it('is not sent when the Offer has expired since', async () => {
    const scene = await unsent()
    scene.clock.advance(61_000)
    expect((await scene.attempt()).rules).toContain('offer.unexpired')
    expect(scene.released).toBe(0)
  })

  it('is not sent when the owner has withdrawn its data since', async () => {
    const scene = await unsent()
    const { store } = scene.agent
    const [[key, version] = ['', undefined]] = await store.list(spaces.datasetVersions)
    if (version === undefined) throw new Error('north has no version')
    await store.write(store.put(spaces.datasetVersions, key, { ...version, withdrawn: true }))
    expect((await scene.attempt()).code).toBe('RUN_NOT_VERIFIED')
    expect(scene.released).toBe(0)
  })
})
