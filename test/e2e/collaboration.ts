/** The demo's study with real processes: a coordinator with its embedded database, a worker pool, five parties. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runEndStates, type RunView } from '#libs/protocol'
import { text } from '../../demo/src/answers.js'
import { Narrator, type ShownTable } from '../../demo/src/narrator.js'
import type { Said } from '../../demo/src/stack/party.js'
import { Stack, type StackOptions } from '../../demo/src/stack/stack.js'
import { makeIdentities, signContract } from '../../demo/src/story/agree.js'
import { takeOutputs, takeResult, type NamedTable } from '../../demo/src/story/compute.js'
import { labels, owners } from '../../demo/src/study.js'

export interface Outcome {
  readonly run: string
  readonly state: string
}

/** What differs from the demo's study. */
export interface Changes extends Pick<StackOptions, 'env' | 'through'> {
  /** changes the contract's text before anyone sees it */
  readonly edit?: (yaml: string) => string
}

export class Collaboration {
  private constructor(
    readonly stack: Stack,
    readonly contract: string,
    readonly tell: Narrator,
  ) {}

  /** Everybody has keys, has signed and is running; nothing is sealed yet. */
  static async begin({ edit, ...changes }: Changes = {}): Promise<Collaboration> {
    const folder = await mkdtemp(join(tmpdir(), 'sealroom-e2e-'))
    const stack = await Stack.start({ folder, labels, ...changes })
    const tell = new Narrator(() => undefined)
    try {
      const keys = await makeIdentities(tell, stack)
      const contract = await signContract(tell, stack, keys, edit)
      if (tell.unexpected > 0) throw new Error('agreeing did not go as expected')
      return new Collaboration(stack, contract, tell)
    } catch (error) {
      await stack.stop()
      throw error
    }
  }

  async end(): Promise<void> {
    this.stack.hostile.tell(null)
    await this.stack.stop()
    if (process.env['KEEP'] === undefined) await rm(this.stack.folder, { recursive: true, force: true })
  }

  async ask(label: string, computation: string, ...more: readonly string[]): Promise<Said> {
    return await this.stack
      .party(label)
      .sealroom(
        ...['run', 'request', '--contract', this.contract],
        ...['--computation', computation, '--purpose', 'test', ...more],
      )
  }

  /** Requests a run as the institute, and waits for its end. */
  async run(computation: string, ...more: readonly string[]): Promise<Outcome> {
    const { answer, text: said } = await this.ask('institute', computation, '--wait', ...more)
    if (typeof answer['run'] !== 'string') throw new Error(`the request was not taken: ${said.slice(0, 500)}`)
    return { run: answer['run'], state: text(answer['state']) }
  }

  async result(label: string, run: string): Promise<ShownTable> {
    return await takeResult(this.stack, label, run, this.resultFolder(label, run))
  }

  /** Every output that is for a party. */
  async outputs(label: string, run: string): Promise<readonly NamedTable[]> {
    return await takeOutputs(this.stack, label, run, this.resultFolder(label, run))
  }

  resultFolder(label: string, run: string): string {
    return this.stack.party(label).file(`result-${run.slice(0, 8)}`)
  }

  /** What the coordinator tells a party of a run, as the party's own command reads it. */
  async view(run: string): Promise<RunView> {
    const told: RunView[] = []
    this.stack.hostile.tell(({ path }, answer) => {
      if (path === `/v1/runs/${run}`) told.push(answer as RunView)
      return answer
    })
    await this.stack.party('regulator').must('run', 'show', run)
    this.stack.hostile.tell(null)
    const seen = told.at(-1)
    if (seen === undefined) throw new Error(`nothing was told of run ${run}`)
    return seen
  }

  /** The state in which a run ends, as soon as the coordinator tells anyone. */
  async endOf(run: string, withinMilliseconds: number): Promise<string> {
    let state = ''
    await this.overheard((path, answer) => {
      if (path === `/v1/runs/${run}`) state = (answer as RunView).state
      return isEnd(state)
    }, withinMilliseconds)
    return state
  }

  /** How often each type of statement was recorded in a run. */
  async counts(run: string): Promise<Record<string, number>> {
    const { statements } = await this.view(run)
    const counts: Record<string, number> = {}
    for (const { type } of statements) counts[type] = (counts[type] ?? 0) + 1
    return counts
  }

  /** Waits until something told to anyone satisfies a condition, or fails at the deadline. */
  async overheard(
    condition: (path: string, answer: unknown) => boolean,
    withinMilliseconds: number,
  ): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.stack.hostile.tell(null)
        reject(new Error(`nothing of that kind was told within ${withinMilliseconds} ms`))
      }, withinMilliseconds)
      this.stack.hostile.tell(({ path }, answer) => {
        if (condition(path, answer)) {
          clearTimeout(timer)
          this.stack.hostile.tell(null)
          resolve()
        }
        return answer
      })
    })
  }
}

export function isEnd(state: string): boolean {
  return (runEndStates as readonly string[]).includes(state)
}

/** Forty people in three small files, and their sealing. */
export async function sealSmall(
  { stack, contract }: Collaboration,
  { people = 40, except = [] }: { readonly people?: number; readonly except?: readonly string[] } = {},
): Promise<void> {
  const ids = Array.from({ length: people }, (_, index) => index + 1)
  const content = {
    registry: [
      'id,age,male,weight,height,bmi,case_id,futime,died',
      ...ids.map(
        (id) =>
          `${id},${30 + (id % 50)},${id % 2 === 0},70.5,170,${20 + (id % 20)}.5,,${id * 10},${id % 3 === 0}`,
      ),
    ],
    labs: [
      'id,days,test,value',
      ...ids.flatMap((id) => [`${id},1,hdl,${40 + (id % 30)}.5`, `${id},2,fib4,1.${id % 10}`]),
    ],
    events: ['id,days,event', ...ids.map((id) => `${id},5,${id % 4 === 0 ? 'diabetes' : 'htn'}`)],
  }
  await Promise.all(
    owners
      .filter((owner) => !except.includes(owner))
      .map(async (owner) => {
        const dataset = ({ registry: 'registry', laboratory: 'labs', insurer: 'events' } as const)[owner]
        const party = stack.party(owner)
        await writeFile(party.file(`${dataset}.csv`), `${content[dataset].join('\n')}\n`)
        await party.must(
          'dataset',
          'seal',
          party.file(`${dataset}.csv`),
          '--contract',
          contract,
          '--dataset',
          dataset,
        )
      }),
  )
}
