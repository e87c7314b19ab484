import { describe, expect, it } from 'vitest'
import { signingKeyFromSeed } from '#libs/canonical'
import { seededBytes } from '#libs/testing'
import { signCheckpoint } from '#libs/translog'
import { followLog, seenCheckpoint } from '../../apps/agent/src/trust/log-follower.js'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 6: the agent reads every leaf itself; two trees, a shorter tree, or another signer cannot be shown to it. */
describe('a coordinator that forks its log', () => {
  it('gets nothing for a tree that parts from the one it showed before', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    await scene.act().catch(() => undefined)
    const fork = scene.log.fork(scene.log.size() - 3)
    while (fork.size() < scene.log.size() + 2)
      fork.append(
        'denial',
        { digest: String(fork.size()).padStart(64, '0') },
        { secret: null, signer: 'x', run: null },
      )
    const before = scene.spent
    scene.coordinator.lies = { log: fork }
    const attempt = await scene.attempt()
    expect(attempt.code).toBe('LOG_MISBEHAVED')
    await expectNothingGiven(scene, before)
  })

  it('gets nothing for a tree of the same size with another root', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await followLog(scene.agent)
    const fork = scene.log.fork(scene.log.size() - 1)
    fork.append('denial', { digest: 'ab'.repeat(32) }, { secret: null, signer: 'x', run: null })
    scene.coordinator.lies = { log: fork }
    expect((await scene.attempt()).code).toBe('LOG_MISBEHAVED')
    await expectNothingGiven(scene)
  })

  it('gets nothing for a log that was rolled back', async () => {
    const scene = await (await Scene.begin()).toSpends()
    await followLog(scene.agent)
    const seen = await seenCheckpoint(scene.agent)
    scene.coordinator.lies = { log: scene.log.fork(scene.log.size() - 2) }
    scene.coordinator.state = 'collectingReleases'
    expect((await scene.attempt()).code).toBe('LOG_MISBEHAVED')
    expect((await seenCheckpoint(scene.agent))?.size).toBe(seen?.size)
    await expectNothingGiven(scene, 1)
  })

  it('gets nothing for leaves that do not lead to the root it signed', async () => {
    const scene = await Scene.begin()
    const { log } = scene
    const fork = log.fork(log.size() - 1)
    fork.append('denial', { digest: 'ab'.repeat(32) }, { secret: null, signer: 'x', run: null })
    scene.coordinator.lies = { log: fork, checkpoint: () => log.checkpoint([]) }
    expect((await scene.attempt()).code).toBe('LOG_MISBEHAVED')
    await expectNothingGiven(scene)
  })

  it('gets nothing for a checkpoint signed by another log’s key, under the same name', async () => {
    const scene = await Scene.begin()
    const key = await signingKeyFromSeed(seededBytes('another log')(32))
    scene.coordinator.lies = {
      checkpoint: async () => {
        const { size, root } = await scene.log.checkpoint([])
        const note = await signCheckpoint(
          { origin: scene.log.origin, size, root: Buffer.from(root, 'hex') },
          key,
        )
        return { size, root, note }
      },
    }
    expect((await scene.attempt()).code).not.toBeNull()
    await expectNothingGiven(scene)
  })

  it('gets no key for Spends recorded in a fork that the owner’s own view does not hold', async () => {
    const scene = await (await Scene.begin()).toSpends()
    await followLog(scene.agent)
    const fork = scene.log.fork(scene.log.size() - 1)
    fork.append('denial', { digest: 'ab'.repeat(32) }, { secret: null, signer: 'x', run: null })
    const { north, south } = scene.parties
    scene.coordinator.lies = { checkpointOf: () => fork.checkpoint([north, south]) }
    scene.coordinator.state = 'collectingReleases'
    expect((await scene.attempt()).code).not.toBeNull()
    await expectNothingGiven(scene, 1)
  })
})
