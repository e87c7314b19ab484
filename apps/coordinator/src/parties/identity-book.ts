/** Who the parties are: their chains of Identities, and so the keys by which they sign requests. */
import { Injectable } from '@nestjs/common'
import { unverifiedStatement, type Digest, type Thumbprint } from '#libs/canonical'
import { identitySchema, verifyIdentityChain, type Identity, type IdentityChain } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { KeyDirectory } from '../http/key-directory.js'
import { thumbprintOf } from '#libs/canonical'
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
