import type { Digest } from '#libs/canonical'
import { runEndStates, type RefusalReason, type RunView } from '#libs/protocol'
import type { Agent } from '../agent.js'
import type { AgentError } from '../errors.js'
import { spaces } from '../store/records.js'

/** Runs in which something may still be owed. Kept durably, so that a restart looks at them again. */
export class OpenRuns {
  private open: Set<Digest> | null = null

  constructor(private readonly agent: Agent) {}

  add(run: Digest): void {
    this.pending.add(run)
  }

  private readonly pending = new Set<Digest>()

  /** Looks at every open run once; those that are over are not looked at again. */
  async each(look: (run: Digest) => Promise<'open' | 'over'>): Promise<void> {
    const open = await this.load()
    for (const run of this.pending) open.add(run)
    this.pending.clear()
    await this.save(open)
    for (const run of [...open]) if ((await look(run)) === 'over') open.delete(run)
    await this.save(open)
  }

  /** Writes down what this agent waits for in a run. */
  async note(run: Digest, waiting: string | null): Promise<void> {
    await this.agent.store.write(this.agent.store.put(spaces.state, `waiting/${run}`, waiting ?? ''))
  }

  /** Writes down why this agent does nothing in a run, as `sealroom run explain` shows it. */
  async refusedToAct(run: Digest, error: AgentError): Promise<void> {
    const reason: RefusalReason = {
      rule: `verification.${error.code}`,
      expected: 'what signed statements, the log and evidence prove',
      seen: error.message.slice(0, 500),
      who: 'the coordinator or whoever made the statement',
      text: error.message.slice(0, 1000),
    }
    const reasons = error.reasons.length > 0 ? error.reasons : [reason]
    await this.agent.store.write(
      this.agent.store.put(spaces.notes, run, { at: new Date(this.agent.now()).toISOString(), reasons }),
    )
  }

  isOver(view: RunView): boolean {
    return (runEndStates as readonly string[]).includes(view.state)
  }

  private async load(): Promise<Set<Digest>> {
    this.open ??= new Set(
      JSON.parse((await this.agent.store.get(spaces.state, 'openRuns')) ?? '[]') as Digest[],
    )
    return this.open
  }

  private saved = ''

  private async save(open: ReadonlySet<Digest>): Promise<void> {
    const text = JSON.stringify([...open])
    if (text === this.saved) return
    await this.agent.store.write(this.agent.store.put(spaces.state, 'openRuns', text))
    this.saved = text
  }
}
