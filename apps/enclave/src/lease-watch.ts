/**
 * Goes on with a run only as long as every owner lets it. While data is open the run is followed for Renewals; when a lease runs out,
 * whether it was not renewed or its Renewal was withheld, the work is stopped where it stands.
 */
import { CodedError } from '#libs/canonical'
import { EnclaveError } from './errors.js'
import type { FollowedRun } from './followed-run.js'
import type { Leases } from './leases.js'
import type { RoundRecord } from './round-record.js'
import type { Sleep } from './time-grid.js'

export class LeaseWatch {
  private taken = 0

  constructor(
    private readonly run: FollowedRun,
    private readonly record: RoundRecord,
    private readonly leases: Leases,
    private readonly sleep: Sleep,
  ) {}

  /**
   * Takes what has come, then refuses where a lease has run out.
   * @throws EnclaveError `LEASE_LOST`; the codes of what is verified.
   */
  async check(): Promise<void> {
    await this.record.absorb(this.run.view.statements)
    for (const renewal of this.record.renewals.slice(this.taken)) this.leases.renew(renewal)
    this.taken = this.record.renewals.length
    this.leases.check()
  }

  /** How long nothing has to be looked at: no lease runs out before. */
  secondsLeft(): number {
    return this.leases.secondsLeft()
  }

  /** Does work under watch. `stop` fires when the work may not go on; its result is then thrown away. */
  async during<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    const lost = new Promise<never>((_resolve, reject) => {
      this.follow(stop.signal).catch(reject)
    })
    try {
      return await Promise.race([work(stop.signal), lost])
    } finally {
      stop.abort()
    }
  }

  private async follow(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.check()
      this.run.expectRound(this.record.place.round)
      await this.turn()
    }
  }

  // A coordinator that does not answer stops nobody; leases that nobody renews do.
  private async turn(): Promise<void> {
    try {
      await this.run.turn(turnSeconds)
    } catch (error) {
      if (error instanceof EnclaveError || !(error instanceof CodedError)) throw error
      await this.sleep(pauseMilliseconds)
    }
  }
}

const turnSeconds = 5
const pauseMilliseconds = 1000
