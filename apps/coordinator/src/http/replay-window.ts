/**
 * Which tokens were used. In memory for all; those of requests that change something are kept with the change itself, so
 * that a restart in between forgets none.
 */
import { Injectable } from '@nestjs/common'
import { requestWindowMilliseconds } from '#libs/protocol'
import { CoordinatorError } from '../errors.js'
import type { UsedToken } from '../storage/rows.js'

/** More used tokens than this at one time means an attack or a fault; further requests are refused until some are too old. */
const maximumHeld = 1_000_000

@Injectable()
export class ReplayWindow {
  private readonly used = new Map<string, number>()
  private pending: UsedToken[] = []
  private nextSweep = 0

  restore(tokens: readonly UsedToken[]): void {
    for (const { jti, expiresAt } of tokens) this.used.set(jti, Date.parse(expiresAt))
  }

  /**
   * Uses a token, once.
   * @throws CoordinatorError `TOKEN_REPLAYED`, `REQUESTS_TOO_MANY`.
   */
  use(
    kid: string,
    claims: { readonly jti: string; readonly iat: number },
    durable: boolean,
    now: number,
  ): void {
    this.sweep(now)
    const jti = `${kid}.${claims.jti}`
    if (this.used.has(jti))
      throw new CoordinatorError(
        'TOKEN_REPLAYED',
        'this request token was used before; sign each request anew',
      )
    if (this.used.size >= maximumHeld)
      throw new CoordinatorError('REQUESTS_TOO_MANY', 'too many requests within the replay window')
    // Tokens are accepted up to the window before and after their time; one from the future stays usable for longest.
    const expiresAt = claims.iat + 2 * requestWindowMilliseconds
    this.used.set(jti, expiresAt)
    if (durable) this.pending.push({ jti, expiresAt: new Date(expiresAt).toISOString() })
  }

  /** Tokens that must be kept with the next change. */
  takePending(): readonly UsedToken[] {
    const taken = this.pending
    this.pending = []
    return taken
  }

  hasPending(): boolean {
    return this.pending.length > 0
  }

  private sweep(now: number): void {
    if (now < this.nextSweep) return
    this.nextSweep = now + requestWindowMilliseconds
    for (const [jti, expiresAt] of this.used) if (expiresAt < now) this.used.delete(jti)
  }
}
