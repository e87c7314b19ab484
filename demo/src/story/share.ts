/** Part 2: each owner checks, seals and uploads its own file. */
import { createReadStream } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { errorOf } from '../answers.js'
import type { Narrator } from '../narrator.js'
import { root } from '../stack/processes.js'
import type { Stack } from '../stack/stack.js'

const data = join(root, 'demo/data/nafld')

/** Each owner's dataset and file. */
export const files = {
  registry: { dataset: 'registry', file: 'registry.csv' },
  laboratory: { dataset: 'labs', file: 'labs.parquet' },
  insurer: { dataset: 'events', file: 'events.csv' },
} as const

/** Puts each owner's file into its own folder: the whole, or with `fast` every twentieth person. */
export async function placeFiles(stack: Stack, fast: boolean): Promise<void> {
  for (const [owner, { file }] of Object.entries(files)) {
    const target = stack.party(owner).file(file)
    if (!fast || file.endsWith('.parquet')) await copyFile(join(data, file), target)
    else await copyEveryTwentieth(join(data, file), target)
  }
}

async function copyEveryTwentieth(from: string, to: string): Promise<void> {
  const kept: string[] = []
  for await (const line of createInterface({ input: createReadStream(from) }))
    if (kept.length === 0 || Number(line.split(',')[0]) % 20 === 0) kept.push(line)
  await writeFile(to, `${kept.join('\n')}\n`)
}

export async function sealAll(tell: Narrator, stack: Stack, contract: string): Promise<void> {
  const registry = stack.party('registry')
  const mistaken = registry.file('mistaken.csv')
  await writeFile(
    mistaken,
    'id,age,male,weight,height,bmi,case_id,futime,died\n1,57,false,60.0,163,22.69,,6261,false\n2,abc,true,70,168,500,,624,maybe\n',
  )
  await tell.refused(
    'a file that does not fit is refused, with column, row, seen and expected',
    async () =>
      errorOf(
        await registry.sealroom('dataset', 'seal', mistaken, '--contract', contract, '--dataset', 'registry'),
      ),
    /age[\s\S]*abc|abc[\s\S]*age/,
  )
  await Promise.all(
    Object.entries(files).map(([owner, { dataset, file }]) =>
      tell.step(`${owner}: profile ${file}, convert to Parquet, seal in segments, upload`, () => {
        const party = stack.party(owner)
        return party.must('dataset', 'seal', party.file(file), '--contract', contract, '--dataset', dataset)
      }),
    ),
  )
}
