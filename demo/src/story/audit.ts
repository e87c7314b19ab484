/** Part 6: the regulator's agent checks every receipt from its own view of the log. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Narrator } from '../narrator.js'
import type { Stack } from '../stack/stack.js'

interface Audit {
  readonly ok: boolean
  readonly runs: readonly {
    readonly run: string
    readonly computation: string
    readonly state: string
    readonly verdict: string
    readonly checks: number
  }[]
}

export async function audit(tell: Narrator, stack: Stack, contract: string, out: string): Promise<void> {
  const regulator = stack.party('regulator')
  const result = await tell.step(
    'the regulator checks signature, evidence, inclusion and consistency of every receipt',
    async () => {
      return (await regulator.must('audit', 'receipts', '--contract', contract)) as unknown as Audit
    },
  )
  const audited = result.runs.filter(({ verdict }) => verdict !== 'no receipt')
  tell.table({
    columns: ['run', 'computation', 'state', 'receipt', 'checks'].map((name) => ({ name })),
    rows: audited.length,
    values: [
      audited.map(({ run }) => run.slice(0, 12)),
      audited.map(({ computation }) => computation),
      audited.map(({ state }) => state),
      audited.map(({ verdict }) => verdict),
      audited.map(({ checks }) => checks),
    ],
  })
  tell.expect(
    result.ok && audited.length >= 4,
    `${audited.length} receipts hold; ${result.runs.length - audited.length} runs were stopped before an enclave began`,
  )
  await writeFile(join(out, 'audit.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(join(out, 'log.json'), `${JSON.stringify(await readLog(stack), null, 2)}\n`)
}

/** The public log, as anyone may read it. */
async function readLog(stack: Stack): Promise<unknown> {
  const read = async (path: string): Promise<unknown> => (await fetch(new URL(path, stack.directUrl))).json()
  const info = (await read('/v1/log')) as { size: number }
  return {
    info,
    checkpoint: await read('/v1/log/checkpoint'),
    leaves: await read(`/v1/log/leaves?from=0&to=${info.size}`),
  }
}
