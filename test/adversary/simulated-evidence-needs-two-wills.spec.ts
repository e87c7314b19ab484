import { describe, expect, it } from 'vitest'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { measurement, simulatorKey } from './stage/offer-of.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 5: `simulated` needs a contract with no other kind, the simulator's key in it, and house rules that allow it. */
describe('simulated evidence', () => {
  it('is refused by an owner whose house rules do not allow it', async () => {
    const scene = await (await Scene.begin({ houseRules: { allowSimulated: false } })).toOffer()
    const attempt = await scene.attempt()
    expect(attempt.rules).toEqual(['simulated.allowed'])
    expect(attempt.said).toContain('north')
    await expectNothingGiven(scene)
  })

  it('is refused beside another kind of enclave before anyone signs such a contract', async () => {
    const simulated = `  - { tee: simulated, key: "${simulatorKey.thumbprint}", measurement: ["${measurement}"], maximumAgeSeconds: 300 }`
    const genuine = `  - { tee: sev-snp, measurement: ["${'ab'.repeat(48)}"], minimumTcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 }, maximumAgeSeconds: 300, generations: [genoa] }`
    const mixed = Scene.begin({ yaml: (text) => text.replace(simulated, `${simulated}\n${genuine}`) })
    await expect(mixed).rejects.toThrow('no simulated enclave beside real ones')
  })

  it('is refused where it claims to be of another kind', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const made = await scene.offer()
    scene.coordinator.lies = {
      run: (view) => ({
        ...view,
        statements: view.statements.map((one) =>
          one.id === made.evidence.id ? { ...one, statement: one.statement.replace('.', '.x') } : one,
        ),
      }),
    }
    expect((await scene.attempt()).code).not.toBeNull()
    await expectNothingGiven(scene)
  })

  it('is named as simulated in the agent’s own report of what it released', async () => {
    const scene = await (await Scene.begin()).toReleases()
    const released = scene.reports.map((line) => JSON.parse(line) as { what: string; simulated?: boolean })
    expect(released.find(({ what }) => what === 'keys released')?.simulated).toBe(true)
  })
})
