/**
 * Sealing and opening 1 GiB, from file to file in memory, beside node's bare cipher over chunks of the same size. In each round
 * peer and ours take turns, the other way round in every second one; a ratio is that of one round, and the median counts, of
 * those rounds that other processes disturbed least. Files are written over from the second time on; what the system takes to
 * hand out new memory is in a row of its own. Threads run before they are timed, the peer's as ours.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileCiphertextDigest, openFile, sealFile, sealFileOnly, type ThreadCount } from '#libs/envelope'
import { startBareCipher } from './bare-cipher.js'
import { Rounds } from './rounds.js'
import type { BenchRow } from './row.js'

const mebibyte = 2 ** 20
const mebibytes = 1024
const total = mebibytes * mebibyte
const rounds = 11

type Operation = 'seal' | 'open'
type Files = Readonly<Record<'clear' | 'sealed' | 'opened', number>>
type Ours = ReturnType<typeof oursOn>

/** Runs the benchmark; it takes some 70 s on an idle machine and 3 GiB in memory. */
export async function benchSeal(): Promise<BenchRow[]> {
  const files = { clear: memoryFile(), sealed: memoryFile(), opened: memoryFile() }
  try {
    fill(files.clear)
    const ours = oursOn(files)
    const growth = await memoryOf(ours)
    return rowsOf(await measureRounds(ours), growth)
  } finally {
    for (const file of Object.values(files)) closeSync(file)
  }
}

function oursOn(files: Files) {
  const keys = { dataKey: randomBytes(32), context: Buffer.from('bench') }
  const sealing = { ...keys, randomBytes, input: files.clear, output: files.sealed }
  const run = (operation: Operation, threads: ThreadCount) =>
    operation === 'seal'
      ? sealFileOnly({ ...sealing, threads })
      : openFile({ ...keys, input: files.sealed, output: files.opened, threads })
  return {
    run,
    sealFresh: () => {
      ftruncateSync(files.sealed, 0)
      return run('seal', 1)
    },
    sealWithDigest: () => sealFile({ ...sealing, threads: 1 }),
    digest: () => fileCiphertextDigest(files.sealed),
  }
}

async function measureRounds(ours: Ours): Promise<Rounds> {
  const measured = new Rounds(mebibytes)
  const bare = await startBareCipher()
  try {
    for (let round = 0; round < rounds; round++) {
      measured.begin()
      for (const operation of ['seal', 'open'] as const) {
        const turns = ([1, 2] as const).flatMap((threads): [string, () => Promise<unknown>][] => [
          [`bare ${operation} ${threads}`, () => bare.run(operation, threads, mebibytes)],
          [`${operation} ${threads}`, () => ours.run(operation, threads)],
        ])
        for (const [name, work] of round % 2 === 0 ? turns : turns.toReversed())
          await measured.time(name, work)
      }
      await measured.time('digest', ours.digest)
      await measured.time('seal with digest', ours.sealWithDigest)
      await measured.time('seal fresh', ours.sealFresh)
    }
  } finally {
    await bare.close()
  }
  return measured
}

function rowsOf(measured: Rounds, growth: number): BenchRow[] {
  const openssl = opensslSpeed()
  const of = (name: string) => rate(measured.median((round) => round(name)))
  const oneThread = (operation: Operation, aim: number): BenchRow =>
    row(
      `${operation} 1 GiB, one thread`,
      of(`${operation} 1`),
      `node:crypto ${of(`bare ${operation} 1`)}; openssl ${openssl}`,
      measured.median((round) => round(`${operation} 1`) / round(`bare ${operation} 1`)),
      aim,
    )
  const twoThreads = (operation: Operation): BenchRow => {
    const scaling = (name: string) => (round: (name: string) => number) =>
      round(`${name} 2`) / round(`${name} 1`)
    const ours = scaling(operation)
    const bare = scaling(`bare ${operation}`)
    const times = [bare, ours].map((of) => measured.median(of).toFixed(2))
    return row(
      `${operation} 1 GiB, two threads`,
      of(`${operation} 2`),
      `node:crypto ${of(`bare ${operation} 2`)}, ${times[0]} times one; ours ${times[1]} times`,
      measured.median((round) => ours(round) / bare(round)),
      0.9,
    )
  }
  return [
    oneThread('seal', 0.6),
    oneThread('open', 0.7),
    twoThreads('seal'),
    twoThreads('open'),
    {
      what: 'seal 1 GiB into a file without pages, one thread',
      measured: of('seal fresh'),
      peer: `node:crypto ${of('bare seal 1')}`,
      ratio: measured.median((round) => round('seal fresh') / round('bare seal 1')).toFixed(2),
      aim: 'shown',
      met: null,
    },
    row(
      'digest of 1 GiB sealed, in its own thread',
      of('digest'),
      `seal with digest ${of('seal with digest')}`,
      measured.median((round) => round('seal with digest') / round('seal 1')),
      0.5,
    ),
    {
      what: 'memory while sealing and opening',
      measured: `${growth} MB more`,
      peer: '',
      ratio: '',
      aim: 'under 200 MB',
      met: growth < 200,
    },
    {
      what: 'processors that others kept busy meanwhile',
      measured: measured.foreignLoad().toFixed(2),
      peer: '',
      ratio: '',
      aim: 'shown',
      met: null,
    },
  ]
}

function row(what: string, measured: string, peer: string, ratio: number, aim: number): BenchRow {
  return { what, measured, peer, ratio: ratio.toFixed(2), aim: `at least ${aim}`, met: ratio >= aim }
}

function rate(mebibytesPerSecond: number): string {
  return `${mebibytesPerSecond.toFixed(0)} MiB/s`
}

/** By how many megabytes the process grows at most in everything of ours, done twice, before it holds anything of the peer's. */
async function memoryOf(ours: Ours): Promise<number> {
  const memory = watchMemory()
  try {
    for (const threads of [1, 2, 1, 2] as const) {
      await ours.run('seal', threads)
      await ours.run('open', threads)
      await ours.sealWithDigest()
    }
  } finally {
    memory.stop()
  }
  return memory.growth()
}

function watchMemory(): { stop: () => void; growth: () => number } {
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 20)
  return {
    stop: () => {
      clearInterval(timer)
    },
    growth: () => Math.round((most - before) / 1e6),
  }
}

/** An unlinked file in memory where the system has such a place. */
function memoryFile(): number {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'bench-'))
  const path = join(folder, 'file')
  const file = openSync(path, 'w+')
  unlinkSync(path)
  rmSync(folder, { recursive: true })
  return file
}

function fill(file: number): void {
  const block = randomBytes(mebibyte)
  for (let at = 0; at < total; at += mebibyte) writeSync(file, block, 0, mebibyte, at)
}

function opensslSpeed(): string {
  try {
    const text = execFileSync(
      'openssl',
      ['speed', '-evp', 'aes-256-gcm', '-bytes', '16384', '-seconds', '1'],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    const thousands = /([\d.]+)k\s*$/.exec(text)?.[1]
    return thousands === undefined ? 'not measured' : rate((Number(thousands) * 1000) / mebibyte)
  } catch {
    return 'not there'
  }
}
