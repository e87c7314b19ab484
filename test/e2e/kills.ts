/** One run in which one role's process is killed at one step, and what must hold afterwards whatever came of it. */
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { unverifiedStatement } from '#libs/canonical'
import type { RunView } from '#libs/protocol'
import { text } from '../../demo/src/answers.js'
import type { Running } from '../../demo/src/stack/processes.js'
import { owners } from '../../demo/src/study.js'
import { honest, type Answer, type Carrier, type Habit, type Message, type Posted } from './carrier.js'
import { isEnd, type Collaboration } from './collaboration.js'

export const roles = ['coordinator', ...owners, 'worker', 'institute'] as const
export type Role = (typeof roles)[number]

/** The steps of a run, in order, by the statement that makes each visible. */
export const steps = [
  'run-request',
  'approval',
  'nonce',
  'offer',
  'evidence',
  'accept',
  'spend',
  'key-release',
  'start',
  'receipt',
  'output-keys',
  'fetch',
] as const
export type Step = (typeof steps)[number]

/** Steps that each data owner makes for itself: its own is the one that counts when it is killed. */
const ownSteps: readonly Step[] = ['nonce', 'accept', 'spend', 'key-release']

export interface Kill {
  readonly role: Role
  readonly step: Step
}

export interface Computation {
  readonly name: string
  readonly approver: string | null
  readonly parameters: readonly string[]
}

const endMilliseconds = 60_000

/** What was recorded of the Spends so far, over all runs of one collaboration. */
export class SpendHeads {
  private readonly heads = new Map<string, { readonly id: string; readonly sequence: number }>()

  /** Takes the Spends of the next run: each goes on where the owner's last one ended. */
  take(view: RunView): void {
    for (const { type, id, statement } of view.statements) {
      if (type !== 'spend') continue
      const { by, dataset, sequence, previous, total } = unverifiedStatement(statement)
        .payload as unknown as {
        by: string
        dataset: string
        sequence: number
        previous: string | null
        total: { runs: number }
      }
      const head = this.heads.get(`${by} ${dataset}`)
      expect({ previous, sequence }).toEqual({
        previous: head?.id ?? null,
        sequence: (head?.sequence ?? 0) + 1,
      })
      expect(total.runs).toBe(sequence)
      this.heads.set(`${by} ${dataset}`, { id, sequence })
    }
  }
}

export class Killing {
  private readonly parties = new Map<string, string>()
  private readonly heads = new SpendHeads()
  private readonly taken = new Set<string>()
  private readonly unfinished: string[] = []

  private constructor(
    private readonly study: Collaboration,
    private readonly carrier: Carrier,
  ) {}

  static async among(study: Collaboration, carrier: Carrier): Promise<Killing> {
    const killing = new Killing(study, carrier)
    for (const owner of owners)
      killing.parties.set(owner, text((await study.stack.party(owner).must('identity', 'show'))['party']))
    return killing
  }

  /** Takes a run that was asked for elsewhere into account. */
  take(view: RunView): void {
    this.taken.add(view.id)
    this.heads.take(view)
    expectSound(view, this.carrier.posted)
  }

  /** Asks for a run and kills a role at a step; answers how the run ended, after all that must hold was checked. */
  async run(
    kill: Kill | null,
    computation: Computation,
    network: Habit = honest,
  ): Promise<{ readonly run: string; readonly state: string }> {
    await this.takeUnfinished()
    const scene = new Scene(this.study, kill, this.parties, network)
    this.carrier.habit = scene.habit
    try {
      const view = await scene.play(computation)
      this.take(view)
      await scene.fetch(view.state)
      return { run: view.id, state: view.state }
    } finally {
      this.carrier.habit = honest
      if (scene.run !== '' && !this.taken.has(scene.run)) this.unfinished.push(scene.run)
    }
  }

  // A run whose end a test did not live to see has spent all the same: the next one's chain goes on from there.
  private async takeUnfinished(): Promise<void> {
    for (const run of this.unfinished.splice(0)) {
      const deadline = Date.now() + endMilliseconds
      const regulator = this.study.stack.party('regulator')
      // `run show` ends with 3 while the run is open.
      while ((await regulator.sealroom('run', 'show', run)).exit === 3 && Date.now() < deadline);
      this.take(await this.study.view(run))
    }
  }
}

/** Holds for every run, completed or not. */
function expectSound({ id, state, statements }: RunView, posted: readonly Posted[]): void {
  const sent = posted.filter(({ run }) => run === id)
  for (const type of ['spend', 'key-release'])
    for (const { by, dataset } of sent.filter((one) => one.type === type)) {
      const same = sent.filter((one) => one.type === type && one.by === by && one.dataset === dataset)
      expect(new Set(same.map(({ jws }) => jws)).size, `${type} of ${dataset ?? ''} by ${by}`).toBe(1)
    }
  const indexOf = (type: string) => statements.find((one) => one.type === type)?.index ?? null
  const [receipt, outputKeys] = [indexOf('receipt'), indexOf('output-keys')]
  if (outputKeys !== null) expect(receipt ?? Infinity).toBeLessThan(outputKeys)
  expect(outputKeys !== null).toBe(state === 'completed')
}

class Scene {
  run = ''
  private command: Running | null = null
  private done: Promise<void> | null = null
  private readonly requested = deferred<string>()
  private readonly ended = deferred<RunView>()
  private readonly recorded = new Set<string>()

  constructor(
    private readonly study: Collaboration,
    private readonly kill: Kill | null,
    private readonly parties: ReadonlyMap<string, string>,
    private readonly network: Habit,
  ) {}

  readonly habit: Habit = async (message, send) =>
    await this.network(message, async () => await this.watched(message, await send()))

  private async watched(message: Message, answer: Answer): Promise<Answer> {
    if (message.path === `/v1/runs/${this.run}` && answer.status === 200) {
      const view = JSON.parse(answer.body.toString()) as RunView
      if (isEnd(view.state)) this.ended.resolve(view)
    }
    if (message.posted === null || answer.status >= 300) return answer
    const { type } = message.posted
    this.recorded.add(type)
    if (type === 'run-request') {
      this.run = (JSON.parse(answer.body.toString()) as { id: string }).id
      this.requested.resolve(this.run)
    }
    if (this.done !== null || !this.isTheMoment(message.posted)) return answer
    const killed = this.killNow()
    this.done = killed.then(() => this.restart())
    await killed
    // What the coordinator recorded last it did not come to answer.
    if (this.kill?.role === 'coordinator') throw new Error('the coordinator was killed')
    return answer
  }

  async play(computation: Computation): Promise<RunView> {
    const { stack, contract } = this.study
    this.command = stack
      .party('institute')
      .begin(
        ...['run', 'request', '--contract', contract, '--computation', computation.name],
        ...['--purpose', 'test', '--wait', ...computation.parameters],
      )
    await within(this.requested.promise, 'the request was recorded')
    await this.done
    if (computation.approver !== null) await this.approve(computation.approver)
    const view = await within(this.ended.promise, 'the run ended')
    await this.done
    await this.command.kill()
    return view
  }

  /** What the institute does after a run in which somebody was killed: it takes its result, or is told that there is none. */
  async fetch(state: string): Promise<void> {
    if (this.kill === null) return
    await this.takeResult(state)
    expect(this.done, 'the step at which to kill did not come').not.toBeNull()
  }

  private async approve(approver: string): Promise<void> {
    const said = await this.study.stack.party(approver).sealroom('approve', this.run)
    if (said.exit === 0 || this.recorded.has('denial')) return
    // The people of a party whose agent or coordinator died under their hands look again, and find it done or do it.
    await this.done
    await this.study.stack.party(approver).must('approve', this.run)
  }

  private async takeResult(state: string): Promise<void> {
    const institute = this.study.stack.party('institute')
    const words = ['run', 'result', this.run, '--out', institute.file(`result-${this.run.slice(0, 12)}`)]
    if (state !== 'completed') {
      expect((await institute.sealroom(...words)).exit).toBe(1)
      return
    }
    this.command = institute.begin(...words)
    const exit = await this.command.ended
    await this.done
    if (this.kill?.step !== 'fetch') expect(exit, await saidLast(institute.file('commands.log'))).toBe(0)
    else if (exit !== 0) await institute.must(...words)
  }

  private isTheMoment({ type, by, run }: Posted): boolean {
    if (type !== this.kill?.step || (run !== null && run !== this.run)) return false
    const own = this.parties.get(this.kill.role)
    return own === undefined || !ownSteps.includes(this.kill.step) || by === own
  }

  private async killNow(): Promise<void> {
    const { stack } = this.study
    const role = this.kill?.role
    if (role === 'coordinator') await stack.coordinator.kill()
    else if (role === 'worker') await stack.worker?.kill()
    else if (role !== undefined) {
      await stack.party(role).daemon?.kill()
      if (role === 'institute') await this.command?.kill()
    }
  }

  private async restart(): Promise<void> {
    const { stack } = this.study
    const role = this.kill?.role
    if (role === 'coordinator') await stack.restartCoordinator()
    else if (role === 'worker') stack.startWorker()
    else if (role !== undefined) await stack.party(role).startDaemon()
  }
}

async function saidLast(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-3).join(' | ')
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not within ${endMilliseconds} ms: ${what}`))
    }, endMilliseconds)
  })
  return await Promise.race([promise, late]).finally(() => {
    clearTimeout(timer)
  })
}
