import { describe, expect, it } from 'vitest'
import { signingKeyFromSeed, signStatement } from '#libs/canonical'
import { contractKind } from '#libs/contract'
import { activationKind, manifestKind, type ContractView } from '#libs/protocol'
import { aParty, ownFields, renewed, seededBytes } from '#libs/testing'
import { spaces } from '../../apps/agent/src/store/records.js'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 2: a contract binds only as every signatory signed it, with pinned keys, and its Activation in the log. */
type Lie = (view: ContractView, scene: Scene) => Promise<ContractView> | ContractView

const lies: readonly [what: string, lie: Lie, code: RegExp][] = [
  ['half-signed', (view) => ({ ...view, statements: view.statements.toSpliced(1, 1) }), /SIGNATURE_MISSING/],
  [
    'with one signature shown twice in place of another',
    (view) => ({
      ...view,
      statements: [view.statements[0], view.statements[0], ...view.statements.slice(2)].filter(
        (one) => one !== undefined,
      ),
    }),
    /SIGNATURE_/,
  ],
  [
    'with a higher limit in its text',
    (view) => ({
      ...view,
      statements: view.statements.map((one) =>
        one.type === 'contract' ? { ...one, statement: raised(one.statement) } : one,
      ),
    }),
    /CONTRACT_NOT_VERIFIED/,
  ],
  [
    'with a higher limit in its text, and an id that fits it',
    (view, { contract, coordinator }) => {
      expect(coordinator.runView().contract).toBe(contract.id)
      const statements = view.statements.map((one) =>
        one.type === 'contract' ? { ...one, statement: raised(one.statement) } : one,
      )
      return { ...view, id: 'ab'.repeat(32), statements }
    },
    /CONTRACT_NOT_VERIFIED/,
  ],
  [
    'with a signature by the signatory’s daemon key',
    async (view, { contract, parties }) => {
      const [payload] = contract.signatures.map((signature) => signature.payload)
      if (payload === undefined) throw new Error('no payload')
      const forged = await signStatement(contractKind, payload, parties.south.daemon)
      const south = contract.signatures.findIndex(({ kid }) => kid === parties.south.thumbprint)
      return {
        ...view,
        statements: view.statements.map((one, index) =>
          index === south ? { ...one, statement: forged.jws } : one,
        ),
      }
    },
    /SIGNATURE_|SIGNATORY_|IDENTITY_/,
  ],
  [
    'without an Activation',
    (view) => ({ ...view, statements: view.statements.filter(({ type }) => type !== 'activation') }),
    /CONTRACT_NOT_VERIFIED/,
  ],
  [
    'with an Activation that another coordinator signed',
    async (view, scene) => {
      const key = await signingKeyFromSeed(seededBytes('another coordinator')(32))
      const self = { ...scene.parties.north, thumbprint: key.thumbprint }
      const payload = {
        ...scene.contract.activation.payload,
        ...ownFields(self, 'activation'),
        type: 'activation' as const,
      }
      const forged = await signStatement(activationKind, payload, key)
      return {
        ...view,
        statements: view.statements.map((one) =>
          one.type === 'activation' ? { ...one, statement: forged.jws } : one,
        ),
      }
    },
    /SIGNATURE_INVALID|KEY|STATEMENT/,
  ],
  ['with nobody’s Identities', (view) => ({ ...view, identities: [] }), /./],
  [
    'with the Identities of a stranger under a party’s name',
    async (view, { parties, clock }) => {
      const stranger = await aParty('stranger', { clock })
      return {
        ...view,
        identities: view.identities.map((chain) =>
          chain.thumbprint === parties.south.thumbprint
            ? { ...chain, statements: [...stranger.chain] }
            : chain,
        ),
      }
    },
    /IDENTITY_INVALID/,
  ],
  [
    'with a Manifest that a party made for another’s dataset',
    async (view, { parties, versions, log }) => {
      const { payload } = versions.north.manifest
      const forged = await parties.lab.sign(
        manifestKind,
        { ...payload, sequence: 2, previous: versions.north.manifest.id },
        { by: parties.north.thumbprint },
      )
      log.append('manifest', forged, { secret: null, signer: parties.lab.thumbprint, run: null })
      return {
        ...view,
        statements: [
          ...view.statements,
          {
            type: 'manifest',
            id: forged.id,
            digest: forged.digest,
            index: log.size() - 1,
            statement: forged.jws,
            attachment: null,
          },
        ],
      }
    },
    /IDENTITY_INVALID/,
  ],
]

describe('a coordinator that shows a contract', () => {
  it.each(lies)('%s, gets nothing', async (_what, lie, code) => {
    const scene = await Scene.begin()
    const told = await lie(scene.coordinator.contractView(), scene)
    scene.coordinator.lies = { contract: () => told }
    expect((await scene.attempt()).code).toMatch(code)
    expect(scene.coordinator.heard).toEqual([])
    await expectNothingGiven(scene)
  })

  it('whose Activation is not in the log, gets nothing', async () => {
    const scene = await Scene.begin()
    const at = scene.log.indexOf(scene.contract.activation.digest) ?? 0
    scene.coordinator.lies = { log: scene.log.fork(at) }
    const attempt = await scene.attempt()
    expect(attempt.code).toBe('CONTRACT_NOT_VERIFIED')
    expect(attempt.said).toContain('Activation in the log')
    await expectNothingGiven(scene)
  })

  it('whose party nobody here has pinned, gets nothing', async () => {
    const scene = await Scene.begin()
    const { store } = scene.agent
    await store.write(store.remove(spaces.pins, scene.parties.lab.thumbprint))
    const attempt = await scene.attempt()
    expect(attempt.code).toBe('NOT_PINNED')
    expect(attempt.said).toContain('lab')
    await expectNothingGiven(scene)
  })

  it('and an older Identity of a party than it showed before, gets nothing', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const { regulator } = scene.parties
    const newer = await renewed(regulator)
    const shown = scene.coordinator.identities
    scene.coordinator.identities = shown.map((chain) =>
      chain.thumbprint === regulator.thumbprint ? { ...chain, statements: [...newer.chain] } : chain,
    )
    await scene.act()
    scene.coordinator.identities = shown
    expect((await scene.attempt()).code).toBe('IDENTITY_OLDER')
    await expectNothingGiven(scene)
  })
})

function raised(jws: string): string {
  const [header, payload = '', signature] = jws.split('.')
  const text = Buffer.from(payload, 'base64url').toString()
  const altered = text.replace('"limit":2', '"limit":9')
  expect(altered).not.toBe(text)
  return [header, Buffer.from(altered).toString('base64url'), signature].join('.')
}
