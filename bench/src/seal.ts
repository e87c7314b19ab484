/**
 * Sealing and opening 1 GiB from file to file in memory, beside node's bare cipher over chunks of the same size. Peer and
 * ours take turns and the best of each counts: what else runs on the machine only ever slows either down. Files are written
 * over from the second round on; what the system takes to hand out new memory is in a row of its own.
 */
import { execFileSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
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
import { Worker } from 'node:worker_threads'
import { fileCiphertextDigest, openFile, sealFile, sealFileOnly, type ThreadCount } from '#libs/envelope'
import type { BenchRow } from './row.js'

const mebibyte = 2 ** 20
const total = 1024 * mebibyte
const chunk = 16_384
const rounds = 5

/** Figures of one thing measured: the best throughput in MiB/s of all rounds. */
type Best = Map<string, number>

/** Runs the benchmark; it takes some 40 s on an idle machine and 3 GiB in memory. */
export async function benchSeal(): Promise<BenchRow[]> {
  const best: Best = new Map()
  const files = { clear: memoryFile(), sealed: memoryFile(), opened: memoryFile() }
  const memory = watchMemory()
  try {
    fill(files.clear)
    await measureAll(best, files)
  } finally {
    memory.stop()
    for (const file of Object.values(files)) closeSync(file)
  }
  return rowsOf(best, memory.growth())
}

async function measureAll(best: Best, files: Record<'clear' | 'sealed' | 'opened', number>): Promise<void> {
  const keys = { dataKey: randomBytes(32), context: Buffer.from('bench') }
  const sealFresh = () => {
    ftruncateSync(files.sealed, 0)
    return seal(1)()
  }
  const seal = (threads: ThreadCount) => () =>
    sealFileOnly({ ...keys, randomBytes, input: files.clear, output: files.sealed, threads })
  const open = (threads: ThreadCount) => () =>
    openFile({ ...keys, input: files.sealed, output: files.opened, threads })
  for (let round = 0; round < rounds; round++) {
    await measure(best, 'bare seal 1', () => {
      bareCipher('seal', total)
    })
    await measure(best, 'seal 1', seal(1))
    await measure(best, 'bare open 1', () => {
      bareCipher('open', total)
    })
    await measure(best, 'open 1', open(1))
    await measure(best, 'seal fresh', sealFresh)
    record(best, 'bare seal 2', await bareInWorkers('seal'))
    await measure(best, 'seal 2', seal(2))
    record(best, 'bare open 2', await bareInWorkers('open'))
    await measure(best, 'open 2', open(2))
    await measure(best, 'digest', () => fileCiphertextDigest(files.sealed))
    await measure(best, 'seal with digest', () =>
      sealFile({ ...keys, randomBytes, input: files.clear, output: files.sealed, threads: 1 }),
    )
  }
}

function rowsOf(best: Best, growth: number): BenchRow[] {
  const openssl = opensslSpeed()
  const of = (name: string) => best.get(name) ?? 0
  const oneThread = (operation: 'seal' | 'open', aim: number): BenchRow =>
    row(
      `${operation} 1 GiB, one thread`,
      of(`${operation} 1`),
      `node:crypto ${rate(of(`bare ${operation} 1`))}; openssl ${openssl}`,
      of(`${operation} 1`) / of(`bare ${operation} 1`),
      aim,
    )
  const twoThreads = (operation: 'seal' | 'open'): BenchRow => {
    const ours = of(`${operation} 2`) / of(`${operation} 1`)
    const bare = of(`bare ${operation} 2`) / of(`bare ${operation} 1`)
    const peer = `node:crypto ${rate(of(`bare ${operation} 2`))}, ${bare.toFixed(2)} times one; ours ${ours.toFixed(2)} times`
    return row(`${operation} 1 GiB, two threads`, of(`${operation} 2`), peer, ours / bare, 0.9)
  }
  return [
    oneThread('seal', 0.6),
    oneThread('open', 0.7),
    twoThreads('seal'),
    twoThreads('open'),
    {
      what: 'seal 1 GiB into a file without pages, one thread',
      measured: rate(of('seal fresh')),
      peer: `node:crypto ${rate(of('bare seal 1'))}`,
      ratio: (of('seal fresh') / of('bare seal 1')).toFixed(2),
      aim: 'shown',
      met: true,
    },
    row(
      'digest of 1 GiB sealed, in its own thread',
      of('digest'),
      `seal with digest ${rate(of('seal with digest'))}`,
      of('seal with digest') / of('seal 1'),
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
  ]
}

function row(what: string, measured: number, peer: string, ratio: number, aim: number): BenchRow {
  return {
    what,
    measured: rate(measured),
    peer,
    ratio: ratio.toFixed(2),
    aim: `at least ${aim}`,
    met: ratio >= aim,
  }
}

function rate(mebibytesPerSecond: number): string {
  return `${mebibytesPerSecond.toFixed(0)} MiB/s`
}

async function measure(best: Best, name: string, work: () => unknown): Promise<void> {
  const start = performance.now()
  await work()
  record(best, name, (total / mebibyte / (performance.now() - start)) * 1000)
}

function record(best: Best, name: string, throughput: number): void {
  best.set(name, Math.max(throughput, best.get(name) ?? 0))
}

/** The peer: node's cipher over chunks in memory, results dropped. Self-contained, since its text also runs in workers. */
function bareCipher(operation: 'seal' | 'open', bytes: number): void {
  const key = createSecretKey(Buffer.alloc(32, 1))
  const nonce = Buffer.alloc(12)
  const block = randomBytes(mebibyte)
  const chunks = bytes / chunk
  const first = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = first.update(block.subarray(0, chunk))
  first.final()
  const tag = first.getAuthTag()
  for (let i = 0; i < chunks; i++) {
    if (operation === 'open') {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      decipher.setAuthTag(tag)
      decipher.update(sealed)
      decipher.final()
      continue
    }
    nonce.writeUInt32BE(i, 8)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const start = (i * chunk) % mebibyte
    cipher.update(block.subarray(start, start + chunk))
    cipher.final()
    cipher.getAuthTag()
  }
}

/** The peer in two workers at once, each with half; timed from when both are ready. */
async function bareInWorkers(operation: 'seal' | 'open'): Promise<number> {
  const source = `
    const { createCipheriv, createDecipheriv, createSecretKey, randomBytes } = require('node:crypto')
    const { parentPort } = require('node:worker_threads')
    const mebibyte = ${mebibyte}, chunk = ${chunk}
    ${bareCipher.toString()}
    parentPort.on('message', () => { bareCipher('${operation}', ${total / 2}); parentPort.postMessage('done') })
    parentPort.postMessage('ready')`
  const workers = [0, 1].map(() => new Worker(source, { eval: true }))
  try {
    await Promise.all(workers.map(nextMessage))
    const start = performance.now()
    const done = Promise.all(workers.map(nextMessage))
    for (const worker of workers) worker.postMessage('go')
    await done
    return (total / mebibyte / (performance.now() - start)) * 1000
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

function nextMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
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
