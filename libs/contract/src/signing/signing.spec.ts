import { beforeAll, describe, expect, it } from 'vitest'
import {
  canonicalBytes,
  signingKeyFromSeed,
  signStatement,
  toBase64url,
  utf8,
  type StatementKind,
} from '#libs/canonical'
import { ContractError, type ContractErrorCode } from '../errors.js'
import {
  examplePayload,
  exampleSignatures,
  exampleSigners,
  pinnedKeys,
  signedExample,
  type ExampleSigners,
} from '../signed-example.js'
import { contractKind, type ContractPayload } from './contract-statement.js'
import {
  activate,
  advance,
  contractState,
  proposedStanding,
  verifyAmendment,
  type RecordedActivation,
} from './lifecycle.js'
import { parseContract, verifySignature, verifySignatures, type SignedContract } from './verify-signatures.js'

let signers: ExampleSigners
let payload: ContractPayload
let signatures: string[]
let contract: SignedContract

beforeAll(async () => {
  signers = await exampleSigners()
  payload = examplePayload(signers)
  signatures = await exampleSignatures(signers, payload)
  contract = await signedExample(signers)
})

const anything: StatementKind<unknown> = { type: 'contract', parse: (value) => value }

async function codeOf(attempt: () => unknown): Promise<ContractErrorCode | undefined> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(ContractError)
    return (error as ContractError).code
  }
}

describe('verifySignatures', () => {
  it('accepts one signature of each signatory, in any order', async () => {
    const signed = await verifySignatures(
      canonicalBytes(payload),
      [...signatures].reverse(),
      pinnedKeys(signers),
    )
    expect(signed.id).toBe(contract.id)
    expect(signed.signatures.map((signature) => signature.kid)).toEqual(
      ['north', 'south', 'insurer', 'lab'].map((party) => signers[party as 'lab'].thumbprint),
    )
  })

  const forms: readonly [string, ContractErrorCode, () => string[] | Promise<string[]>][] = [
    ['no signature at all', 'SIGNATURE_MISSING', () => []],
    ['a signature missing', 'SIGNATURE_MISSING', () => signatures.slice(1)],
    ['a signature twice', 'SIGNATURE_DUPLICATE', () => [...signatures.slice(0, 3), signatures[0]!]],
    ['all and one twice', 'SIGNATURE_DUPLICATE', () => [...signatures, signatures[0]!]],
    [
      'a party that is no signatory',
      'SIGNATURE_UNEXPECTED',
      async () => [...signatures, await jwsBy('regulator')],
    ],
    [
      'the coordinator',
      'SIGNATURE_UNEXPECTED',
      async () => [...signatures.slice(0, 3), await jwsBy('coordinator')],
    ],
    ['very many signatures', 'SIGNATURE_UNEXPECTED', () => Array.from({ length: 9 }, () => signatures[0]!)],
    [
      'another payload',
      'SIGNATURE_PAYLOAD_DIFFERS',
      async () => [
        ...signatures.slice(0, 3),
        (await signStatement(contractKind, { ...payload, salt: 'E'.repeat(42) + 'A' }, signers.lab)).jws,
      ],
    ],
    [
      'another signature under the same header',
      'SIGNATURE_INVALID',
      () => [
        ...signatures.slice(0, 3),
        `${signatures[3]!.split('.').slice(0, 2).join('.')}.${signatures[2]!.split('.')[2]!}`,
      ],
    ],
    [
      'a kid of another signatory',
      'SIGNATURE_INVALID',
      () => [
        ...signatures.slice(0, 3),
        [signatures[3]!.split('.')[0], ...signatures[2]!.split('.').slice(1)].join('.'),
      ],
    ],
    [
      'a header with another member',
      'SIGNATURE_INVALID',
      () => [...signatures.slice(0, 3), withHeader({ crit: [] })],
    ],
    ['no statement', 'SIGNATURE_INVALID', () => ['a.b.c']],
    ['an empty text', 'SIGNATURE_INVALID', () => ['']],
  ]

  it.each(forms)('refuses %s', async (_what, code, make) => {
    const given = await make()
    expect(await codeOf(() => verifySignatures(canonicalBytes(payload), given, pinnedKeys(signers)))).toBe(
      code,
    )
  })

  async function jwsBy(party: 'regulator' | 'coordinator'): Promise<string> {
    return (await signStatement(contractKind, payload, signers[party])).jws
  }

  function withHeader(more: object): string {
    const [, body = '', signature = ''] = signatures[3]!.split('.')
    const header = { alg: 'Ed25519', kid: signers.lab.thumbprint, typ: 'sealroom-contract-v1+jws', ...more }
    return `${toBase64url(canonicalBytes(header))}.${body}.${signature}`
  }

  it('refuses a key that is not pinned', async () => {
    const keys = new Map(pinnedKeys(signers))
    keys.delete(signers.lab.thumbprint)
    expect(await codeOf(() => verifySignatures(canonicalBytes(payload), signatures, keys))).toBe(
      'SIGNATURE_KEY_UNKNOWN',
    )
  })

  it('refuses a pinned key that is not the one of its thumbprint', async () => {
    const stranger = await signingKeyFromSeed(new Uint8Array(32).fill(99))
    const keys = new Map(pinnedKeys(signers)).set(signers.lab.thumbprint, stranger.publicKey)
    expect(await codeOf(() => verifySignatures(canonicalBytes(payload), signatures, keys))).toBe(
      'SIGNATURE_KEY_UNKNOWN',
    )
  })

  it('verifies one signature of a proposal that is not yet signed by all', async () => {
    const proposal = parseContract(canonicalBytes(payload))
    expect((await verifySignature(proposal, signatures[2]!, pinnedKeys(signers))).kid).toBe(
      signers.insurer.thumbprint,
    )
  })
})

describe('parseContract', () => {
  const cases: readonly [string, ContractErrorCode, () => unknown][] = [
    [
      'a proposer that does not sign',
      'PAYLOAD_INVALID',
      () => ({ ...payload, by: signers.regulator.thumbprint }),
    ],
    ['another log than the terms name', 'PAYLOAD_INVALID', () => ({ ...payload, log: 'log.example.org/2' })],
    ['a member too many', 'PAYLOAD_INVALID', () => ({ ...payload, note: 'x' })],
    ['no salt', 'PAYLOAD_INVALID', () => ({ ...payload, salt: '' })],
    ['another type', 'PAYLOAD_INVALID', () => ({ ...payload, type: 'manifest' })],
    [
      'a time in another spelling',
      'PAYLOAD_INVALID',
      () => ({ ...payload, issuedAt: '2026-11-02T09:00:00Z' }),
    ],
    [
      'terms that leave out a default',
      'TERMS_INVALID',
      () => ({ ...payload, terms: { ...payload.terms, runs: {}, datasets: {} } }),
    ],
    [
      'terms in another spelling',
      'TERMS_NOT_CANONICAL',
      () => ({ ...payload, terms: { ...payload.terms, runs: {} } }),
    ],
    ['a list', 'PAYLOAD_INVALID', () => []],
  ]

  it.each(cases)('refuses %s', async (_what, code, make) => {
    expect(await codeOf(() => parseContract(canonicalBytes(make())))).toBe(code)
    const jws = await signStatement(anything, make(), signers.north).catch(() => undefined)
    if (jws !== undefined)
      expect(
        await codeOf(() => verifySignatures(canonicalBytes(make()), [jws.jws], pinnedKeys(signers))),
      ).toBe(code)
  })

  it('refuses bytes that are no canonical JSON', async () => {
    expect(await codeOf(() => parseContract(utf8(JSON.stringify(payload, null, 1))))).toBe('PAYLOAD_INVALID')
    expect(await codeOf(() => parseContract(Uint8Array.of(0xff)))).toBe('PAYLOAD_INVALID')
  })
})

describe('activate', () => {
  const activation = (): RecordedActivation => ({
    by: signers.coordinator.thumbprint,
    contract: contract.id,
    signatures: contract.signatures.map((signature) => ({
      signatory: signature.kid,
      statement: signature.digest,
    })),
    recordedAt: Date.parse('2026-11-20T23:59:59.999Z'),
  })

  it('accepts an Activation by the contract’s coordinator up to the last instant of the last day', () => {
    expect(activate(contract, activation()).activatedAt).toBe(Date.parse('2026-11-20T23:59:59.999Z'))
  })

  it.each<[string, (a: RecordedActivation) => RecordedActivation, ContractErrorCode]>([
    ['by somebody else', (a) => ({ ...a, by: signers.north.thumbprint }), 'ACTIVATION_INVALID'],
    ['of another contract', (a) => ({ ...a, contract: '0'.repeat(64) }), 'ACTIVATION_INVALID'],
    ['with a signature left out', (a) => ({ ...a, signatures: a.signatures.slice(1) }), 'ACTIVATION_INVALID'],
    [
      'with a signature twice',
      (a) => ({ ...a, signatures: [...a.signatures.slice(1), a.signatures[1]!] }),
      'ACTIVATION_INVALID',
    ],
    [
      'with a signature too many',
      (a) => ({ ...a, signatures: [...a.signatures, a.signatures[0]!] }),
      'ACTIVATION_INVALID',
    ],
    [
      'with another statement',
      (a) => ({ ...a, signatures: a.signatures.map((s) => ({ ...s, statement: '0'.repeat(64) })) }),
      'ACTIVATION_INVALID',
    ],
    ['that came too late', (a) => ({ ...a, recordedAt: a.recordedAt + 1 }), 'ACTIVATION_LATE'],
    ['without a time', (a) => ({ ...a, recordedAt: NaN }), 'ACTIVATION_LATE'],
  ])('refuses an Activation %s', async (_what, change, code) => {
    expect(await codeOf(() => activate(contract, change(activation())))).toBe(code)
  })
})

describe('contractState', () => {
  const at = (time: string) => Date.parse(time)
  const active = advance(proposedStanding, { type: 'activated', at: at('2026-11-02T00:00:00.000Z') })
  const during = at('2026-11-23T10:00:00.000Z')

  it('follows the course of a contract', () => {
    const state = (signed: number, standing = proposedStanding, now = at('2026-11-10T00:00:00.000Z')) =>
      contractState(contract.terms, signed, standing, now)
    expect(state(3)).toBe('proposed')
    expect(state(4)).toBe('signed')
    expect(state(4, proposedStanding, at('2026-11-21T00:00:00.000Z'))).toBe('lapsed')
    expect(state(4, active, at('2026-10-31T23:59:59.999Z'))).toBe('pending')
    expect(state(4, active, during)).toBe('active')
    expect(state(4, active, at('2027-10-31T23:59:59.999Z'))).toBe('active')
    expect(state(4, active, at('2027-11-01T00:00:00.000Z'))).toBe('expired')
    expect(state(4, advance(active, { type: 'superseded', by: '1'.repeat(64) }), during)).toBe('superseded')
    const ended = advance(active, { type: 'ended', by: signers.north.thumbprint, from: during })
    expect(state(4, ended, during - 1)).toBe('active')
    expect(state(4, ended, during)).toBe('ended')
  })

  it('takes an event twice, keeps the earlier ending, and refuses events that contradict', async () => {
    expect(advance(active, { type: 'activated', at: active.activatedAt! })).toEqual(active)
    const ended = advance(active, { type: 'ended', by: 'a', from: 5 })
    expect(advance(ended, { type: 'ended', by: 'b', from: 9 })).toEqual(ended)
    expect(advance(ended, { type: 'ended', by: 'b', from: 3 }).ended).toEqual({ by: 'b', from: 3 })
    expect(await codeOf(() => advance(active, { type: 'activated', at: 0 }))).toBe('LIFECYCLE_CONFLICT')
    expect(await codeOf(() => advance(proposedStanding, { type: 'superseded', by: 'x' }))).toBe(
      'LIFECYCLE_CONFLICT',
    )
    const superseded = advance(active, { type: 'superseded', by: 'x' })
    expect(await codeOf(() => advance(superseded, { type: 'superseded', by: 'y' }))).toBe(
      'LIFECYCLE_CONFLICT',
    )
  })
})

describe('verifyAmendment', () => {
  const amending = (id: string) => (yaml: string) =>
    yaml.replace('revokers: [north]', `revokers: [north], supersedes: "${id}"`)

  it('accepts an amendment that every signatory of the old contract signed', async () => {
    const next = await signedExample(signers, amending(contract.id))
    expect(() => {
      verifyAmendment(contract, next)
    }).not.toThrow()
  })

  it.each<[string, (yaml: string) => string]>([
    ['names no contract', (yaml) => yaml],
    ['names another contract', amending('0'.repeat(64))],
    ['goes to another log', (yaml) => yaml.replaceAll('log.example.org/1', 'log.example.org/2')],
    ['has another secret', (yaml) => yaml.replace(/secret: "x/, 'secret: "y')],
    [
      'an old signatory did not sign',
      (yaml) => yaml.replace('insurer, lab], proposalExpires', 'insurer], proposalExpires'),
    ],
  ])('refuses an amendment that %s', async (what, change) => {
    const named = what.startsWith('names') ? change : (yaml: string) => change(amending(contract.id)(yaml))
    const next = await signedExample(signers, named)
    expect(
      await codeOf(() => {
        verifyAmendment(contract, next)
      }),
    ).toBe('AMENDMENT_INVALID')
  })
})
