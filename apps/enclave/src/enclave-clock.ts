/**
 * The only time that the enclave goes by: the latest that a data owner of the run has signed, and its own count since.
 * Guards: that the host's clock, set back or ahead, changes nothing. Says nothing about an owner whose own clock is ahead: it can end a
 * run early, which it can in other ways too.
 */
import { EnclaveError } from './errors.js'

/** Milliseconds that only grow, from any start. */
export type Monotonic = () => number

export class EnclaveClock {
  private signed: { readonly time: number; readonly heardAt: number } | null = null

  constructor(private readonly monotonic: Monotonic) {}

  /** Takes a time signed by a data owner. The caller has verified who signed it. Older ones change nothing. */
  hear(signedTime: string | number): void {
    const time = typeof signedTime === 'number' ? signedTime : Date.parse(signedTime)
    if (this.signed === null || time > this.now()) this.signed = { time, heardAt: this.monotonic() }
  }

  /**
   * Milliseconds since 1970.
   * @throws EnclaveError `ASSIGNMENT_INVALID` where no data owner has signed a time yet: there is no other clock to go by.
   */
  now(): number {
    if (this.signed === null)
      throw new EnclaveError('ASSIGNMENT_INVALID', 'no data owner has signed a time yet')
    return this.signed.time + this.elapsed(this.signed.heardAt)
  }

  /** The mark from which {@link elapsed} counts. */
  mark(): number {
    return this.monotonic()
  }

  /** Whole milliseconds since a mark, by the enclave's own count. */
  elapsed(mark: number): number {
    return Math.max(0, Math.floor(this.monotonic() - mark))
  }
}
