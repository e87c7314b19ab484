/** What both workers, hardware's and the simulated, do with their command line. */
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { secureUrl } from '#libs/client'
import { detectSandbox, type SandboxFinding } from '#libs/engine'
import { EnclaveError, isCoded } from './errors.js'
import { parseFlags, required, type Flags } from './flags.js'
import { startInstance } from './instance-process.js'
import { limits } from './limits.js'
import { installationRoot, measureBuild } from './measurement.js'
import { keepPool } from './pool.js'
import type { Tee } from './tee.js'
import { runInstance } from './worker.js'

const exitCodes = { done: 0, failed: 1, usage: 2, noTee: 3 } as const

/** Runs a worker to its end and returns the exit code. */
export async function runCommand(tee: Tee, program: string, args: readonly string[]): Promise<number> {
  try {
    return await runFlags(tee, program, args, parseFlags(args))
  } catch (error) {
    if (!isCoded(error)) throw error
    const json = args.includes('--json')
    process.stderr.write(
      json ? `${JSON.stringify({ code: error.code, message: error.message })}\n` : `${error.message}\n`,
    )
    if (error.code === 'USAGE') return exitCodes.usage
    return error.code === 'TEE_MISSING' ? exitCodes.noTee : exitCodes.failed
  }
}

async function runFlags(tee: Tee, program: string, args: readonly string[], flags: Flags): Promise<number> {
  if (flags.help) {
    process.stdout.write(helpText(tee))
    return exitCodes.done
  }
  if (flags.measurement) {
    const measurement = await measureBuild(installationRoot())
    const entry = flags.simulatorKeyFile === null ? null : await (await tee.open(flags)).entryAt(Date.now())
    const told = { measurement, tee: tee.title, entry }
    process.stdout.write(flags.json ? `${JSON.stringify(told)}\n` : `${measurement}\n`)
    return exitCodes.done
  }
  const source = await tee.open(flags)
  const coordinator = secureUrl(required(flags.coordinator, '--coordinator')).href
  const enrolment = await readEnrolment(required(flags.enrolmentFile, '--enrolment-file'))
  if (flags.instance)
    return (await runInstance({ source, coordinator, enrolment })) ? exitCodes.done : exitCodes.failed

  say(flags, tee, source.measurement, await detectSandbox())
  const stop = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      stop.abort()
    })
  const passedOn = args.filter((arg) => arg !== '--json')
  await keepPool({
    start: (gently) => startInstance(program, passedOn, gently),
    maximumRuns: limits.poolRuns,
    sleep: async (milliseconds, signal) => {
      await pause(milliseconds, undefined, { signal }).catch(() => undefined)
    },
    signal: stop.signal,
  })
  return exitCodes.done
}

function say(flags: Flags, { title }: Tee, measurement: string, sandbox: SandboxFinding): void {
  const started = { step: 'pool', title, measurement, sandbox: sandbox.mode, about: sandbox.explanation }
  const lines = [title, `measurement ${measurement}`, `sandbox ${sandbox.mode}: ${sandbox.explanation}`]
  process.stdout.write(flags.json ? `${JSON.stringify(started)}\n` : `${lines.join('\n')}\n`)
}

async function readEnrolment(file: string): Promise<string> {
  try {
    const secret = (await readFile(file, 'utf8')).trim()
    if (secret.length > 0 && secret.length <= 200) return secret
  } catch (cause) {
    throw new EnclaveError('USAGE', `--enrolment-file: ${file} cannot be read`, { cause })
  }
  throw new EnclaveError(
    'USAGE',
    `--enrolment-file: ${file} must hold the operator's enrolment secret, at most 200 characters`,
  )
}

function helpText(tee: Tee): string {
  return `${tee.title}

Keeps one fresh worker waiting for a run of the coordinator. Each worker serves one run and ends.

  --coordinator URL        https, or http on loopback
  --enrolment-file F       the operator’s enrolment secret; it fills a seat and gives no trust
${tee.help}  --measurement            print the measurement of this build, and end; with --json and a key
                           also the entry by which a contract accepts it
  --json                   print what is printed as JSON
  --help

Nothing is read from the environment. Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no TEE.
`
}
