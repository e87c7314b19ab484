/** The ledger's queue as a test sees it: how many acts wait, and a turn that is held until the test lets go. */
import type { Ledger } from '../ledger/ledger.js'

export class QueuedActs {
  private count = 0
  private wake: () => void = () => undefined

  constructor(private readonly ledger: Ledger) {
    const write = ledger.write.bind(ledger)
    ledger.write = (plan) => {
      const turn = write(plan)
      this.counted()
      return turn
    }
  }

  /**
   * Holds the ledger's turn until all of what `begin` begins waits for it, one act each, and answers how each ended. None of
   * them can then have seen what another one changes before its own turn.
   */
  async together<T>(begin: readonly (() => Promise<T>)[]): Promise<PromiseSettledResult<T>[]> {
    await this.ledger.drained()
    let letGo: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const held = this.ledger.write(() => gate)
    this.count = 0
    const begun = begin.map((act) => act())
    // What is refused before it comes to the queue is not to be waited for.
    for (const one of begun) one.catch(this.counted)
    await this.waiting(begun.length)
    letGo()
    await held
    return await Promise.allSettled(begun)
  }

  private readonly counted = (): void => {
    this.count++
    this.wake()
  }

  /** Resolves once so many acts have come to the queue. */
  private async waiting(expected: number): Promise<void> {
    while (this.count < expected)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
  }
}
