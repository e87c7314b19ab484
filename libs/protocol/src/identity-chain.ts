/**
 * Which keys speak for a party: a chain of Identity statements from the first to the newest, all under one consent key.
 * Guards: that every link is signed by the consent key and names the one before. Says nothing about whether the consent
 * key is the right one; people compare its fingerprint and pin it.
 */
import {
  thumbprintOf,
  unverifiedStatement,
  verifyStatement,
  type Digest,
  type PublicKey,
  type StatementKind,
  type StatementType,
  type Thumbprint,
  type Verified,
} from '#libs/canonical'
import { ProtocolError } from './errors.js'
import { identityKind, identitySchema, type Identity } from './statements/identity.js'
import { statementRules } from './statements/kinds.js'

/** A party's Identities, oldest first, verified link by link. */
export interface IdentityChain {
  readonly thumbprint: Thumbprint
  readonly links: readonly Verified<Identity>[]
  readonly newest: Verified<Identity>
}

/**
 * Verifies a chain of Identities of the party with this consent key.
 * @throws ProtocolError `IDENTITY_INVALID`; CanonicalError where a link is not what it claims.
 */
export async function verifyIdentityChain(
  statements: readonly string[],
  thumbprint: Thumbprint,
): Promise<IdentityChain> {
  const links: Verified<Identity>[] = []
  for (const jws of statements) links.push(await verifyLink(jws, thumbprint, links.at(-1)))
  const newest = links.at(-1)
  if (newest === undefined)
    throw new ProtocolError('IDENTITY_INVALID', `no Identity of ${thumbprint} was given`)
  return { thumbprint, links, newest }
}

async function verifyLink(jws: string, thumbprint: Thumbprint, previous: Verified<Identity> | undefined) {
  const claimed = identitySchema.safeParse(unverifiedStatement(jws).payload)
  if (!claimed.success)
    throw new ProtocolError('IDENTITY_INVALID', `an Identity of ${thumbprint} does not meet its schema`)
  const { consentKey, recoveryKey, sequence, previous: named } = claimed.data
  if (recoveryKey !== null || thumbprintOf(consentKey) !== thumbprint)
    throw new ProtocolError(
      'IDENTITY_INVALID',
      `an Identity under consent key ${thumbprintOf(consentKey)} is not of ${thumbprint}; rotating a consent key needs a new contract`,
    )
  const link = await verifyStatement(identityKind, jws, consentKey)
  if (link.payload.by !== thumbprint)
    throw new ProtocolError(
      'IDENTITY_INVALID',
      `Identity says it is by ${link.payload.by}, expected ${thumbprint}`,
    )
  if (sequence !== (previous?.payload.sequence ?? 0) + 1 || named !== (previous?.id ?? null))
    throw new ProtocolError(
      'IDENTITY_INVALID',
      `Identity ${sequence} of ${thumbprint} does not follow number ${previous?.payload.sequence ?? 0}`,
    )
  return link
}

/**
 * Refuses a chain that is not an extension of what was known: an older or another one is somebody's trick.
 * @throws ProtocolError `IDENTITY_OLDER`.
 */
export function expectExtension(known: readonly Digest[], chain: IdentityChain): void {
  const differs = known.findIndex((id, index) => chain.links[index]?.id !== id)
  if (differs !== -1)
    throw new ProtocolError(
      'IDENTITY_OLDER',
      `Identity ${differs + 1} of ${chain.thumbprint} was known as ${known[differs] ?? ''}; seen ${chain.links[differs]?.id ?? 'none'}`,
    )
}

/**
 * The public key with which a party makes statements of a type under one of its Identities.
 * @throws ProtocolError `IDENTITY_INVALID` where the act is not delegated, or is not a party's.
 */
export function partyKey(identity: Identity, type: StatementType): PublicKey {
  const rule = statementRules[type].authority
  if (rule.key === 'consent' || rule.key === 'identity') return identity.consentKey
  if (rule.key === 'daemon' && identity.delegations.includes(rule.act)) return identity.daemonKey
  throw new ProtocolError('IDENTITY_INVALID', `${type} is not delegated to the daemon key of ${identity.by}`)
}

/**
 * Verifies a party's statement: `by` is the party, the key is the one its Identities name for this act. With
 * `newestOnly` only the newest Identity counts, as for every act that is still to have an effect.
 * @throws ProtocolError `IDENTITY_INVALID`; CanonicalError.
 */
export async function verifyPartyStatement<P extends { readonly by: string }>(
  kind: StatementKind<P>,
  jws: string,
  chain: IdentityChain,
  options: { readonly newestOnly: boolean },
): Promise<Verified<P>> {
  const { kid } = unverifiedStatement(jws)
  const candidates = options.newestOnly ? [chain.newest] : chain.links.toReversed()
  const identity = candidates.find(({ payload }) => thumbprintOf(keyOrConsent(payload, kind.type)) === kid)
  if (identity === undefined)
    throw new ProtocolError(
      'IDENTITY_INVALID',
      `${kind.type} is signed by ${kid}, which is no key of ${chain.thumbprint}`,
    )
  const statement = await verifyStatement(kind, jws, partyKey(identity.payload, kind.type))
  if (statement.payload.by !== chain.thumbprint)
    throw new ProtocolError(
      'IDENTITY_INVALID',
      `${kind.type} says it is by ${statement.payload.by}, signed by ${chain.thumbprint}`,
    )
  return statement
}

function keyOrConsent(identity: Identity, type: StatementType): PublicKey {
  return statementRules[type].authority.key === 'daemon' ? identity.daemonKey : identity.consentKey
}
