/** A party as an honest agent plays it, without the agent's judgement: real keys, real signatures, junk where only others could open. */
import { randomBytes } from 'node:crypto'
import {
  digest,
  domains,
  saltFrom,
  signingKeyFromSeed,
  signStatement,
  toBase64url,
  type SigningKey,
  type StatementKind,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import { CoordinatorClient, type Connection } from '#libs/client'
import { contractKind, type ContractPayload, type ContractTerms } from '#libs/contract'
import { delegableActs, identityKind, manifestKind, type Identity, type Manifest } from '#libs/protocol'
import { cosign, parseNote, formatNote, verifySignedCheckpoint } from '#libs/translog'
import { uploadBytes } from './upload.js'

export type Wire = Omit<Connection, 'key'>

/** Junk of the right shape: the coordinator opens nothing. */
export const junkSealedKey = () => ({
  encapsulated: toBase64url(randomBytes(1120)),
  ciphertext: toBase64url(randomBytes(48)),
})
export const junkSealingKey = () => ({
  suite: 'xwing-hkdf-sha256-aes256gcm' as const,
  publicKey: toBase64url(randomBytes(1216)),
})

export interface TestParty {
  readonly label: string
  readonly consent: SigningKey
  readonly daemon: SigningKey
  readonly thumbprint: string
  readonly wire: Wire
  readonly client: CoordinatorClient
  readonly identity: () => Verified<Identity>
  /** Fields that every statement of this party begins with. */
  readonly own: <T extends StatementType>(
    type: T,
  ) => { type: T; by: string; log: string; issuedAt: string; salt: string }
  readonly sign: <P>(kind: StatementKind<P>, payload: P, key?: SigningKey) => Promise<Verified<P>>
  readonly join: (invitation?: string) => Promise<void>
  readonly makeIdentity: (change?: Partial<Identity>) => Promise<Verified<Identity>>
  readonly propose: (terms: ContractTerms) => Promise<string>
  readonly signContract: (jws: string) => Promise<string>
  readonly seal: (
    contract: string,
    dataset: string,
    change?: Partial<Manifest>,
  ) => Promise<Verified<Manifest>>
  readonly cosignNewest: () => Promise<number>
}

export async function makeParty(label: string, wire: Wire, daemonKey?: SigningKey): Promise<TestParty> {
  const consent = await signingKeyFromSeed(randomBytes(32))
  const daemon = daemonKey ?? (await signingKeyFromSeed(randomBytes(32)))
  const client = new CoordinatorClient({ ...wire, key: daemon })
  let identity: Verified<Identity> | null = null
  const known = () => {
    if (identity === null) throw new RangeError(`${label} has not joined`)
    return identity
  }
  const own: TestParty['own'] = (type) => ({
    type,
    by: consent.thumbprint,
    log: wire.origin,
    issuedAt: new Date(wire.now()).toISOString(),
    salt: saltFrom((length) => new Uint8Array(randomBytes(length))),
  })
  const party: TestParty = {
    label,
    consent,
    daemon,
    thumbprint: consent.thumbprint,
    wire,
    client,
    identity: known,
    own,
    sign: (kind, payload, key = daemon) => signStatement(kind, payload, key),
    makeIdentity: (change = {}) =>
      signStatement(
        identityKind,
        {
          ...own('identity'),
          name: label,
          consentKey: consent.publicKey,
          daemonKey: daemon.publicKey,
          sealingKey: junkSealingKey(),
          recovery: consent.thumbprint,
          recoveryKey: null,
          delegations: [...delegableActs],
          sequence: 1,
          previous: null,
          ...change,
        },
        consent,
      ),
    join: async (invitation) => {
      identity = await party.makeIdentity()
      await client.record(identity.jws, invitation === undefined ? {} : { invitation })
    },
    propose: async (terms) => {
      const payload: ContractPayload = { ...own('contract'), type: 'contract', terms }
      const statement = await signStatement(contractKind, payload, consent)
      await client.record(statement.jws)
      return statement.id
    },
    signContract: async (id) => {
      const { statements } = await client.contract(id)
      const [first] = statements.filter(({ type }) => type === 'contract')
      const payload = JSON.parse(
        Buffer.from(first?.statement.split('.')[1] ?? '', 'base64url').toString(),
      ) as ContractPayload
      const statement = await signStatement(contractKind, payload, consent)
      await client.record(statement.jws)
      return statement.id
    },
    seal: async (contract, dataset, change = {}) => {
      const bytes = new Uint8Array(randomBytes(3000))
      const ciphertextDigest = digest(domains.ciphertext, bytes)
      await uploadBytes(client.connection, bytes)
      const payload: Manifest = {
        ...own('manifest'),
        contract,
        dataset,
        sequence: 1,
        previous: null,
        kind: 'table',
        columns: [{ name: 'id', type: 'string', nullable: false }],
        unit: 'id',
        version: toBase64url(randomBytes(16)),
        segments: [{ name: 'id', columns: ['id'], ciphertextDigest, size: bytes.length }],
        ...change,
      }
      const manifest = await signStatement(manifestKind, payload, daemon)
      await client.record(manifest.jws)
      return manifest
    },
    cosignNewest: async () => {
      const checkpoint = await client.checkpoint()
      const signed = await verifySignedCheckpoint(checkpoint.note, {
        origin: wire.origin,
        key: await logKeyOf(wire),
      })
      const name = `${wire.origin}/witness/${consent.thumbprint}`
      const line = await cosign(signed, { name, key: daemon, timeSeconds: Math.floor(wire.now() / 1000) })
      const body = parseNote(checkpoint.note).body
      await client.cosign({
        size: checkpoint.size,
        root: checkpoint.root,
        line: formatNote({ body, signatures: [line] }).slice(body.length + 1),
      })
      return checkpoint.size
    },
  }
  return party
}

async function logKeyOf(wire: Wire) {
  const response = await fetch(`${wire.url}/v1/log`)
  return ((await response.json()) as { logKey: { kty: 'OKP'; crv: 'Ed25519'; x: string } }).logKey
}
