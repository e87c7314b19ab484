/** Records who a party is: a first Identity by invitation, later ones as links of the same chain. */
import { Injectable } from '@nestjs/common'
import { thumbprintOf } from '#libs/canonical'
import { identitySchema, verifyIdentityChain, type Recorded } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import { KeyDirectory } from '../http/key-directory.js'
import { Ledger } from '../ledger/ledger.js'
import { IdentityBook } from '../parties/identity-book.js'
import { InvitationBook } from '../parties/invitation-book.js'
import type { PostedStatement } from './statement-context.js'

@Injectable()
export class RecordIdentity {
  constructor(
    private readonly ledger: Ledger,
    private readonly identities: IdentityBook,
    private readonly invitations: InvitationBook,
    private readonly keys: KeyDirectory,
  ) {}

  async record(posted: PostedStatement): Promise<Recorded> {
    await this.expectOwnRequest(posted)
    return await this.ledger.write(async (draft) => {
      const known = this.identities.has(posted.by) ? this.identities.statements(posted.by) : []
      const again = known.find(({ jws }) => jws === posted.jws)
      if (again !== undefined) return { id: again.id, digest: again.digest, index: again.leafIndex }
      const { newest } = await verifyIdentityChain([...known.map(({ jws }) => jws), posted.jws], posted.by)
      this.expectFreshKeys(
        posted.by,
        thumbprintOf(newest.payload.daemonKey),
        thumbprintOf(newest.payload.consentKey),
      )
      if (known.length === 0)
        draft.add('invitations', {
          ...this.invitations.find(posted.invitation, draft.now),
          usedBy: posted.by,
        })
      const recorded = draft.record({
        statement: newest,
        type: 'identity',
        by: posted.by,
        contract: null,
        run: null,
        leaf: { signer: null, run: null },
      })
      draft.event({ kind: 'identity', party: posted.by })
      return recorded
    })
  }

  // Whoever nobody knows yet signs the request by the daemon key that its Identity names: the seat goes to its maker.
  private async expectOwnRequest({ caller, payload, by }: PostedStatement): Promise<void> {
    const claimed = identitySchema.safeParse(payload)
    if (!claimed.success)
      throw new CoordinatorError('REQUEST_MALFORMED', 'the Identity does not meet its schema')
    if (caller.kind === 'party' && caller.thumbprint === by) return
    if (caller.kind !== 'newcomer' || thumbprintOf(claimed.data.daemonKey) !== caller.thumbprint)
      throw new CoordinatorError(
        'STATEMENT_NOT_BY_CALLER',
        'an Identity is brought by its own party, in a request signed by its daemon key',
      )
    await caller.prove(claimed.data.daemonKey)
  }

  // Two parties under one key could not be told apart; one party with one key for both has no consent of people.
  private expectFreshKeys(party: string, daemon: string, consent: string): void {
    const owner = this.keys.find(daemon)
    if (daemon === consent || (owner !== undefined && owner.thumbprint !== party))
      throw new CoordinatorError(
        'STATEMENT_CONFLICT',
        'the daemon key is in use already, as a consent key or by somebody else; make a fresh one',
      )
  }
}
