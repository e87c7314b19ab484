/** Operating-system processes of the demo: each role is one, with its own folder and nothing of the others'. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder, whether this file runs from its source or as it was built. */
export const root = projectOf(dirname(fileURLToPath(import.meta.url)))

/** The built program of an app. */
export const programs = {
  coordinator: join(root, 'dist/apps/coordinator/src/sealroom-coordinator.js'),
  worker: join(root, 'dist/apps/enclave/src/main-simulated.js'),
  sealroom: join(root, 'dist/apps/agent/src/sealroom.js'),
} as const

/** A process that goes on running. */
export interface Running {
  readonly name: string
  readonly pid: number
  /** The first line of output that satisfies `match`, or the nth one; it may have come already. */
  line(match: (text: string) => boolean, withinMilliseconds: number, nth?: number): Promise<string>
  stop(): Promise<void>
  /** SIGKILL, to the process and everything that it started; resolves when it has ended. */
  kill(): Promise<void>
  /** The exit code, once it has ended; -1 where a signal ended it. */
  readonly ended: Promise<number>
}

/** What a process inherits: only what finding programs needs. */
const bareEnvironment = { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8' }

/** Starts a role. Its output is kept in a file of its folder. */
export function start(
  name: string,
  args: readonly string[],
  logFile: string,
  env: Record<string, string> = {},
  executable = process.execPath,
): Running {
  const child = spawn(executable, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...bareEnvironment, ...env },
  })
  const log = createWriteStream(logFile, { flags: 'a' })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let rest = ''
  const take = (chunk: Buffer) => {
    log.write(chunk)
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    for (const look of waiting) look()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const ended = new Promise<number>((resolve) =>
    child.once('close', (code) => {
      resolve(code ?? -1)
    }),
  )
  child.once('close', () => {
    for (const look of waiting) look()
  })
  return {
    name,
    pid: child.pid ?? -1,
    line: (match, within, nth = 1) => waitForLine(name, child, lines, waiting, nthOf(match, nth), within),
    stop: async () => {
      child.kill('SIGTERM')
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000).unref())])
      child.kill('SIGKILL')
      await ended
    },
    kill: async () => {
      for (const pid of child.exitCode === null ? offspringOf(child.pid ?? -1) : []) killIfThere(pid)
      child.kill('SIGKILL')
      await ended
    },
    ended,
  }
}

/** The processes that a process has started, and theirs, as Linux lists them. */
function offspringOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return children.map(Number).flatMap((child) => [child, ...offspringOf(child)])
  } catch {
    // It has ended, and with it nothing is left to list.
    return []
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself in the meantime.
  }
}

function nthOf(match: (text: string) => boolean, nth: number) {
  return (lines: readonly string[]) => lines.filter(match)[nth - 1]
}

async function waitForLine(
  name: string,
  child: ChildProcess,
  lines: readonly string[],
  waiting: Set<() => void>,
  find: (lines: readonly string[]) => string | undefined,
  within: number,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer)
      waiting.delete(look)
      settle()
    }
    const timer = setTimeout(() => {
      end(() => {
        reject(
          new Error(
            `${name} did not say what was awaited within ${within} ms: ${lines.slice(-5).join(' | ')}`,
          ),
        )
      })
    }, within)
    const look = () => {
      const found = find(lines)
      if (found !== undefined)
        end(() => {
          resolve(found)
        })
      else if (child.exitCode !== null)
        end(() => {
          reject(new Error(`${name} ended: ${lines.slice(-8).join(' | ')}`))
        })
    }
    waiting.add(look)
    look()
  })
}

/** What a finished command left. */
export interface Finished {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end. */
export async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...bareEnvironment, ...env },
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  const exit = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve(code ?? -1)
    })
  })
  return { exit, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

function projectOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : projectOf(dirname(folder))
}
