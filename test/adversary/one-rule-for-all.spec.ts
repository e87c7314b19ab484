import { describe, expect, it } from 'vitest'
import { acts, rules } from '#libs/contract'
import { spaces } from '../../apps/agent/src/store/records.js'
import { Scene, type SceneOptions } from './stage/owner-under-attack.js'

/**
 * Invariants 8 and 9: a coordinator that admits what the contract forbids finds an owner that decides by the same rules, and
 * says which, what it expected and saw, and who can change it.
 */
const other = 'cd'.repeat(32)
const admitted: readonly [
  what: string,
  options: SceneOptions,
  prepare: (scene: Scene) => Promise<void> | void,
  rule: string,
][] = [
  [
    'a computation that the contract does not have',
    { change: { computation: 'everything' } },
    () => undefined,
    'computation.known',
  ],
  [
    'an expired request',
    { change: { expiresAt: '2026-11-23T11:59:59.999Z' } },
    () => undefined,
    'request.unexpired',
  ],
  [
    'a request after the contract’s end',
    {},
    async (scene) => {
      await scene.act()
      scene.clock.advance(400 * 86_400_000)
    },
    'contract.valid',
  ],
  ['a run over the limit', {}, spentTwice, 'limit.runs'],
]

async function spentTwice({ agent, contract, clock }: Scene): Promise<void> {
  const total = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }
  for (const run of ['01', '02'])
    await agent.store.write(
      agent.store.put(spaces.spends, `${run.repeat(32)}/people`, {
        dataset: 'people',
        computation: 'by_ward',
        contract: contract.id,
        statement: '',
        id: other,
        digest: other,
        sequence: Number(run),
        total,
        at: clock.iso(),
      }),
    )
}

describe('an owner whose coordinator admits', () => {
  it.each(admitted)('%s, refuses by the rule', async (_what, options, prepare, rule) => {
    const scene = await Scene.begin(options)
    await prepare(scene)
    const { rules: named } = await scene.attempt()
    expect(named).toContain(rule)
    const [refusal] = scene.refusals()
    for (const reason of refusal?.payload.reasons ?? []) {
      expect(reason.expected).not.toBe('')
      expect(reason.seen).not.toBe('')
      expect(reason.who).not.toBe('')
      expect(reason.text).toContain(reason.seen)
    }
    expect(scene.coordinator.ofType('nonce')).toEqual([])
    expect(scene.spent + scene.released).toBe(0)
  })

  it('has no rule of a run’s admission that only the coordinator would apply', () => {
    const admission = rules.filter((rule) => rule.acts.includes('admit'))
    expect(admission.length).toBeGreaterThan(5)
    for (const { acts: of } of admission)
      for (const act of ['agree', 'accept', 'spend', 'release'] as const) expect(of).toContain(act)
    expect(acts).toContain('execute')
  })
})
