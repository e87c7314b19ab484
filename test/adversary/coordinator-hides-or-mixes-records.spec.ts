import { describe, expect, it } from 'vitest'
import type { StatementType } from '#libs/canonical'
import {
  approvalKind,
  denialKind,
  refusalKind,
  revocationKind,
  spendKind,
  withdrawalKind,
  type RunView,
} from '#libs/protocol'
import { approvalOf } from '#libs/testing'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 6: the log names every act, so an act that is not shown is noticed, and so is one that does not belong. */
const without = (type: StatementType, last = false) => ({
  run: (view: RunView): RunView => {
    const hidden = view.statements.filter((one) => one.type === type)
    const victims = last ? hidden.slice(-1) : hidden
    return { ...view, statements: view.statements.filter((one) => !victims.includes(one)) }
  },
})

describe('a coordinator that hides what was recorded', () => {
  it('gets nothing when it hides a Denial', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { south } = scene.parties
    const denial = await south.sign(denialKind, {
      ...ofRun(scene),
      release: null,
      expiresAt: scene.clock.iso(3_600_000),
      reason: 'no',
    })
    scene.coordinator.record('denial', denial, south.thumbprint)
    scene.coordinator.lies = without('denial')
    const attempt = await scene.attempt()
    expect(attempt).toMatchObject({ code: 'RUN_NOT_VERIFIED' })
    expect(attempt.said).toContain('denial')
    await expectNothingGiven(scene)
  })

  it('gets nothing when it hides another owner’s Refusal', async () => {
    const scene = await (await Scene.begin()).toSpends()
    const { south } = scene.parties
    const reasons = [{ rule: 'owner.consent', expected: 'a', seen: 'b', who: 'c', text: 'no' }]
    const refusal = await south.sign(refusalKind, { ...ofRun(scene), round: 1, step: 'release', reasons })
    scene.coordinator.record('refusal', refusal, south.thumbprint)
    scene.coordinator.lies = without('refusal')
    expect(await scene.attempt()).toMatchObject({ code: 'RUN_NOT_VERIFIED' })
    await expectNothingGiven(scene, 1)
  })

  it('gets nothing when it hides that another owner withdrew its data', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { south } = scene.parties
    const withdrawal = await south.sign(withdrawalKind, {
      contract: scene.contract.id,
      dataset: 'values',
      manifest: null,
      from: scene.clock.iso(),
      reason: 'enough',
    })
    scene.coordinator.recordOfContract('withdrawal', withdrawal, south.thumbprint)
    scene.coordinator.lies = {
      contract: (view) => ({
        ...view,
        statements: view.statements.filter(({ type }) => type !== 'withdrawal'),
      }),
    }
    const attempt = await scene.attempt()
    expect(attempt.code).toBe('CONTRACT_NOT_VERIFIED')
    expect(attempt.said).toContain('withdrawal')
    await expectNothingGiven(scene)
  })

  it('gets nothing when it shows that withdrawal, either', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { south } = scene.parties
    const fields = {
      contract: scene.contract.id,
      dataset: 'values',
      manifest: null,
      from: scene.clock.iso(),
      reason: '',
    }
    scene.coordinator.recordOfContract(
      'withdrawal',
      await south.sign(withdrawalKind, fields),
      south.thumbprint,
    )
    expect((await scene.attempt()).rules).toContain('inputs.withdrawn')
    await expectNothingGiven(scene)
  })

  it('gets nothing when it hides that the contract was ended', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { south } = scene.parties
    const revocation = await south.sign(revocationKind, {
      contract: scene.contract.id,
      subject: { kind: 'contract' },
      from: scene.clock.iso(),
      reason: 'enough',
    })
    scene.coordinator.recordOfContract('revocation', revocation, south.thumbprint)
    scene.coordinator.lies = {
      contract: (view) => ({
        ...view,
        statements: view.statements.filter(({ type }) => type !== 'revocation'),
      }),
    }
    expect((await scene.attempt()).code).toBe('CONTRACT_NOT_VERIFIED')
    await expectNothingGiven(scene)
  })

  it('gets nothing when it hides a newer version of an input', async () => {
    const scene = await (await Scene.begin()).toNonces()
    scene.coordinator.lies = {
      contract: (view) => ({
        ...view,
        statements: view.statements.filter(({ type }) => type !== 'manifest'),
      }),
    }
    expect((await scene.attempt()).code).toBe('CONTRACT_NOT_VERIFIED')
    await expectNothingGiven(scene)
  })
})

type Mix = (scene: Scene) => Promise<void>

/** Each puts a statement into the run that is not of it, or not by whom it must be. */
const foreign: readonly [what: string, mix: Mix, code: RegExp][] = [
  [
    'an Approval of another run',
    async (scene) => {
      const { south } = scene.parties
      show(scene, 'approval', await approvalOf(south, scene.asked.request, { run: 'ab'.repeat(32) }))
    },
    /RUN_NOT_VERIFIED/,
  ],
  [
    'an Approval under another contract',
    async (scene) => {
      const { south } = scene.parties
      show(scene, 'approval', await approvalOf(south, scene.asked.request, { contract: 'ab'.repeat(32) }))
    },
    /RUN_NOT_VERIFIED/,
  ],
  [
    'a Spend of another run of the same contract',
    async (scene) => {
      const { south } = scene.parties
      const amounts = { runs: 1, rows: 0, epsilonMicro: 0, deltaPico: 0 }
      const fields = {
        contract: scene.contract.id,
        run: 'ab'.repeat(32),
        dataset: 'values',
        amounts,
        sequence: 1,
        total: amounts,
        previous: null,
      }
      show(scene, 'spend', await south.sign(spendKind, fields))
    },
    /RUN_NOT_VERIFIED/,
  ],
  [
    'an Approval whose signature is another statement’s',
    async (scene) => {
      const { south } = scene.parties
      const [one, two] = await Promise.all([1, 2].map(() => approvalOf(south, scene.asked.request)))
      if (one === undefined || two === undefined) throw new Error('no Approval')
      const [header, payload] = one.jws.split('.')
      show(scene, 'approval', { ...one, jws: [header, payload, two.jws.split('.')[2]].join('.') })
    },
    /SIGNATURE_INVALID/,
  ],
  [
    'a statement for another log',
    async (scene) => {
      const { south } = scene.parties
      const payload = { ...ofRun(scene), release: null, expiresAt: scene.clock.iso(3_600_000) }
      show(scene, 'approval', await south.sign(approvalKind, payload, { log: 'another.log/1' }))
    },
    /RUN_NOT_VERIFIED/,
  ],
]

describe('a coordinator that mixes in what is not of the run', () => {
  it.each(foreign)('gets nothing with %s', async (_what, mix, code) => {
    const scene = await (await Scene.begin()).toAccepts()
    await mix(scene)
    expect((await scene.attempt()).code).toMatch(code)
    await expectNothingGiven(scene)
  })

  it('gets nothing for a run of the same id whose request is another one', async () => {
    const scene = await Scene.begin()
    const other = await Scene.begin({ change: { purpose: 'Another.' } })
    const [request] = other.coordinator.runStatements
    if (request === undefined) throw new Error('no request')
    scene.coordinator.lies = {
      run: (view) => ({ ...view, statements: [request, ...view.statements.slice(1)] }),
    }
    expect((await scene.attempt()).code).toBe('RUN_NOT_VERIFIED')
    await expectNothingGiven(scene)
  })

  it('gets nothing for a sealed part that is not the one that the request names', async () => {
    const scene = await Scene.begin()
    scene.coordinator.lies = {
      run: (view) => ({
        ...view,
        statements: view.statements.map((one) =>
          one.type === 'run-request' ? { ...one, attachment: 'AAAA' } : one,
        ),
      }),
    }
    expect((await scene.attempt()).code).toBe('RUN_NOT_VERIFIED')
    await expectNothingGiven(scene)
  })
})

/** Shown as part of the run, and not in the log. */
function show(
  scene: Scene,
  type: StatementType,
  { id, digest, jws }: { id: string; digest: string; jws: string },
): void {
  scene.coordinator.runStatements.push({ type, id, digest, index: null, statement: jws, attachment: null })
}

function ofRun({ contract, asked }: Scene): { contract: string; run: string } {
  return { contract: contract.id, run: asked.request.id }
}
