/** Invariant 2: a machine or build that was revoked is given nothing from then on, in a run that is under way too. */
import { describe, expect, it } from 'vitest'
import { toHex } from '#libs/canonical'
import { revocationKind, type Revocation } from '#libs/protocol'
import { aClock, fakeChipId, snpField } from '#libs/testing'
import type { HouseRules } from '../../apps/agent/src/consent/house-rules.js'
import { Leases } from '../../apps/agent/src/daemon/keep-lease.js'
import { appraiseOffer, liveCollateral } from '../../apps/agent/src/trust/appraise-offers.js'
import { followLog } from '../../apps/agent/src/trust/log-follower.js'
import { verifyActiveContract } from '../../apps/agent/src/trust/verify-contract.js'
import { verifyRun } from '../../apps/agent/src/trust/verify-run.js'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { ForgedHardware, offeredBy, withForgedEntries, type ForgedMachine } from './stage/forged-hardware.js'
import { Scene } from './stage/owner-under-attack.js'

const makers = new ForgedHardware(aClock().now())
const chip = toHex(fakeChipId('genoa'))
const otherChip = 'c2'.repeat(64)

const begin = (houseRules: Partial<HouseRules> = {}): Promise<Scene> =>
  Scene.begin({
    yaml: (text) => withForgedEntries(makers, text).replace('12-20 }', '12-20, revokers: [south] }'),
    appraisal: { verifiers: makers.verifiers, gpus: makers.gpus, collateral: makers },
    houseRules,
  })

type By = 'north' | 'south' | 'lab'

async function revoke(scene: Scene, subject: Revocation['subject'], by: By = 'south'): Promise<void> {
  const party = scene.parties[by]
  const from = scene.clock.iso()
  const fields = { contract: scene.contract.id, subject, from, reason: 'its key is out' }
  scene.coordinator.recordOfContract('revocation', await party.sign(revocationKind, fields), party.thumbprint)
}

/** Renews as the daemon's timer does; answers whether a Renewal was signed. */
async function renews(scene: Scene, before: (scene: Scene) => Promise<void>): Promise<boolean> {
  const { agent } = scene
  const contractNow = async () => {
    await followLog(agent)
    return await verifyActiveContract(agent, await agent.client.contract(scene.contract.id))
  }
  const contract = await contractNow()
  const run = await verifyRun(contract, await agent.client.run(scene.asked.request.id), 'live')
  let timer = (): Promise<void> => Promise.reject(new Error('no timer'))
  const leases = new Leases(agent, contractNow, (_, action) => {
    timer = action
    return () => undefined
  })
  leases.keep(contract, run)
  await before(scene)
  await timer()
  return scene.coordinator.ofType('renewal').length > 0
}

const steps: readonly [string, number, (scene: Scene, machine: ForgedMachine) => Promise<unknown>][] = [
  ['before the Accept', 0, (scene, machine) => scene.toOffer(offeredBy(machine))],
  ['between Accept and Spend', 0, (scene, machine) => scene.toAccepts(offeredBy(machine))],
  ['between Spend and KeyRelease', 1, (scene, machine) => scene.toSpends(offeredBy(machine))],
]

describe('a chip that is revoked while a run is under way gets nothing', () => {
  it.each(steps)('%s', async (_, spends, toStep) => {
    const scene = await begin()
    await toStep(scene, makers.snp())
    await revoke(scene, { kind: 'chip', chip })
    if (spends > 0) scene.coordinator.state = 'collectingReleases'
    const attempt = await scene.attempt()
    expect(attempt.code).toBeNull()
    expect(attempt.rules).toEqual(['enclave.revoked'])
    expect(attempt.said).toContain('revoked by south')
    await expectNothingGiven(scene, spends)
  })

  it('as a renewed lease', async () => {
    const scene = await (await begin()).toReleases(offeredBy(makers.snp()))
    expect(scene.released).toBe(1)
    expect(await renews(scene, (running) => revoke(running, { kind: 'chip', chip }))).toBe(false)
    expect(scene.reports.join()).toContain('lease not renewed')
  })
})

describe('nothing is given', () => {
  it('to a build that is revoked', async () => {
    const scene = await (await begin()).toOffer(offeredBy(makers.snp()))
    await revoke(scene, { kind: 'build', measurement: '3e'.repeat(48) })
    expect((await scene.attempt()).rules).toEqual(['enclave.revoked'])
    await expectNothingGiven(scene)
  })

  it('to a GPU that is revoked, though its CPU is not', async () => {
    const scene = await (await begin()).toOffer(offeredBy(makers.withGpus(makers.gpu())))
    const { fact } = await appraiseOffer(scene.contract, scene.offered ?? expect.fail('no Offer'), {
      ...scene.agent.appraisal,
      now: scene.clock.now(),
      collateralFor: liveCollateral(makers),
    })
    const [device = expect.fail('no GPU')] = fact.gpus
    await revoke(scene, { kind: 'chip', chip: device })
    expect((await scene.attempt()).rules).toEqual(['enclave.revoked'])
    await expectNothingGiven(scene)
  })

  it('to hardware that does not show its chip, where any is revoked', async () => {
    const hidden = makers.snp(({ report }) => {
      report.set([2], snpField.keyInfo)
    })
    const scene = await (await begin()).toOffer(offeredBy(hidden))
    await revoke(scene, { kind: 'chip', chip: otherChip })
    expect((await scene.attempt()).rules.length).toBeGreaterThan(0)
    await expectNothingGiven(scene)
  })

  it('to a chip on the owner’s own deny-list', async () => {
    const scene = await (await begin({ denyChips: [chip] })).toOffer(offeredBy(makers.snp()))
    expect((await scene.attempt()).rules).toEqual(['enclave.revoked'])
    await expectNothingGiven(scene)
  })

  it('where the log has a Revocation that the coordinator does not show', async () => {
    const scene = await (await begin()).toReleases(offeredBy(makers.snp()))
    const hide = async (running: Scene) => {
      await revoke(running, { kind: 'chip', chip })
      running.coordinator.contractStatements.pop()
    }
    expect(await renews(scene, hide)).toBe(false)
    expect(scene.reports.join()).toContain('every act that the log names')
  })
})

describe('a run goes on', () => {
  it.each<[string, Revocation['subject'], By]>([
    ['where another chip is revoked', { kind: 'chip', chip: otherChip }, 'south'],
    ['where somebody who is no revoker says so', { kind: 'chip', chip }, 'lab'],
  ])('%s', async (_, subject, by) => {
    const scene = await (await begin()).toReleases(offeredBy(makers.snp()))
    expect(scene.released).toBe(1)
    expect(await renews(scene, (running) => revoke(running, subject, by))).toBe(true)
  })
})
