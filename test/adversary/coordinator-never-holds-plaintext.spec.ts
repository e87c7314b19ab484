import { open, readdir, readFile, readlink, realpath, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { text } from '../../demo/src/answers.js'
import { owners } from '../../demo/src/study.js'
import { Collaboration } from '../e2e/collaboration.js'

/**
 * Invariant 1, over real processes: markers that stand in data, in columns that nobody reads, in parameters and in results are
 * found nowhere in what the coordinator keeps or says. That it cannot open anything is checked by test/architecture.
 */
const markers = {
  'a text in the data': Buffer.from('MARKER-of-a-diagnosis'),
  'a laboratory value, as text': Buffer.from('7391.17'),
  'a laboratory value, as a double': doubleOf(7391.17),
  'a value of a column that no query reads': doubleOf(171.123456789),
  'the same as text': Buffer.from('171.123456789'),
  'a parameter of a request': Buffer.from('"from_age":31'),
  'the form of a released output': Buffer.from('sealroom/output/v1'),
  'a Parquet file': Buffer.from('PAR1'),
}

let study: Collaboration
let begun: Collaboration | null = null
let run = ''

beforeAll(async () => {
  study = begun = await Collaboration.begin()
  await sealMarked()
  const { state } = await study.run('death_rate_by_weight')
  expect(state).toBe('completed')
  const asked = await study.ask('institute', 'fibrosis_by_age', '--param', 'from_age=31')
  run = text(asked.answer['run'])
  const [end] = await Promise.all([
    study.endOf(run, 40_000),
    study.stack.party('registry').must('approve', run),
  ])
  expect(end).toBe('completed')
}, 150_000)

afterAll(async () => {
  await begun?.end()
})

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return bytes
}

async function sealMarked(): Promise<void> {
  const ids = Array.from({ length: 30 }, (_, index) => index + 1)
  const rows = {
    registry: [
      'id,age,male,weight,height,bmi,case_id,futime,died',
      ...ids.map((id) => `${id},${40 + (id % 3)},true,171.123456789,170,22.5,,100,false`),
    ],
    labs: ['id,days,test,value', ...ids.flatMap((id) => [`${id},1,hdl,7391.17`, `${id},2,fib4,7391.17`])],
    events: ['id,days,event', ...ids.map((id) => `${id},5,MARKER-of-a-diagnosis`)],
  }
  const datasets = { registry: 'registry', laboratory: 'labs', insurer: 'events' } as const
  for (const owner of owners) {
    const party = study.stack.party(owner)
    const file = party.file(`${datasets[owner]}.csv`)
    await writeFile(file, `${rows[datasets[owner]].join('\n')}\n`)
    await party.must('dataset', 'seal', file, '--contract', study.contract, '--dataset', datasets[owner])
  }
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Everything on the coordinator's disk: database, write-ahead log, blobs, and what it printed. */
async function everythingKept(): Promise<{ name: string; bytes: Buffer }[]> {
  const { folder } = study.stack
  const files = [...(await filesOf(join(folder, 'coordinator'))), join(folder, 'coordinator.log')]
  return await Promise.all(files.map(async (name) => ({ name, bytes: await readFile(name) })))
}

/** Which of these a process holds anywhere in its memory, as Linux shows it; an overlap finds what lies across two reads. */
async function inMemory(pid: number, sought: Readonly<Record<string, Buffer>>): Promise<readonly string[]> {
  const found = new Set<string>()
  const overlap = Math.max(...Object.values(sought).map(({ length }) => length)) - 1
  const chunk = Buffer.alloc(16 * 1024 * 1024)
  const memory = await open(`/proc/${pid}/mem`)
  try {
    for (const line of (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
      for (let at = Number.parseInt(from, 16); at < Number.parseInt(to, 16); at += chunk.length - overlap) {
        const length = Math.min(chunk.length, Number.parseInt(to, 16) - at)
        const bytesRead = await readMemory(memory, chunk, length, at)
        for (const [what, bytes] of Object.entries(sought))
          if (chunk.subarray(0, bytesRead).includes(bytes)) found.add(what)
      }
    }
  } finally {
    await memory.close()
  }
  return [...found]
}

async function readMemory(memory: FileHandle, chunk: Buffer, length: number, at: number): Promise<number> {
  try {
    return (await memory.read(chunk, 0, length, at)).bytesRead
  } catch (error) {
    // The process runs on: a range that it has given back since is no longer there to read.
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0
    throw error
  }
}

describe('what the coordinator keeps after two runs', () => {
  it('holds what it must, so the search finds what is there', async () => {
    const kept = await everythingKept()
    expect(kept.some(({ bytes }) => bytes.includes(run))).toBe(true)
    expect(kept.some(({ bytes }) => bytes.includes(study.contract))).toBe(true)
  })

  it.each(Object.entries(markers))('does not hold %s', async (_what, marker) => {
    const found = (await everythingKept()).filter(({ bytes }) => bytes.includes(marker))
    expect(found.map(({ name }) => name)).toEqual([])
  })

  it('does not hold a planted one anywhere in its memory, where its contract is found', async () => {
    const { pid } = study.stack.coordinator
    // What stands in programs, or is too short to be told from chance, says nothing about memory.
    const unplanted = ['a Parquet file', 'the form of a released output']
    const planted = Object.fromEntries(Object.entries(markers).filter(([what]) => !unplanted.includes(what)))
    const contract = Buffer.from(study.contract)
    expect(await inMemory(pid, { ...planted, 'the contract': contract })).toEqual(['the contract'])
  }, 60_000)

  it('has no file open for writing but in its own folder: there are no temporary ones', async () => {
    const { pid } = study.stack.coordinator
    const kept = await realpath(study.stack.folder)
    const links = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
    )
    const files = links.filter((path) => path.startsWith('/') && !path.startsWith('/dev/'))
    expect(files.some((path) => path.startsWith(kept))).toBe(true)
    expect(files.filter((path) => !path.startsWith(kept) && path.startsWith(tmpdir()))).toEqual([])
  })

  it('does not hold them in what it answers either, to anyone', async () => {
    const answers: string[] = []
    study.stack.hostile.tell((_question, answer) => {
      answers.push(JSON.stringify(answer))
      return answer
    })
    await study.stack.party('regulator').must('audit', 'receipts', '--contract', study.contract)
    const table = await study.result('registry', run)
    study.stack.hostile.tell(null)
    expect(JSON.stringify(table.values)).toContain('7391.17')
    expect(answers.length).toBeGreaterThan(5)
    for (const marker of ['MARKER-of-a-diagnosis', '7391.17', '171.123456789', '"from_age":31'])
      expect(answers.filter((answer) => answer.includes(marker))).toEqual([])
  })

  it('gives an output to nobody who has not put its taking on record', async () => {
    const { statements } = await study.view(run)
    expect(statements.filter(({ type }) => type === 'fetch').length).toBeGreaterThan(0)
    const receipt = statements.findIndex(({ type }) => type === 'receipt')
    for (const late of ['output-keys', 'fetch'])
      expect(statements.findIndex(({ type }) => type === late)).toBeGreaterThan(receipt)
  })
})
