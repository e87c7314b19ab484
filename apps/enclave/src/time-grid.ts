/**
 * When results and failures leave. Grid points count from the last KeyRelease, so that the moment of leaving tells the number of
 * points only, whatever the data made of the time between.
 */
import type { EnclaveClock } from './enclave-clock.js'

/** Resolves after so many milliseconds of the enclave's own count. */
export type Sleep = (milliseconds: number) => Promise<void>

export class TimeGrid {
  private readonly startMark: number
  /** The enclave's time at the last KeyRelease. */
  readonly startedAt: string
  private readonly startTime: number

  constructor(
    private readonly clock: EnclaveClock,
    private readonly stepMilliseconds: number,
    private readonly sleep: Sleep,
  ) {
    this.startMark = clock.mark()
    this.startTime = clock.now()
    this.startedAt = new Date(this.startTime).toISOString()
  }

  /** Waits for the next grid point that is still to come, and names its time. */
  async nextPoint(): Promise<string> {
    const points = Math.floor(this.elapsed() / this.stepMilliseconds) + 1
    // A timer may fire a moment early; whoever left before the point would tell that moment.
    for (let left = points * this.stepMilliseconds - this.elapsed(); left > 0; ) {
      await this.sleep(left)
      left = points * this.stepMilliseconds - this.elapsed()
    }
    return new Date(this.startTime + points * this.stepMilliseconds).toISOString()
  }

  private elapsed(): number {
    return this.clock.elapsed(this.startMark)
  }
}
