import { createServer, type AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChildLink } from './child-link.node.js'
import { engineLanguage } from './engine-language.js'
import { encodeFrame } from './frames.js'
import type { ProgramFiles } from './program-files.node.js'
import { AnswerFault } from './reply-values.js'
import { detectSandbox, spawnSandboxed, type SandboxFinding } from './sandbox.node.js'
import { createMemoryFile } from './unlinked-file.node.js'

const limits = {
  ...{
    dataBytes: 1_000_000_000,
    cpuSeconds: 20,
    fileBytes: 0,
    openFiles: 64,
    threads: 32,
    heapMegabytes: 128,
  },
}

/** Everything that a taken-over child might try first; each line reports what happened. */
const probe = `
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { execFileSync } from 'node:child_process'
const [port, hostFile] = JSON.parse(fs.readFileSync(new URL('./asked.json', import.meta.url), 'utf8'))
const attempt = (name, act) => { try { return [name, 'done: ' + JSON.stringify(act()).slice(0, 300)] } catch (error) { return [name, error.code ?? 'failed'] } }
const connect = (host) => new Promise((resolve) => { const socket = net.connect(port, host); socket.on('connect', () => resolve('connected')); socket.on('error', (error) => resolve(error.code)) })
const seen = Object.fromEntries([
  attempt('hostFile', () => fs.readFileSync(hostFile, 'utf8')),
  attempt('passwd', () => fs.readFileSync('/etc/passwd', 'utf8').length),
  attempt('root', () => fs.readdirSync('/')),
  attempt('cwd', () => fs.readdirSync(process.cwd())),
  attempt('writeRoot', () => fs.writeFileSync('/x', 'x')),
  attempt('writeTmp', () => fs.writeFileSync('/tmp/x', 'x')),
  attempt('writeShm', () => fs.writeFileSync('/dev/shm/x', 'x')),
  attempt('reopen', () => fs.openSync('/proc/self/fd/4', 'r+')),
  attempt('writeInput', () => fs.writeSync(4, 'x')),
  attempt('input', () => fs.readFileSync('/proc/self/fd/4', 'utf8')),
  attempt('inputName', () => fs.readlinkSync('/proc/self/fd/4')),
  attempt('environment', () => Object.keys(process.env)),
  attempt('processes', () => fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length),
  attempt('shell', () => execFileSync('/bin/sh', ['-c', 'echo out']).toString()),
  attempt('interfaces', () => Object.keys(os.networkInterfaces()).filter((name) => name !== 'lo')),
  attempt('status', () => fs.readFileSync('/proc/self/status', 'utf8').match(/(?:CapEff|NoNewPrivs):.*/g).join()),
])
seen.loopback = await connect('127.0.0.1')
const body = Buffer.from(JSON.stringify(seen))
const head = Buffer.alloc(4)
head.writeUInt32BE(body.length)
fs.writeSync(3, Buffer.concat([head, body]))
`

let folder: string
let finding: SandboxFinding

function program(text: string): ProgramFiles {
  const own = mkdtempSync(join(folder, 'p-'))
  writeFileSync(join(own, 'program.mjs'), text)
  return {
    program: join(own, 'program.mjs'),
    programInside: '/sealroom/own/program.mjs',
    bindings: [{ host: own, inside: '/sealroom/own' }],
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engine-'))
  finding = await detectSandbox()
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function probed(): Promise<Record<string, string>> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const secret = join(folder, 'secret')
  mkdirSync(secret, { recursive: true })
  writeFileSync(join(secret, 'patients.csv'), 'MARKER')
  const files = program(probe)
  const asked = [(server.address() as AddressInfo).port, join(secret, 'patients.csv')]
  writeFileSync(files.program.replace('program.mjs', 'asked.json'), JSON.stringify(asked))
  const input = createMemoryFile()
  await input.write(Buffer.from('given'), 0)
  input.seal()
  const child = await spawnSandboxed(files, 'bubblewrap', limits, [input.readFd])
  const chunks: Buffer[] = []
  child.process.stdio[3]?.on('data', (bytes: Buffer) => chunks.push(bytes))
  await new Promise((resolve) => child.process.once('close', resolve))
  server.close()
  input.discard()
  return JSON.parse(Buffer.concat(chunks).subarray(4).toString()) as Record<string, string>
}

describe('spawnSandboxed', () => {
  it('says what confines the child, and how to get what is missing', () => {
    expect(finding.explanation).toMatch(
      finding.mode === 'bubblewrap' ? /no network/ : /apt-get install|allow them|Linux only/,
    )
  })

  it('lets a program reach nothing but its descriptors', async ({ skip }) => {
    if (finding.mode !== 'bubblewrap') skip(`1 case not run: ${finding.explanation}`)
    const seen = await probed()
    expect(seen).toMatchObject({
      ...{
        hostFile: 'ENOENT',
        passwd: 'ENOENT',
        loopback: 'ECONNREFUSED',
        shell: 'ENOENT',
        interfaces: 'done: []',
      },
      ...{ writeRoot: 'EROFS', writeShm: 'EROFS', writeInput: 'EBADF', input: 'done: "given"' },
      cwd: 'done: []',
    })
    expect(['EFBIG', 'EACCES']).toContain(seen['writeTmp'])
    // Root in a namespace without capabilities is denied by the mode; so is everybody else.
    expect(seen['reopen']).toBe('EACCES')
    expect(seen['inputName']).toMatch(
      /^done: "\/sealroom-[0-9a-f]+ \(deleted\)"$|\/dev\/shm\/sealroom-[0-9a-f]+ \(deleted\)/,
    )
    expect(seen['environment']).toBe('done: ["PWD"]')
    expect(seen['root']).not.toMatch(/work|home|root|etc|var/)
    expect(seen['status']).toMatch(/CapEff:\\t0{16}.*NoNewPrivs:\\t1/)
    expect(Number(seen['processes']?.replace('done: ', ''))).toBeLessThanOrEqual(2)
    expect(JSON.stringify(seen)).not.toContain('MARKER')
  })

  it('ends a child that takes more processor time than allowed', async ({ skip }) => {
    if (finding.mode !== 'bubblewrap') skip(`1 case not run: ${finding.explanation}`)
    const child = await spawnSandboxed(program('for (;;);'), 'bubblewrap', { ...limits, cpuSeconds: 1 }, [])
    const code = await new Promise((resolve) =>
      child.process.once('close', (exit, signal) => {
        resolve(signal ?? exit)
      }),
    )
    expect([137, 152, 'SIGKILL', 'SIGXCPU']).toContain(code)
  })

  it('ends the program with the process that confines it', async ({ skip }) => {
    if (finding.mode !== 'bubblewrap') skip(`1 case not run: ${finding.explanation}`)
    const running = `import fs from 'node:fs'; fs.writeSync(3, 'running'); setInterval(() => {}, 1000)`
    const child = await spawnSandboxed(program(running), 'bubblewrap', limits, [])
    await new Promise((resolve) => child.process.stdio[3]?.once('data', resolve))
    child.process.kill('SIGKILL')
    // The pipes close only when nobody holds them any more: neither bubblewrap nor the program within.
    await new Promise((resolve) => child.process.once('close', resolve))
    expect(child.process.signalCode).toBe('SIGKILL')
  })
})

const say = (message: unknown): string => {
  const bytes = JSON.stringify(Buffer.from(encodeFrame(message)).toString('base64'))
  return `import fs from 'node:fs'; fs.writeSync(3, Buffer.from(${bytes}, 'base64')); setInterval(() => {}, 1000)`
}

const hostile: [name: string, text: string][] = [
  ['ends without a word', ''],
  [
    'sends what is not a frame',
    `import fs from 'node:fs'; fs.writeSync(3, 'hello, world'); setInterval(() => {}, 1000)`,
  ],
  [
    'announces a frame of four gigabytes',
    `import fs from 'node:fs'; fs.writeSync(3, Buffer.alloc(4, 255)); setInterval(() => {}, 1000)`,
  ],
  ['answers what nobody asked', say({ id: 77, value: null })],
  ['answers with another shape', say({ id: 1, value: { secret: 'MARKER' } })],
  ['fails with an unknown code', say({ id: 1, failure: { code: 'MARKER' } })],
  ['reports progress out of range', say({ id: 1, percent: 1e9 })],
  ['answers with a list', say([1])],
  [
    'floods',
    `import fs from 'node:fs'; const b = Buffer.alloc(65536); for (;;) try { fs.writeSync(3, b) } catch (e) { if (e.code !== 'EAGAIN') process.exit(0) }`,
  ],
]

describe('ChildLink', () => {
  it.each(hostile)('ends a child that %s', async (_name, text) => {
    const { mode } = finding
    const child = await spawnSandboxed(program(text), mode, limits, [])
    const link = new ChildLink(child, engineLanguage, 10_000)
    const expectation = {
      timeoutMilliseconds: 10_000,
      read: (value: unknown) => {
        if (value !== null) throw new AnswerFault('more than null')
      },
    }
    const failure: unknown = await link.request({ op: 'lock' }, expectation).catch((cause: unknown) => cause)
    expect(failure).toMatchObject({ code: 'CHILD_DIED' })
    expect((failure as Error).message).not.toContain('MARKER')
    await link.gone
  })

  it('ends a child that does not answer in time, and every later call fails alike', async () => {
    const child = await spawnSandboxed(program('setInterval(() => {}, 1000)'), finding.mode, limits, [])
    const link = new ChildLink(child, engineLanguage, 10_000)
    const expectation = { timeoutMilliseconds: 300, read: () => null }
    await expect(link.request({ op: 'lock' }, expectation)).rejects.toMatchObject({ code: 'TIMED_OUT' })
    await expect(link.request({ op: 'lock' }, expectation)).rejects.toMatchObject({ code: 'TIMED_OUT' })
    await link.gone
  })

  it('takes names from a failure only where the request held them', async () => {
    const failure = { code: 'BOUNDS_VIOLATED', table: 'stays', owner: 'MARKER', column: 'MARKER' }
    const child = await spawnSandboxed(program(say({ id: 1, failure })), finding.mode, limits, [])
    const link = new ChildLink(child, engineLanguage, 10_000)
    const table = { name: 'stays', columns: {}, unit: 'id', parts: [] }
    const error: unknown = await link
      .request({ op: 'load', tables: [table] }, { timeoutMilliseconds: 10_000, read: () => null })
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'BOUNDS_VIOLATED', place: { table: 'stays' } })
    expect((error as Error).message).not.toContain('MARKER')
    link.end('CHILD_DIED', 'done')
    await link.gone
  })
})
