import { beforeAll, describe, expect, it } from 'vitest'
import { signStatement } from '#libs/canonical'
import { aParty, renewed, type Party } from '#libs/testing'
import { expectExtension, partyKey, verifyIdentityChain, verifyPartyStatement } from './identity-chain.js'
import { identityKind, type Identity } from './statements/identity.js'
import { statementRules } from './statements/kinds.js'
import { withdrawalKind } from './statements/contract-acts.js'
import { approvalKind } from './statements/run-request.js'

let party: Party
let newer: Party
let stranger: Party

beforeAll(async () => {
  party = await aParty('party')
  newer = await renewed(party)
  stranger = await aParty('stranger')
})

const withdrawal = {
  contract: 'ab'.repeat(32),
  dataset: 'd',
  manifest: null,
  from: '2026-11-23T12:00:00.000Z',
  reason: '',
}
const approval = {
  contract: 'ab'.repeat(32),
  run: 'cd'.repeat(32),
  release: null,
  expiresAt: '2026-11-24T12:00:00.000Z',
}

describe('verifyIdentityChain', () => {
  it('follows a party from its first Identity to its newest', async () => {
    const chain = await verifyIdentityChain(newer.chain, party.thumbprint)
    expect(chain.links.map(({ payload }) => payload.sequence)).toEqual([1, 2])
    expect(chain.newest.id).toBe(newer.identity.id)
  })

  const wrong: readonly [what: string, chain: () => readonly string[]][] = [
    ['no Identity', () => []],
    ['a chain without its first Identity', () => newer.chain.slice(1)],
    ['the order turned round', () => newer.chain.toReversed()],
    ['an Identity twice', () => [...party.chain, ...party.chain]],
    ['the Identity of a stranger', () => stranger.chain],
    ['a stranger’s Identity at its end', () => [...party.chain, ...stranger.chain]],
  ]
  it.each(wrong)('refuses %s', async (_what, chain) => {
    await expect(verifyIdentityChain(chain(), party.thumbprint)).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
  })

  const changes: readonly [what: string, change: Partial<Identity>][] = [
    ['number 3', { sequence: 3 }],
    ['another predecessor', { previous: 'ab'.repeat(32) }],
    ['no predecessor', { previous: null }],
  ]
  it.each(changes)('refuses a second Identity with %s', async (_what, change) => {
    const { jws } = await signStatement(identityKind, { ...newer.identity.payload, ...change }, party.consent)
    await expect(verifyIdentityChain([...party.chain, jws], party.thumbprint)).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
  })

  it('refuses an Identity that the daemon key signed, or that says another is its author', async () => {
    const byDaemon = await signStatement(identityKind, newer.identity.payload, party.daemon)
    await expect(verifyIdentityChain([...party.chain, byDaemon.jws], party.thumbprint)).rejects.toBeDefined()
    const payload = { ...newer.identity.payload, by: stranger.thumbprint }
    const byAnother = await signStatement(identityKind, payload, party.consent)
    await expect(
      verifyIdentityChain([...party.chain, byAnother.jws], party.thumbprint),
    ).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
  })
})

describe('expectExtension', () => {
  it('takes the same and a longer chain, and refuses an older or another one', async () => {
    const [older, longer] = [
      await verifyIdentityChain(party.chain, party.thumbprint),
      await verifyIdentityChain(newer.chain, party.thumbprint),
    ]
    const ids = longer.links.map(({ id }) => id)
    expect(() => {
      expectExtension([], older)
      expectExtension(ids.slice(0, 1), longer)
      expectExtension(ids, longer)
    }).not.toThrow()
    expect(() => {
      expectExtension(ids, older)
    }).toThrow(expect.objectContaining({ code: 'IDENTITY_OLDER' }))
    expect(() => {
      expectExtension(['ab'.repeat(32)], longer)
    }).toThrow(expect.objectContaining({ code: 'IDENTITY_OLDER' }))
  })
})

describe('verifyPartyStatement', () => {
  it('takes what the key that the rules name has signed', async () => {
    const chain = await verifyIdentityChain(party.chain, party.thumbprint)
    const { jws } = await party.sign(withdrawalKind, withdrawal)
    await expect(
      verifyPartyStatement(withdrawalKind, jws, chain, { newestOnly: true }),
    ).resolves.toBeDefined()
  })

  it('takes an older daemon key for history only', async () => {
    const chain = await verifyIdentityChain(newer.chain, party.thumbprint)
    const { jws } = await party.sign(withdrawalKind, withdrawal)
    await expect(
      verifyPartyStatement(withdrawalKind, jws, chain, { newestOnly: false }),
    ).resolves.toBeDefined()
    await expect(
      verifyPartyStatement(withdrawalKind, jws, chain, { newestOnly: true }),
    ).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
  })

  it('refuses a person’s act by the daemon key, and the daemon’s by a stranger', async () => {
    const chain = await verifyIdentityChain(party.chain, party.thumbprint)
    const { payload } = await party.sign(approvalKind, approval)
    const forged = await signStatement(approvalKind, payload, party.daemon)
    const foreign = await stranger.sign(withdrawalKind, withdrawal, { by: party.thumbprint })
    for (const [kind, jws] of [
      [approvalKind, forged.jws],
      [withdrawalKind, foreign.jws],
    ] as const)
      await expect(
        verifyPartyStatement<{ by: string }>(kind as never, jws, chain, { newestOnly: false }),
      ).rejects.toMatchObject({ code: 'IDENTITY_INVALID' })
  })

  it('refuses a party that signs in another’s name', async () => {
    const chain = await verifyIdentityChain(party.chain, party.thumbprint)
    const { jws } = await party.sign(withdrawalKind, withdrawal, { by: stranger.thumbprint })
    await expect(
      verifyPartyStatement(withdrawalKind, jws, chain, { newestOnly: true }),
    ).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
  })

  it('refuses an act that the consent key has not delegated', async () => {
    const narrow = await aParty('narrow', { delegations: ['requests'] })
    const chain = await verifyIdentityChain(narrow.chain, narrow.thumbprint)
    const { jws } = await narrow.sign(withdrawalKind, withdrawal)
    await expect(
      verifyPartyStatement(withdrawalKind, jws, chain, { newestOnly: true }),
    ).rejects.toMatchObject({
      code: 'IDENTITY_INVALID',
    })
    for (const [type, { authority }] of Object.entries(statementRules))
      if (authority.key === 'receipt' || authority.key === 'coordinator')
        expect(() => partyKey(narrow.identity.payload, type as 'offer')).toThrow(
          expect.objectContaining({ code: 'IDENTITY_INVALID' }),
        )
  })
})
