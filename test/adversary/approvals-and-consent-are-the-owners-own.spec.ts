import { describe, expect, it } from 'vitest'
import { signStatement } from '#libs/canonical'
import { approvalKind } from '#libs/protocol'
import { approvalOf, ownFields, type Party } from '#libs/testing'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 2: approvals that the contract names are verified by the releasing agent itself, and its own people's will is its own. */
async function approvalBy(scene: Scene, party: Party, key: Party['consent']) {
  const fields = {
    ...ownFields(party, 'approval'),
    type: 'approval' as const,
    contract: scene.contract.id,
    run: scene.asked.request.id,
    release: null,
    expiresAt: scene.clock.iso(3_600_000),
  }
  return await signStatement(approvalKind, fields, key)
}

describe('an owner whose contract names approvers', () => {
  it('waits while nobody has approved, whatever the coordinator says the state is', async () => {
    for (const state of ['awaitingOwners', 'collectingNonces', 'collectingReleases'] as const) {
      const scene = await Scene.begin({ approved: false })
      scene.coordinator.state = state
      scene.coordinator.round = 1
      await scene.attempt()
      expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
      expect(scene.coordinator.ofType('nonce')).toEqual([])
      await expectNothingGiven(scene)
    }
  })

  it('accepts no Offer while nobody has approved, having signed no nonce for it', async () => {
    const scene = await Scene.begin({ approved: false })
    scene.coordinator.state = 'collectingNonces'
    scene.coordinator.round = 1
    await scene.attempt()
    await scene.southSays('nonce')
    await scene.offer()
    expect((await scene.attempt()).waiting).toContain('nonce')
    await expectNothingGiven(scene)
  })

  it('takes no Approval that the approver’s daemon key signed: it needs a person', async () => {
    const scene = await Scene.begin({ approved: false })
    const { south } = scene.parties
    scene.coordinator.record('approval', await approvalBy(scene, south, south.daemon), south.thumbprint)
    expect((await scene.attempt()).code).toBe('IDENTITY_INVALID')
    await expectNothingGiven(scene)
  })

  it('takes no Approval of a party that the contract does not name as approver', async () => {
    const scene = await Scene.begin({ approved: false })
    const { lab } = scene.parties
    scene.coordinator.record('approval', await approvalBy(scene, lab, lab.consent), lab.thumbprint)
    await scene.attempt()
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    await expectNothingGiven(scene)
  })

  it('takes no Approval that is shown and not in the log', async () => {
    const scene = await Scene.begin({ approved: false })
    const { south } = scene.parties
    const { id, digest, jws } = await approvalOf(south, scene.asked.request)
    scene.coordinator.runStatements.push({
      type: 'approval',
      id,
      digest,
      index: 0,
      statement: jws,
      attachment: null,
    })
    await scene.attempt()
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    await expectNothingGiven(scene)
  })

  it('takes no Approval that has expired', async () => {
    const scene = await Scene.begin({ approved: false })
    const { south } = scene.parties
    scene.coordinator.record(
      'approval',
      await approvalOf(south, scene.asked.request, { expiresAt: scene.clock.iso(0) }),
      south.thumbprint,
    )
    await scene.attempt()
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    await expectNothingGiven(scene)
  })
})

describe('an owner whose house rules leave runs to people', () => {
  it('says that it waits, and signs no nonce', async () => {
    const scene = await Scene.begin({ houseRules: { automatic: [] } })
    scene.coordinator.state = 'collectingNonces'
    scene.coordinator.round = 1
    await scene.attempt()
    expect(scene.coordinator.readiness.at(-1)).toMatchObject({ state: 'waiting' })
    expect(scene.coordinator.ofType('nonce')).toEqual([])
    await expectNothingGiven(scene)
  })

  it('refuses a requester that its people deny, with the rule', async () => {
    const other = await Scene.begin()
    const scene = await Scene.begin({ houseRules: { denyRequesters: [other.parties.lab.thumbprint] } })
    expect((await scene.attempt()).rules).toContain('owner.consent')
    await expectNothingGiven(scene)
  })

  it('refuses a build that its people deny', async () => {
    const scene = await (await Scene.begin({ houseRules: { denyMeasurements: ['ab'.repeat(32)] } })).toOffer()
    expect((await scene.attempt()).rules).toContain('enclave.revoked')
    await expectNothingGiven(scene)
  })

  it('wants fresher evidence than the contract does, where its people say so', async () => {
    const scene = await (await Scene.begin({ houseRules: { maximumEvidenceAgeSeconds: 10 } })).toNonces()
    await scene.offer({ report: { issuedAt: scene.clock.now() - 11_000 } })
    expect((await scene.attempt()).rules).toContain('enclave.appraised')
    await expectNothingGiven(scene)
  })
})
