/** Wakes long polls within this process when a run or the pool of workers changed. */
import { Injectable } from '@nestjs/common'

/** Waiting polls at one time; more are answered at once, with nothing new. */
const maximumWaiting = 10_000

@Injectable()
export class ChangeSignal {
  private readonly waiting = new Map<string, Set<() => void>>()
  private count = 0
  private closed = false

  get isClosed(): boolean {
    return this.closed
  }

  notify(topic: string): void {
    for (const wake of [...(this.waiting.get(topic) ?? [])]) wake()
  }

  /** Resolves when the topic is notified, after the time, or when the caller went away. */
  async wait(topic: string, milliseconds: number, gone?: AbortSignal): Promise<void> {
    if (this.closed || this.count >= maximumWaiting || milliseconds <= 0 || gone?.aborted === true) return
    this.count++
    await new Promise<void>((resolve) => {
      const wakers = this.waiting.get(topic) ?? new Set()
      const wake = () => {
        clearTimeout(timer)
        gone?.removeEventListener('abort', wake)
        wakers.delete(wake)
        if (wakers.size === 0) this.waiting.delete(topic)
        this.count--
        resolve()
      }
      const timer = setTimeout(wake, milliseconds)
      gone?.addEventListener('abort', wake, { once: true })
      this.waiting.set(topic, wakers.add(wake))
    })
  }

  /** Answers everyone who waits, so that a stopping server need not wait for them. */
  close(): void {
    this.closed = true
    for (const wakers of [...this.waiting.values()]) for (const wake of [...wakers]) wake()
  }
}
