import { describe, expect, it } from 'vitest'
import { signStatement } from '#libs/canonical'
import { acceptKind } from '#libs/protocol'
import { aParty } from '#libs/testing'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariants 2 and 7: all owners accept the same Offers, all have spent, all cosigned that; only then a key is handed over. */
describe('a coordinator that wants keys before every owner is bound', () => {
  it('gets no Spend while an owner’s Accept is missing', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.act()
    scene.coordinator.state = 'collectingSpends'
    expect((await scene.attempt()).waiting).toContain('Accepts')
    await expectNothingGiven(scene)
  })

  it('gets no Spend where owners accepted different sets of Offers', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.act()
    await scene.southSays('accept', { offers: 'ab'.repeat(32) })
    scene.coordinator.state = 'collectingSpends'
    expect((await scene.attempt()).rules).toContain('accepts.complete')
    await expectNothingGiven(scene)
  })

  it('gets no Spend for an Accept of another round', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.act()
    await scene.southSays('accept', { round: 2 })
    scene.coordinator.state = 'collectingSpends'
    expect((await scene.attempt()).waiting).toContain('Accepts')
    await expectNothingGiven(scene)
  })

  it('gets no Spend for an Accept that outlives its Offer', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.act()
    await scene.southSays('accept', { expiresAt: scene.clock.iso(600_000) })
    scene.coordinator.state = 'collectingSpends'
    expect((await scene.attempt()).rules).toContain('accepts.complete')
    await expectNothingGiven(scene)
  })

  it('gets no Spend for an Accept that a stranger signed in an owner’s name', async () => {
    const scene = await (await Scene.begin()).toOffer()
    await scene.act()
    const { south } = scene.parties
    const stranger = await aParty('stranger', { clock: scene.clock })
    const own = scene.coordinator.ofType('accept')[0]?.payload
    if (own === undefined) throw new Error('no Accept')
    const forged = await signStatement(
      acceptKind,
      { ...acceptKind.parse(own as never), by: south.thumbprint },
      stranger.daemon,
    )
    scene.coordinator.record('accept', forged, south.thumbprint)
    scene.coordinator.state = 'collectingSpends'
    expect((await scene.attempt()).code).toBe('IDENTITY_INVALID')
    await expectNothingGiven(scene)
  })

  it('gets no key while an owner has not spent', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    await scene.act()
    scene.coordinator.state = 'collectingReleases'
    expect((await scene.attempt()).waiting).toContain('all Spends')
    await expectNothingGiven(scene, 1)
  })

  it('gets no key for Spends in a checkpoint that an owner has not cosigned', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const { north, lab } = scene.parties
    scene.coordinator.state = 'collectingReleases'
    for (const cosigners of [[], [north], [north, lab]]) {
      scene.coordinator.lies = { checkpointOf: () => scene.log.checkpoint(cosigners) }
      expect((await scene.attempt()).waiting).toContain('cosigned')
    }
    await expectNothingGiven(scene, 1)
  })

  it('gets no key for a cosigned checkpoint that ends before a Spend', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const { north, south } = scene.parties
    const before = scene.log.size() - 1
    scene.coordinator.state = 'collectingReleases'
    scene.coordinator.lies = { checkpointOf: () => scene.log.checkpoint([north, south], before) }
    expect((await scene.attempt()).waiting).toContain('all Spends')
    await expectNothingGiven(scene, 1)
  })

  it('gets no key for cosignatures of another checkpoint, copied onto this one', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const { north, south } = scene.parties
    const [older, newest] = [
      await scene.log.checkpoint([north, south], scene.log.size() - 2),
      await scene.log.checkpoint([]),
    ]
    const copied = older.note.split('\n').filter((line) => line.includes('/witness/'))
    scene.coordinator.state = 'collectingReleases'
    scene.coordinator.lies = {
      checkpointOf: () => Promise.resolve({ ...newest, note: `${newest.note}${copied.join('\n')}\n` }),
    }
    const attempt = await scene.attempt()
    expect(attempt.code ?? attempt.waiting).toMatch(/cosigned|SIGNATURE|NOTE|COSIGN/)
    await expectNothingGiven(scene, 1)
  })
})
