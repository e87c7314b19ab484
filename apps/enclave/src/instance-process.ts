/** An instance as a child process with an empty environment, told apart by one flag. The two talk over node's own channel. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Instance } from './pool.js'

/** What an instance tells its pool. It holds nothing about the run. */
const takenMessage = 'taken'

const prlimit = '/usr/bin/prlimit'

/** Starts this very program once more, as an instance. */
export function startInstance(program: string, args: readonly string[]): Instance {
  const command = [process.execPath, program, '--instance', ...args]
  // A core dump would write protected memory to the host's disk.
  const limited = existsSync(prlimit) ? [prlimit, '--core=0:0', '--', ...command] : command
  const [executable = process.execPath, ...rest] = limited
  const child = spawn(executable, rest, { env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return { taken: takenBy(child), ended: endOf(child), stop: () => child.kill('SIGTERM') }
}

/** Tells the pool, if there is one, that this instance has a run, which it now finishes before it ends. */
export function reportTaken(): void {
  process.on('SIGTERM', () => undefined)
  process.send?.(takenMessage)
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
      if (message === takenMessage) resolve()
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
