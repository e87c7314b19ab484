import {
  saltFrom,
  signingKeyFromSeed,
  signStatement,
  type SigningKey,
  type StatementKind,
  type StatementType,
  type Verified,
} from '#libs/canonical'
import { generateSealingKeyPair, type SealingKeyPair } from '#libs/envelope'
import { delegableActs, identityKind, statementRules, type Identity } from '#libs/protocol'
import { aClock, type TestClock } from './clock.js'
import { seededBytes } from './random.js'

/** The origin of the log of these tests. */
export const testOrigin = 'log.test/1'

/** The fields that every statement holds and a party fills by itself. */
export type OwnFields = 'type' | 'by' | 'log' | 'issuedAt' | 'salt'

/** A party with all its keys and a chain of Identities. */
export interface Party {
  readonly label: string
  /** Thumbprint of the consent key: what contracts name. */
  readonly thumbprint: string
  readonly consent: SigningKey
  readonly daemon: SigningKey
  readonly recovery: SigningKey
  readonly sealing: SealingKeyPair
  readonly identity: Verified<Identity>
  /** Identities as JWS, oldest first. */
  readonly chain: readonly string[]
  readonly clock: TestClock
  /** Of the log that its statements are for. */
  readonly origin: string
  readonly randomBytes: (length: number) => Uint8Array<ArrayBuffer>
  /** Signs a statement of its own by the key that the rules name; `overrides` may replace the fields that it fills itself. */
  sign<P extends { readonly by: string }>(
    kind: StatementKind<P>,
    fields: Omit<P, OwnFields>,
    overrides?: Partial<Record<OwnFields, string>>,
  ): Promise<Verified<P>>
}

export interface PartyOptions {
  readonly clock?: TestClock
  readonly origin?: string
  readonly delegations?: Identity['delegations']
}

/** The fields that every statement of a party holds. */
export function ownFields(
  party: Pick<Party, 'thumbprint' | 'origin' | 'clock' | 'randomBytes'>,
  type: StatementType,
) {
  return {
    type,
    by: party.thumbprint,
    log: party.origin,
    issuedAt: party.clock.iso(),
    salt: saltFrom(party.randomBytes),
  }
}

/** A party of this name; the same name gives the same keys. */
export async function aParty(label: string, options: PartyOptions = {}): Promise<Party> {
  const randomBytes = seededBytes(`party/${label}`)
  const keys = {
    consent: await signingKeyFromSeed(randomBytes(32)),
    daemon: await signingKeyFromSeed(randomBytes(32)),
    recovery: await signingKeyFromSeed(randomBytes(32)),
    sealing: await generateSealingKeyPair(randomBytes),
  }
  return await withIdentity({ label, ...keys, chain: [], previous: null, randomBytes }, options)
}

/** The same party after `sealroom identity renew`: new daemon and sealing keys, one Identity more. */
export async function renewed(party: Party, options: PartyOptions = {}): Promise<Party> {
  const { label, consent, recovery, chain, identity: previous, randomBytes } = party
  const daemon = await signingKeyFromSeed(randomBytes(32))
  const sealing = await generateSealingKeyPair(randomBytes)
  const keys = { label, consent, recovery, daemon, sealing, chain, previous, randomBytes }
  return await withIdentity(keys, { clock: party.clock, ...options })
}

type Keys = Pick<Party, 'label' | 'consent' | 'daemon' | 'recovery' | 'sealing' | 'chain' | 'randomBytes'> & {
  readonly previous: Verified<Identity> | null
}

async function withIdentity(keys: Keys, options: PartyOptions): Promise<Party> {
  const { label, consent, daemon, recovery, sealing, randomBytes, previous } = keys
  const clock = options.clock ?? aClock()
  const origin = options.origin ?? testOrigin
  const self = { thumbprint: consent.thumbprint, origin, clock, randomBytes }
  const identity = await signStatement(
    identityKind,
    {
      ...ownFields(self, 'identity'),
      type: 'identity',
      name: label,
      consentKey: consent.publicKey,
      daemonKey: daemon.publicKey,
      sealingKey: sealing.publicKey,
      recovery: recovery.thumbprint,
      recoveryKey: null,
      delegations: options.delegations ?? [...delegableActs],
      sequence: (previous?.payload.sequence ?? 0) + 1,
      previous: previous?.id ?? null,
    },
    consent,
  )
  const sign: Party['sign'] = (kind, fields, overrides = {}) => {
    const key = statementRules[kind.type].authority.key === 'daemon' ? daemon : consent
    const payload: unknown = { ...ownFields(self, kind.type), ...fields, ...overrides }
    // The fields of a payload are the ones given and the ones filled here; TypeScript cannot add up an Omit again.
    return signStatement(kind, payload as ReturnType<typeof kind.parse>, key)
  }
  return {
    ...self,
    label,
    consent,
    daemon,
    recovery,
    sealing,
    identity,
    chain: [...keys.chain, identity.jws],
    sign,
  }
}
