import { describe, expect, it } from 'vitest'
import { payloadBytes, signingKeyFromSeed } from '#libs/canonical'
import { generateSealingKeyPair } from '#libs/envelope'
import { identityKind } from '#libs/protocol'
import { seededBytes } from '#libs/testing'
import { expectNothingGiven } from './stage/expect-nothing-given.js'
import { offerOf, otherMeasurement, simulatorKey, type OfferOptions } from './stage/offer-of.js'
import { Scene } from './stage/owner-under-attack.js'

/** Invariant 2: keys go only to an enclave key whose evidence the owner verified itself, for this run, round and contract. */
type Attack = (scene: Scene) => Promise<Partial<OfferOptions>> | Partial<OfferOptions>

const refused: readonly [what: string, attack: Attack, rule: string, said: RegExp][] = [
  [
    'the HPKE key is swapped under genuine evidence',
    async (scene) => {
      const genuine = await offerOf({
        contract: scene.contract,
        view: scene.coordinator.runView(),
        clock: scene.clock,
      })
      return { seed: 'thief', evidenceFor: () => payloadBytes(genuine.offer) }
    },
    'enclave.appraised',
    /reportData/i,
  ],
  [
    'another program runs in the enclave and says so',
    () => ({ report: { measurement: otherMeasurement }, change: { build: build(otherMeasurement) } }),
    'enclave.appraised',
    /measurement/,
  ],
  [
    'another program runs in the enclave and the Offer hides it',
    () => ({ report: { measurement: otherMeasurement } }),
    'enclave.appraised',
    /measurement/,
  ],
  [
    'the Offer states another build than its evidence',
    () => ({ change: { build: build(otherMeasurement) } }),
    'enclave.appraised',
    /measurement/,
  ],
  [
    'a simulator vouches that the contract does not name',
    async () => ({ simulator: await signingKeyFromSeed(seededBytes('another simulator')(32)) }),
    'enclave.appraised',
    /key/,
  ],
  [
    'the evidence is older than the contract allows',
    ({ clock }) => ({ report: { issuedAt: clock.now() - 301_000 } }),
    'enclave.appraised',
    /age|issued|second/i,
  ],
  [
    'the evidence is from the future',
    ({ clock }) => ({ report: { issuedAt: clock.now() + 3_600_000 } }),
    'enclave.appraised',
    /./,
  ],
  [
    'an entry of the contract is claimed that it does not have',
    () => ({ change: { enclave: 1 } }),
    'enclave.listed',
    /entry/,
  ],
  [
    'the Offer has expired',
    ({ clock }) => ({ change: { expiresAt: clock.iso(0) } }),
    'offer.unexpired',
    /expired/,
  ],
  ['the Offer is one of two workers', () => ({ change: { places: 2 } }), 'offer.forRun', /place/],
  [
    'evidence of a GPU is slipped in that the contract does not mention',
    () => ({ change: { gpuEvidence: ['ab'.repeat(32)] } }),
    'enclave.appraised',
    /GPU/,
  ],
  [
    'strangers hold shares',
    ({ parties }) => ({ change: { shareHolders: [parties.lab.thumbprint] } }),
    'offer.forRun',
    /share/,
  ],
  [
    'the owner’s nonce is an old one',
    ({ parties, coordinator }) => ({
      change: { nonces: { ...southsNonce(coordinator), [parties.north.thumbprint]: 'A'.repeat(43) } },
    }),
    'offer.ownNonce',
    /nonce/,
  ],
  [
    'the owner’s nonce stands under another owner’s name',
    async (scene) => {
      const { offer } = await offerOf({
        contract: scene.contract,
        view: scene.coordinator.runView(),
        clock: scene.clock,
      })
      const { north, south } = scene.parties
      const { [north.thumbprint]: own = '', [south.thumbprint]: other = '' } = offer.payload.nonces
      return { change: { nonces: { [north.thumbprint]: other, [south.thumbprint]: own } } }
    },
    'offer.ownNonce',
    /nonce/,
  ],
  [
    'nonces of strangers are added',
    async (scene) => {
      const { offer } = await offerOf({
        contract: scene.contract,
        view: scene.coordinator.runView(),
        clock: scene.clock,
      })
      const nonces = { ...offer.payload.nonces, [scene.parties.lab.thumbprint]: 'A'.repeat(43) }
      return { change: { nonces } }
    },
    'offer.nonces',
    /nonces/,
  ],
  [
    'a recipient’s Identity is left out',
    async (scene) => {
      const { offer } = await offerOf({
        contract: scene.contract,
        view: scene.coordinator.runView(),
        clock: scene.clock,
      })
      const { [scene.parties.lab.thumbprint]: left, ...identities } = offer.payload.identities
      expect(left).toBeDefined()
      return { change: { identities } }
    },
    'offer.parties',
    /Identities/,
  ],
]

describe('a coordinator that swaps the enclave’s key, or the enclave', () => {
  it.each(refused)('gets nothing when %s', async (_what, attack, rule, said) => {
    const scene = await (await Scene.begin()).toNonces()
    await scene.offer(await attack(scene))
    const attempt = await scene.attempt()
    expect(attempt.rules).toContain(rule)
    expect(attempt.said).toMatch(said)
    expect(scene.refusals()).toHaveLength(1)
    await expectNothingGiven(scene)
  })

  it('gets nothing with an Offer that names a recipient’s older Identity, whose key was taken out of use', async () => {
    const scene = await (await Scene.begin()).toNonces()
    const { lab } = scene.parties
    const { payload, id } = lab.identity
    const { publicKey: sealingKey } = await generateSealingKeyPair(lab.randomBytes)
    const newer = await lab.sign(identityKind, { ...payload, sealingKey, sequence: 2, previous: id })
    scene.log.append('identity', newer, { secret: null, signer: lab.thumbprint, run: null })
    scene.coordinator.identities = scene.coordinator.identities.map((chain) =>
      chain.thumbprint === lab.thumbprint
        ? { ...chain, statements: [...chain.statements, newer.jws] }
        : chain,
    )
    await scene.offer()
    const attempt = await scene.attempt()
    expect(attempt.rules).toContain('offer.identities')
    expect(attempt.said).toContain('lab')
    await expectNothingGiven(scene)
  })

  const unverified: readonly [what: string, lie: (scene: Scene) => Promise<void> | void, code: RegExp][] = [
    [
      'the HPKE key is changed in the signed Offer',
      async (scene) => {
        const thief = await generateSealingKeyPair(seededBytes('thief'))
        const swap = (text: string) =>
          text.replace(
            /"hpkeKey":\{"publicKey":"[^"]+"/,
            `"hpkeKey":{"publicKey":"${thief.publicKey.publicKey}"`,
          )
        scene.coordinator.lies = {
          run: (view) => ({
            ...view,
            statements: view.statements.map((one) =>
              one.type === 'offer' ? { ...one, statement: withPayload(one.statement, swap) } : one,
            ),
          }),
        }
      },
      /SIGNATURE_INVALID|STATEMENT_INVALID|RUN_NOT_VERIFIED/,
    ],
    [
      'the evidence bytes are not those that were signed for',
      (scene) => {
        scene.coordinator.lies = {
          run: (view) => ({
            ...view,
            statements: view.statements.map((one) =>
              one.type === 'evidence' ? { ...one, attachment: 'AAAA' } : one,
            ),
          }),
        }
      },
      /RUN_NOT_VERIFIED/,
    ],
    [
      'the Offer of another run is shown',
      async (scene) => {
        const view = { ...scene.coordinator.runView(), id: 'ab'.repeat(32) }
        const { contract, clock, coordinator } = scene
        const other = await offerOf({ contract, view, clock, seed: 'other run' })
        coordinator.record('offer', other.offer, other.receiptKey.thumbprint)
        coordinator.record('evidence', other.evidence, other.receiptKey.thumbprint, other.evidenceBytes)
      },
      /RUN_NOT_VERIFIED/,
    ],
  ]

  it.each(unverified)('finds nobody who believes it when %s', async (_what, lie, code) => {
    const scene = await (await Scene.begin()).toNonces()
    await scene.offer()
    await lie(scene)
    expect((await scene.attempt()).code).toMatch(code)
    await expectNothingGiven(scene)
  })

  it('gets nothing from an owner that accepted, when the Offers are exchanged before its Spend', async () => {
    const scene = await (await Scene.begin()).toAccepts()
    const { contract, clock, coordinator } = scene
    const second = await offerOf({ contract, view: coordinator.runView(), clock, seed: 'second' })
    const replaced = coordinator.runStatements.filter(({ type }) => type !== 'offer' && type !== 'evidence')
    coordinator.runStatements.splice(0, Infinity, ...replaced)
    coordinator.record('offer', second.offer, second.receiptKey.thumbprint)
    coordinator.record('evidence', second.evidence, second.receiptKey.thumbprint, second.evidenceBytes)
    const attempt = await scene.attempt()
    // The Offer that the log names and nobody shows is reason enough.
    expect(attempt.code).toBe('RUN_NOT_VERIFIED')
    await expectNothingGiven(scene)
  })

  it('gets nothing when evidence grows too old between Accept and release', async () => {
    const scene = await (await Scene.begin()).toAccepts({ change: { expiresAt: '2026-11-23T13:00:00.000Z' } })
    scene.clock.advance(301_000)
    expect((await scene.attempt()).rules).toContain('enclave.appraised')
    await expectNothingGiven(scene)
  })

  it('gets nothing after the Offer’s expiry, however far the run had come', async () => {
    const scene = await (await Scene.begin()).toSpends()
    scene.coordinator.state = 'collectingReleases'
    scene.clock.advance(60_001)
    expect((await scene.attempt()).rules).toContain('offer.unexpired')
    await expectNothingGiven(scene, 1)
  })

  it('knows the contract’s simulator, or these attacks would prove nothing', () => {
    expect(simulatorKey.thumbprint).toHaveLength(43)
  })
})

function build(measured: string) {
  return { name: 'sealroom-enclave', version: '0', measurement: measured }
}

function southsNonce(coordinator: Scene['coordinator']): Record<string, string> {
  const [recorded] = coordinator.runStatements.filter(({ type }) => type === 'nonce').slice(-1)
  const payload = JSON.parse(
    Buffer.from(recorded?.statement.split('.')[1] ?? '', 'base64url').toString(),
  ) as {
    by: string
    nonce: string
  }
  return { [payload.by]: payload.nonce }
}

function withPayload(jws: string, change: (text: string) => string): string {
  const [header, payload = '', signature] = jws.split('.')
  const text = change(Buffer.from(payload, 'base64url').toString())
  return [header, Buffer.from(text).toString('base64url'), signature].join('.')
}
