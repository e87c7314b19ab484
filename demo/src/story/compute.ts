/** Part 3: two reviewed queries over all owners' data, and what arrives. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from '../answers.js'
import type { Narrator, ShownTable } from '../narrator.js'
import type { Stack } from '../stack/stack.js'

export interface Outcome {
  readonly run: string
  readonly state: string
}

/** Requests a run and waits for its end. */
export async function requestAndWait(
  stack: Stack,
  contract: string,
  computation: string,
  ...more: readonly string[]
): Promise<Outcome> {
  const words = [
    '--contract',
    contract,
    '--computation',
    computation,
    '--purpose',
    'demonstration',
    '--wait',
    ...more,
  ]
  const { answer, text: said } = await stack.party('institute').sealroom('run', 'request', ...words)
  if (typeof answer['run'] !== 'string') throw new Error(`the request was not taken: ${said.slice(0, 1000)}`)
  return { run: answer['run'], state: text(answer['state']) }
}

/** Takes a result as a recipient: every check first, then the table. */
export async function takeResult(
  stack: Stack,
  label: string,
  run: string,
  folder: string,
): Promise<ShownTable> {
  const [output] = await takeOutputs(stack, label, run, folder)
  if (output === undefined) throw new Error('no output arrived')
  return output
}

/** A table with the name of its output. */
export type NamedTable = ShownTable & { readonly output: string }

/** Takes every output that is for a recipient. */
export async function takeOutputs(
  stack: Stack,
  label: string,
  run: string,
  folder: string,
): Promise<readonly NamedTable[]> {
  const answer = await stack.party(label).must('run', 'result', run, '--out', folder)
  return answer['outputs'] as readonly NamedTable[]
}

export async function twoQueries(
  tell: Narrator,
  stack: Stack,
  contract: string,
  out: string,
): Promise<readonly string[]> {
  const deaths = await tell.step(
    'run 1: death rate by BMI band and diabetes, three owners joined in the enclave',
    async () => {
      const outcome = await requestAndWait(stack, contract, 'death_rate_by_weight')
      if (outcome.state !== 'completed') throw new Error(`run ${outcome.run} ended ${outcome.state}`)
      return outcome.run
    },
  )
  const folder = stack.party('institute').file('death-rate')
  const table = await tell.step(
    'the institute checks the receipt, every point of it, and opens its result',
    () => takeResult(stack, 'institute', deaths, folder),
  )
  tell.table(table)
  const asked = requestAndWait(stack, contract, 'fibrosis_by_age', '--param', 'from_age=18')
  const fibrosis = await tell.step(
    'run 2: mean fibrosis score by age band; without the registry’s approval it only waits',
    () => untilListed(stack, contract, 'awaitingApprovals'),
  )
  await tell.step(
    'a person of the registry approves with its consent key, and the run completes',
    async () => {
      await stack.party('registry').must('approve', fibrosis)
      const { state } = await asked
      if (state !== 'completed') throw new Error(`run ${fibrosis} ended ${state}`)
    },
  )
  const second = stack.party('institute').file('fibrosis')
  tell.table(
    await tell.step('both recipients open it: the institute …', () =>
      takeResult(stack, 'institute', fibrosis, second),
    ),
  )
  await tell.step('… and the registry', () =>
    takeResult(stack, 'registry', fibrosis, stack.party('registry').file('fibrosis')),
  )
  await mkdir(out, { recursive: true })
  for (const file of ['result.parquet', 'result.csv', 'receipt.json']) {
    await copyFile(join(folder, file), join(out, file))
    await copyFile(join(second, file), join(out, `fibrosis-${file}`))
  }
  return [deaths, fibrosis]
}

/** Waits until the approver sees a run in a state, and answers which. */
async function untilListed(stack: Stack, contract: string, state: string): Promise<string> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const { runs } = (await stack.party('registry').must('run', 'list', '--contract', contract)) as {
      runs?: readonly { id: string; state: string }[]
    }
    const found = runs?.find((run) => run.state === state)
    if (found !== undefined) return found.id
  }
  throw new Error(`no run is ${state}`)
}
