/** Who the parties are: their chains of Identities, and so the keys by which they sign requests. */
import { Injectable } from '@nestjs/common'
import {
  thumbprintOf,
  unverifiedStatement,
  type Digest,
  type StatementType,
  type Thumbprint,
} from '#libs/canonical'
import {
  identitySchema,
  partyKey,
  ProtocolError,
  verifyIdentityChain,
  type Identity,
  type IdentityChain,
} from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { KeyDirectory } from '../http/key-directory.js'
import type { StoredStatement } from '../storage/rows.js'

interface Links {
  readonly stored: StoredStatement[]
  newest: { readonly id: Digest; readonly identity: Identity }
  chain: Promise<IdentityChain> | null
}

@Injectable()
export class IdentityBook {
  private readonly parties = new Map<Thumbprint, Links>()

  constructor(private readonly keys: KeyDirectory) {}

  /** Takes up a recorded Identity; it was verified before it was recorded. */
  apply(stored: StoredStatement): void {
    const identity = identitySchema.parse(unverifiedStatement(stored.jws).payload)
    const links = this.parties.get(stored.signer)
    const newest = { id: stored.id, identity }
    if (links === undefined) this.parties.set(stored.signer, { stored: [stored], newest, chain: null })
    else {
      links.stored.push(stored)
      links.newest = newest
      links.chain = null
    }
    const delegated = identity.delegations.includes('requests')
    this.keys.setParty(stored.signer, thumbprintOf(identity.daemonKey), delegated ? identity.daemonKey : null)
  }

  has(party: Thumbprint): boolean {
    return this.parties.has(party)
  }

  /** @throws CoordinatorError `PARTY_UNKNOWN`. */
  newest(party: Thumbprint): Identity {
    return this.get(party).newest.identity
  }

  /** The newest Identity of a party, or the one that was newest before a position. */
  newestId(party: Thumbprint, before = Infinity): Digest | undefined {
    return this.parties.get(party)?.stored.findLast(({ position }) => position < before)?.id
  }

  /**
   * Checks that a party's newest Identity names the key of its statement for such an act. Statements of enclaves and of the
   * coordinator, whose keys no Identity names, pass; an Identity answers for itself.
   * @throws ProtocolError `IDENTITY_INVALID`.
   */
  expectSigner(signer: Thumbprint, kid: Thumbprint, type: StatementType): void {
    if (type === 'identity' || !this.parties.has(signer)) return
    if (thumbprintOf(partyKey(this.newest(signer), type)) !== kid)
      throw new ProtocolError(
        'IDENTITY_INVALID',
        `${type} is signed by ${kid}, which is no key of the newest Identity of ${signer}; sign it anew`,
      )
  }

  /** The verified chain of a party; verified once for as long as it does not grow. */
  async chain(party: Thumbprint): Promise<IdentityChain> {
    const links = this.get(party)
    links.chain ??= verifyIdentityChain(
      links.stored.map(({ jws }) => jws),
      party,
    )
    return await links.chain
  }

  statements(party: Thumbprint): readonly StoredStatement[] {
    return this.get(party).stored
  }

  all(): readonly Thumbprint[] {
    return [...this.parties.keys()]
  }

  private get(party: Thumbprint): Links {
    const links = this.parties.get(party)
    if (links === undefined)
      throw new CoordinatorError('PARTY_UNKNOWN', `no Identity of ${party} is recorded here`)
    return links
  }
}
