/**
 * When results and failures leave. Grid points count from the last KeyRelease, so that the moment of leaving tells the number of
 * points only, whatever the data made of the time between.
 */
import type { EnclaveClock } from './enclave-clock.js'

/** Resolves after so many milliseconds of the enclave's own count. */
export type Sleep = (milliseconds: number) => Promise<void>

/** The moment of the last KeyRelease: by the enclave's own count, and as a time. */
export interface Beginning {
  readonly mark: number
  readonly time: number
}

export class TimeGrid {
  constructor(
    private readonly clock: EnclaveClock,
    private readonly beginning: Beginning,
    private readonly stepMilliseconds: number,
    private readonly sleep: Sleep,
  ) {}

  /** The enclave's time at the last KeyRelease. */
  get startedAt(): string {
    return new Date(this.beginning.time).toISOString()
  }

  /** Waits for the next grid point that is still to come, and names its time. */
  async nextPoint(): Promise<string> {
    const point = (Math.floor(this.elapsed() / this.stepMilliseconds) + 1) * this.stepMilliseconds
    // A timer may fire a moment early; whoever left before the point would tell that moment.
    while (this.elapsed() < point) await this.sleep(point - this.elapsed())
    return new Date(this.beginning.time + point).toISOString()
  }

  private elapsed(): number {
    return this.clock.elapsed(this.beginning.mark)
  }
}
