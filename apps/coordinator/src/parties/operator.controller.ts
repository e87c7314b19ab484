import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import type { z } from 'zod'
import { toBase64url } from '#libs/canonical'
import { postInvitationSchema } from '#libs/protocol'
import { Serves } from '../http/caller.js'
import { Ledger } from '../ledger/ledger.js'
import { Randomness } from '../randomness.js'
import { invitationDigest } from './invitation-book.js'

/** What the operator may do: give seats. It has no say in any contract and sees no data. */
@Serves('operator')
@Controller('v1/operator')
export class OperatorController {
  constructor(
    private readonly ledger: Ledger,
    private readonly randomness: Randomness,
  ) {}

  @Post('invitations')
  @HttpCode(200)
  async invite(
    @Body({ schema: postInvitationSchema }) { label, validHours }: z.infer<typeof postInvitationSchema>,
  ): Promise<object> {
    const invitation = toBase64url(this.randomness.bytes(24))
    const expiresAt = await this.ledger.write((draft) => {
      const until = new Date(draft.now + validHours * 3_600_000).toISOString()
      draft.add('invitations', {
        secretDigest: invitationDigest(invitation),
        label,
        expiresAt: until,
        usedBy: null,
      })
      return until
    })
    return { invitation, expiresAt }
  }
}
