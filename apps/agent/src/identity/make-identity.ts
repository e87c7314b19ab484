/** An Identity: which keys speak for this party from now on, signed by its consent key. */
import { saltFrom, signStatement, type PublicKey, type SigningKey, type Verified } from '#libs/canonical'
import type { SealingPublicKey } from '#libs/envelope'
import { delegableActs, identityKind, type Identity } from '#libs/protocol'

export interface IdentityKeys {
  readonly name: string
  readonly log: string
  readonly daemonKey: PublicKey
  readonly sealingKey: SealingPublicKey
  /** thumbprint of the offline recovery key */
  readonly recovery: string
}

/** Signs an Identity that follows `previous`, or the first one. */
export async function makeIdentity(
  consent: SigningKey,
  keys: IdentityKeys,
  previous: Verified<Identity> | null,
  surroundings: { readonly now: () => number; readonly randomBytes: (length: number) => Uint8Array },
): Promise<Verified<Identity>> {
  return await signStatement(
    identityKind,
    {
      type: 'identity',
      by: consent.thumbprint,
      log: keys.log,
      issuedAt: new Date(surroundings.now()).toISOString(),
      salt: saltFrom(surroundings.randomBytes),
      name: keys.name,
      consentKey: consent.publicKey,
      daemonKey: keys.daemonKey,
      sealingKey: keys.sealingKey,
      recovery: keys.recovery,
      recoveryKey: null,
      delegations: [...delegableActs],
      sequence: (previous?.payload.sequence ?? 0) + 1,
      previous: previous?.id ?? null,
    },
    consent,
  )
}
