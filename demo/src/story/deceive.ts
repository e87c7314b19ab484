/** Part 5, continued: the coordinator lies about the record itself. It has the log's key, and not the owners'. */
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorOf } from '../answers.js'
import type { Narrator } from '../narrator.js'
import { ForgedLog } from '../stack/forged-log.js'
import type { Lie } from '../stack/hostile-coordinator.js'
import type { Said } from '../stack/party.js'
import type { Stack } from '../stack/stack.js'
import { requestAndWait } from './compute.js'

export async function lieAboutTheRecord(tell: Narrator, stack: Stack, contract: string): Promise<void> {
  const yesterday = await tell.step('the coordinator’s operator keeps a copy of today’s database', () =>
    copyDatabase(stack),
  )
  const run = await tell.step('told the truth again, everything works as before', async () => {
    const outcome = await requestAndWait(stack, contract, 'people_by_sex')
    if (outcome.state !== 'completed') throw new Error(`ended ${outcome.state}`)
    return outcome.run
  })
  const institute = stack.party('institute')
  await tell.refused(
    'a result is handed over before the owners have seen its record: it is not opened',
    async () => {
      stack.hostile.tell(withoutCosignatures(run))
      const said = await institute.sealroom('run', 'result', run, '--out', institute.file('too-early'))
      stack.hostile.tell(null)
      return errorOf(said)
    },
    /RESULT_NOT_VERIFIED/,
  )
  await shownAnotherLog(tell, stack, contract, run)
  await tell.refused(
    'yesterday’s database is put back, as if what happened since had not',
    () => restoredDatabase(stack, contract, yesterday),
    /LOG_MISBEHAVED/,
  )
}

/** The auditor is shown a log of its own, which lacks an entry that it has read before. */
async function shownAnotherLog(tell: Narrator, stack: Stack, contract: string, run: string): Promise<void> {
  const regulator = stack.party('regulator')
  await regulator.must('receipt', 'verify', run)
  await tell.refused(
    'an entry of the record is hidden from the auditor, in a log of its own',
    async () => {
      stack.hostile.tell((await logWithoutLast(stack, 'receipt')).lie)
      const said = await regulator.sealroom('audit', 'verify', '--contract', contract)
      stack.hostile.tell(null)
      return breachesOf(said)
    },
    /LOG_MISBEHAVED/,
  )
}

async function logWithoutLast(stack: Stack, type: string): Promise<ForgedLog> {
  const { size } = await honest<{ size: number }>(stack, '/v1/log')
  const { leaves } = await honest<{ leaves: readonly string[] }>(stack, `/v1/log/leaves?from=0&to=${size}`)
  const hidden = leaves.findLastIndex((leaf) => leaf.includes(`"type":"${type}"`))
  if (hidden < 0) throw new Error(`the log has no ${type}`)
  const seed = join(stack.folder, 'coordinator/keys/log.seed')
  return await ForgedLog.of(leaves.toSpliced(hidden, 1), stack.origin, seed)
}

async function honest<T>(stack: Stack, path: string): Promise<T> {
  return (await (await fetch(new URL(path, stack.directUrl))).json()) as T
}

/** Takes the cosignature lines off the checkpoint in which a run's Receipt is. */
function withoutCosignatures(run: string): Lie {
  return ({ path }, answer) => {
    if (path !== `/v1/log/checkpoint?run=${run}`) return answer
    const shown = answer as { note: string }
    const [body = '', signatures = ''] = shown.note.split('\n\n')
    return { ...shown, note: `${body}\n\n${signatures.split('\n')[0] ?? ''}\n` }
  }
}

async function copyDatabase(stack: Stack): Promise<string> {
  const copy = join(stack.folder, 'operator/yesterday')
  await stack.coordinator.stop()
  await cp(join(stack.folder, 'coordinator'), copy, { recursive: true })
  await stack.restartCoordinator()
  return copy
}

async function restoredDatabase(stack: Stack, contract: string, yesterday: string): Promise<string> {
  const data = join(stack.folder, 'coordinator')
  const today = join(stack.folder, 'operator/today')
  await stack.coordinator.stop()
  await rename(data, today)
  await rename(yesterday, data)
  await stack.restartCoordinator()
  const words = ['--contract', contract, '--computation', 'people_by_sex', '--purpose', 'under attack']
  const said = errorOf(await stack.party('institute').sealroom('run', 'request', ...words))
  await stack.coordinator.stop()
  await rm(data, { recursive: true })
  await rename(today, data)
  await stack.restartCoordinator()
  return said
}

/** An exported record is audited without asking anybody; altered, it fails, and the entry is named. */
export async function auditAlteredRecords(
  tell: Narrator,
  stack: Stack,
  contract: string,
  out: string,
): Promise<void> {
  const regulator = stack.party('regulator')
  const file = join(out, 'record.jsonl')
  const verify = (path: string) => regulator.sealroom('audit', 'verify', '--bundle', path)
  await tell.step('the record is exported, and the file audited without asking anybody', async () => {
    await regulator.must('audit', 'export', '--contract', contract, '--out', file)
    const said = await verify(file)
    if (said.answer['holds'] !== true) throw new Error(breachesOf(said))
  })
  const record = await readFile(file, 'utf8')
  for (const { what, alter } of alterations)
    await tell.refused(
      what,
      async () => {
        const altered = regulator.file('altered.jsonl')
        await writeFile(altered, alter(record))
        return breachesOf(await verify(altered))
      },
      /entry \d+|checkpoint/,
    )
}

const alterations: readonly { readonly what: string; readonly alter: (record: string) => string }[] = [
  {
    what: 'the same file with one entry left out',
    alter: (record) => withLeaves(record, (all) => all.toSpliced(-3, 1)),
  },
  {
    what: 'the same file with two entries in the other order',
    alter: (record) =>
      withLeaves(record, (all) => [
        ...all.slice(0, -4),
        ...all.slice(-3, -2),
        ...all.slice(-4, -3),
        ...all.slice(-2),
      ]),
  },
  {
    what: 'the same file with one entry twice',
    alter: (record) => withLeaves(record, (all) => [...all, ...all.slice(-5, -4)]),
  },
]

/** Alters the last line of leaves, and the count that stands at the end. */
function withLeaves(record: string, alter: (leaves: readonly string[]) => readonly string[]): string {
  const lines = record
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const at = lines.findLastIndex((line) => Array.isArray(line['leaves']))
  const leaves = lines[at]?.['leaves'] as readonly string[]
  const altered = alter(leaves)
  const told = lines.map((line, index) => {
    if (index === at) return { leaves: altered }
    const end = line['end'] as { leaves: number } | undefined
    return end === undefined ? line : { end: { ...end, leaves: end.leaves + altered.length - leaves.length } }
  })
  return `${told.map((line) => JSON.stringify(line)).join('\n')}\n`
}

interface Breach {
  readonly rule: string
  readonly entry: { readonly index: number | null; readonly type: string; readonly id: string } | null
  readonly expected: string
  readonly seen: string
}

/** What an audit found broken; or the error for which there was none. */
function breachesOf(said: Said): string {
  const contracts = (said.answer['contracts'] ?? []) as readonly { breaches: readonly Breach[] }[]
  const breaches = contracts.flatMap((audited) => audited.breaches)
  if (breaches.length === 0) return errorOf(said)
  return breaches
    .map(({ rule, entry, expected, seen }) => {
      const where = entry === null ? '' : `, entry ${entry.index ?? 'outside the log'}, ${entry.type}`
      return `${rule}${where}: expected ${expected}; seen ${seen}`
    })
    .join('. ')
}
