/** A token bucket per caller. Guards the process against one caller; not against many, which is the network's task. */
import { CoordinatorError } from '../errors.js'

interface Bucket {
  tokens: number
  at: number
}

/** More callers than this at one time share what is left: the table must not be what exhausts the process. */
const maximumBuckets = 50_000

export class RateLimit {
  private readonly buckets = new Map<string, Bucket>()

  constructor(private readonly perSecond: number) {}

  /** @throws CoordinatorError `REQUESTS_TOO_MANY`. */
  take(caller: string, now: number): void {
    const burst = this.perSecond * 2
    const bucket = this.buckets.get(caller) ?? { tokens: burst, at: now }
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * this.perSecond) / 1000)
    bucket.at = now
    if (this.buckets.size >= maximumBuckets && !this.buckets.has(caller)) this.forgetFull(burst)
    this.buckets.set(caller, bucket)
    if (bucket.tokens < 1)
      throw new CoordinatorError(
        'REQUESTS_TOO_MANY',
        `more than ${this.perSecond} requests a second; wait and try again`,
      )
    bucket.tokens -= 1
  }

  private forgetFull(burst: number): void {
    for (const [caller, bucket] of this.buckets) if (bucket.tokens >= burst - 1) this.buckets.delete(caller)
    if (this.buckets.size >= maximumBuckets) this.buckets.clear()
  }
}
