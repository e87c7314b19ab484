/** One life of an agent's process. It may end at any write to its disk and at any message, before or after it took effect. */
import type { Change, RawStore } from '../../apps/agent/src/store/raw-store.js'
import type { MemoryStore } from '../adversary/stage/memory-store.js'

export class Crashed extends Error {}

export interface CrashPlan {
  /** How many writes and messages still go well. */
  readonly after: number
  readonly when: 'before' | 'after'
}

export class Life {
  alive = true
  private plan: { left: number; readonly when: CrashPlan['when'] } | null = null

  crashAt({ after, when }: CrashPlan): void {
    this.plan = { left: after, when }
  }

  end(): void {
    this.alive = false
  }

  /** Does something that others can see, or dies of it. */
  async step<T>(action: () => Promise<T>): Promise<T> {
    this.expectAlive()
    const dying = this.plan !== null && this.plan.left-- <= 0 ? this.plan.when : null
    if (dying === 'before') this.die()
    const result = await action()
    if (dying === 'after') this.die()
    this.expectAlive()
    return result
  }

  expectAlive(): void {
    if (!this.alive) throw new Crashed('the process has ended')
  }

  private die(): never {
    this.alive = false
    throw new Crashed('the process ends here')
  }
}

/** A disk as one process has it: what is on it outlives the process. */
export class MountedDisk implements RawStore {
  constructor(
    private readonly disk: MemoryStore,
    private readonly life: Life,
  ) {}

  async get(name: string): Promise<Uint8Array | undefined> {
    this.life.expectAlive()
    return await this.disk.get(name)
  }

  async *entries(from: string, to: string): AsyncIterable<readonly [string, Uint8Array]> {
    this.life.expectAlive()
    yield* this.disk.entries(from, to)
  }

  async batch(changes: readonly Change[]): Promise<void> {
    await this.life.step(() => this.disk.batch(changes))
  }

  async exclusively<T>(name: string, action: () => Promise<T>): Promise<T> {
    this.life.expectAlive()
    return await this.disk.exclusively(name, action)
  }

  async close(): Promise<void> {
    await this.disk.close()
  }
}
