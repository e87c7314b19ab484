/** Seats: single-use invitations of the operator's. A seat gives no trust; it only keeps strangers from filling the log. */
import { Injectable } from '@nestjs/common'
import { bodyDigest } from '#libs/protocol'
import { utf8 } from '#libs/canonical'
import { CoordinatorError } from '../errors.js'
import type { StoredInvitation } from '../storage/rows.js'

@Injectable()
export class InvitationBook {
  private readonly open = new Map<string, StoredInvitation>()

  apply(invitation: StoredInvitation): void {
    if (invitation.usedBy === null) this.open.set(invitation.secretDigest, invitation)
    else this.open.delete(invitation.secretDigest)
  }

  /**
   * The invitation behind a secret, still unused.
   * @throws CoordinatorError `INVITATION_INVALID`.
   */
  find(secret: string | undefined, now: number): StoredInvitation {
    const invitation = secret === undefined ? undefined : this.open.get(invitationDigest(secret))
    if (invitation === undefined || Date.parse(invitation.expiresAt) < now)
      throw new CoordinatorError(
        'INVITATION_INVALID',
        secret === undefined
          ? 'a first Identity needs an invitation; ask the operator for one'
          : 'the invitation is unknown, used or expired; ask the operator for another',
      )
    return invitation
  }
}

/** Only this is kept of an invitation's secret. */
export function invitationDigest(secret: string): string {
  return bodyDigest(utf8(secret))
}
