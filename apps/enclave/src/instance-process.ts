/** An instance as a child process with an empty environment, told apart by one flag. The two talk over node's own channel. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Instance } from './pool.js'
import { restorePriority } from './restore-priority.js'

/** What an instance tells its pool. It holds nothing about the run. */
const messages = { ready: 'ready', taken: 'taken' } as const

const prlimit = '/usr/bin/prlimit'
const nice = '/usr/bin/nice'

/**
 * Starts this very program once more, as an instance; `gently` at low priority until it is warm, where the pool may give the
 * ordinary one back.
 */
export function startInstance(program: string, args: readonly string[], gently: boolean): Instance {
  const lowered = gently && process.getuid?.() === 0 && existsSync(nice)
  const [executable = process.execPath, ...rest] = [
    ...(lowered ? [nice, '-n', '19'] : []),
    // A core dump would write protected memory to the host's disk.
    ...(existsSync(prlimit) ? [prlimit, '--core=0:0', '--'] : []),
    ...[process.execPath, program, '--instance', ...args],
  ]
  const child = spawn(executable, rest, { env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.on('message', (message) => {
    if (message === messages.ready && lowered && child.pid !== undefined) restorePriority(child.pid)
  })
  return { taken: takenBy(child), ended: endOf(child), stop: () => child.kill('SIGTERM') }
}

/** Tells the pool, if there is one, that this instance is warm and registered. */
export function reportReady(): void {
  process.send?.(messages.ready)
}

/** Tells the pool, if there is one, that this instance has a run, which it now finishes before it ends. */
export function reportTaken(): void {
  process.on('SIGTERM', () => undefined)
  process.send?.(messages.taken)
}

/** Nobody is left to answer to: an instance does not outlive its pool. */
export function endWithPool(): void {
  // Without a listener node opens its inspector on this signal, and with it the process's memory.
  process.on('SIGUSR1', () => undefined)
  if (process.channel !== undefined) process.once('disconnect', () => process.exit(1))
}

function takenBy(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (message) => {
      if (message === messages.taken) resolve()
    })
  })
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve()
    })
    child.once('error', () => {
      resolve()
    })
  })
}
