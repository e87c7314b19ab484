import fc from 'fast-check'
import { beforeAll, describe, it } from 'vitest'
import { contractKind, parseContract } from '#libs/contract'
import {
  signBytes,
  toBase64url,
  unverifiedStatement,
  utf8,
  verifyStatement,
  type SigningKey,
  type StatementKind,
  type StatementType,
} from '#libs/canonical'
import { statementKinds, verifyIdentityChain, verifyPartyStatement } from '#libs/protocol'
import { expectCodedOnly, mutated, runs } from './coded-only.js'
import { Scene } from '../adversary/stage/owner-under-attack.js'

const each = Math.ceil(runs / 3)
let scene: Scene
/** One honest payload of every type that a run makes before its enclave starts. */
const honest = new Map<string, unknown>()

beforeAll(async () => {
  scene = await (await Scene.begin()).toReleases()
  for (const { statement } of [...scene.coordinator.contractStatements, ...scene.coordinator.runStatements])
    honest.set(unverifiedStatement(statement).type, unverifiedStatement(statement).payload)
  honest.set('identity', scene.parties.north.identity.payload)
})

/** A JWS over any JSON at all, properly signed by a key that the reader trusts. */
async function signedAnyhow(type: string, payload: unknown, key: SigningKey): Promise<string> {
  const header = toBase64url(
    utf8(JSON.stringify({ alg: 'Ed25519', kid: key.thumbprint, typ: `application/sealroom-${type}+jws` })),
  )
  const body = toBase64url(utf8(JSON.stringify(payload)))
  return `${header}.${body}.${toBase64url(await signBytes(key, utf8(`${header}.${body}`)))}`
}

const types = Object.keys(statementKinds) as Exclude<StatementType, 'contract'>[]

describe('every statement type, signed over junk by a trusted key', () => {
  it.each(types)('%s ends in a CodedError or a valid statement', async (type) => {
    const kind = statementKinds[type] as StatementKind<{ readonly by: string }>
    const base = honest.get(type) ?? { ...(honest.get('receipt') ?? honest.get('spend') ?? {}), type }
    const { daemon } = scene.parties.north
    const chain = await verifyIdentityChain(scene.parties.north.chain, scene.parties.north.thumbprint)
    await expectCodedOnly(
      mutated(base),
      async (payload) => {
        const jws = await signedAnyhow(type, payload, daemon)
        await verifyStatement(kind, jws, daemon.publicKey).catch(onlyCoded)
        await verifyPartyStatement(kind, jws, chain, { newestOnly: false })
      },
      each,
    )
  })

  it('contract ends in a CodedError or a valid contract', async () => {
    const { consent } = scene.parties.north
    await expectCodedOnly(mutated(honest.get('contract')), (payload) => {
      parseContract(utf8(JSON.stringify(payload)))
    })
    await expectCodedOnly(
      mutated(honest.get('contract')),
      async (payload) =>
        verifyStatement(contractKind, await signedAnyhow('contract', payload, consent), consent.publicKey),
      each,
    )
  })
})

describe('statements as text', () => {
  it('are refused with a code, whatever stands there', async () => {
    const jws = scene.parties.north.identity.jws
    const texts = fc.oneof(
      fc.string({ maxLength: 200, unit: 'binary' }),
      fc.stringMatching(/^[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}$/),
      fc
        .tuple(fc.nat(jws.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, char]) => jws.slice(0, at) + char + jws.slice(at + 1)),
      fc.nat(jws.length).map((end) => jws.slice(0, end)),
    )
    await expectCodedOnly(texts, (text) => unverifiedStatement(text))
    await expectCodedOnly(texts, (text) =>
      verifyStatement(statementKinds.identity, text, scene.parties.north.consent.publicKey),
    )
  })
})

describe('identity chains', () => {
  it('of mutated, repeated, reordered and foreign links end in a code', async () => {
    const { north, south } = scene.parties
    const links = fc.array(
      fc.oneof(
        fc.constantFrom(...north.chain, ...south.chain),
        fc.string({ maxLength: 100 }),
        mutated(honest.get('identity')).map((payload) => ({ payload })),
      ),
      { maxLength: 4 },
    )
    await expectCodedOnly(
      links,
      async (chosen) => {
        const chain: string[] = []
        for (const link of chosen)
          chain.push(
            typeof link === 'string' ? link : await signedAnyhow('identity', link.payload, north.consent),
          )
        await verifyIdentityChain(chain, north.thumbprint)
      },
      each,
    )
  })
})

function onlyCoded(error: unknown): void {
  if (!(error instanceof Error && 'code' in error)) throw error
}
