/** The run as the coordinator shows it, followed by one question at a time. Nothing in a view counts before it was verified. */
import { runEndStates, type RunView } from '#libs/protocol'
import { EnclaveError } from './errors.js'
import { limits } from './limits.js'
import type { RunChannel } from './run-channel.js'

export class FollowedRun {
  private asked: Promise<RunView | null> | null = null

  constructor(
    private readonly channel: Pick<RunChannel, 'run'>,
    private current: RunView,
  ) {}

  get view(): RunView {
    return this.current
  }

  /**
   * Asks once whether there is something new; waits for it on the coordinator's side, at most so long.
   * @throws EnclaveError `ASSIGNMENT_INVALID` where the coordinator answers with another run; ClientError.
   */
  async turn(waitSeconds: number = limits.pollSeconds): Promise<void> {
    // A question that is still open is not asked twice: whoever comes second waits for the same answer.
    this.asked ??= this.channel.run(this.current.version, waitSeconds).finally(() => {
      this.asked = null
    })
    const next = await this.asked
    if (next === null || next.version <= this.current.version) return
    if (next.id !== this.current.id || next.contract !== this.current.contract)
      throw new EnclaveError('ASSIGNMENT_INVALID', `asked for run ${this.current.id}, was shown ${next.id}`)
    this.current = next
  }

  /**
   * Follows the run until something is there.
   * @param find - looks at the newest view; null means not yet
   * @param secondsLeft - how long to go on waiting; at zero it gives up and returns null
   * @param lookAgainIn - seconds after which `find` looks again though nothing new was shown
   */
  async until<T>(
    find: () => Promise<T | null>,
    secondsLeft: () => number,
    lookAgainIn: () => number = () => limits.pollSeconds,
  ): Promise<T | null> {
    for (;;) {
      const found = await find()
      if (found !== null) return found
      const seconds = secondsLeft()
      if (seconds <= 0) return null
      await this.turn(Math.min(limits.pollSeconds, Math.max(1, Math.ceil(Math.min(seconds, lookAgainIn())))))
    }
  }

  /**
   * Refuses to go on with a run that has ended without us, or whose round has been given up.
   * @throws EnclaveError `RUN_ENDED`, `ROUND_LOST`.
   */
  expectRound(round: number): void {
    const { state, endedBecause } = this.current
    if (runEndStates.some((end) => end === state))
      throw new EnclaveError('RUN_ENDED', `the run ended ${state}: ${endedBecause ?? 'no reason given'}`)
    if (this.current.round !== round)
      throw new EnclaveError(
        'ROUND_LOST',
        `round ${round} was given up; the run is in round ${this.current.round}`,
      )
  }
}
