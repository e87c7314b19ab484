/** One instance, put together by hand: registers, waits for a run with everything warm, executes it, ends. */
import { randomBytes as random } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { signingKeyFromSeed, type CodedError } from '#libs/canonical'
import { fetchLogInfo, type Connection } from '#libs/client'
import { detectSandbox } from '#libs/engine'
import type { Assignment, WorkerEnd } from '#libs/protocol'
import { readBuild, readEngineVersion } from './build.js'
import { awaitAssignment, coordinatorChannel, register } from './coordinator-channel.js'
import type { Enclave } from './enclave.js'
import { EnclaveClock } from './enclave-clock.js'
import { EnclaveError, isCoded } from './errors.js'
import { executeRun } from './execute-run.js'
import { freshKeys } from './fresh-keys.js'
import { endWithPool, reportReady, reportTaken } from './instance-process.js'
import { lineJournal } from './journal.js'
import { rehearse } from './rehearse.js'
import type { EvidenceSource } from './tee.js'
import { startModelChild, warmEngines } from './warm-engines.js'

export interface InstanceOptions {
  readonly source: EvidenceSource
  readonly coordinator: string
  readonly enrolment: string
}

/** Serves one run and returns whether its outputs, or its failure, were recorded. */
export async function runInstance({ source, coordinator, enrolment }: InstanceOptions): Promise<boolean> {
  endWithPool()
  const journal = lineJournal((line) => process.stderr.write(line), source.simulated)
  const engines = warmEngines()
  try {
    const takeKeys = freshKeys(randomBytes)
    const [build, sandbox, engineVersion, connection] = await Promise.all([
      readBuild(source.measurement),
      detectSandbox(),
      readEngineVersion(),
      connect(coordinator),
    ])
    // Whoever is assigned a run should not wait for a child to start, nor for code to be compiled.
    const worker = { source, build, sandbox: sandbox.mode }
    await Promise.all([
      engines.ready(),
      engines.parser().then((parser) => rehearse(worker, parser, randomBytes, hostTime())),
    ])
    await register(connection, {
      key: connection.key.publicKey,
      tee: source.kind,
      measurement: source.measurement,
      enrolment,
    })
    reportReady()
    journal('registered', { measurement: source.measurement })

    const assignment = await awaitAssignment(connection)
    reportTaken()
    journal('assigned', { run: assignment.run.id, contract: assignment.contract.id })
    return await serve(assignment, {
      channel: coordinatorChannel(connection, assignment.run.id),
      clock: new EnclaveClock(() => performance.now()),
      worker,
      parser: engines.parser,
      dataEngine: engines.dataEngine,
      modelRuntime: startModelChild,
      engineVersion,
      takeKeys,
      sleep: (milliseconds) => pause(milliseconds),
      randomBytes,
      journal,
      spent: { executed: false },
    })
  } finally {
    engines.kill()
  }
}

/** Executes the run and tells the coordinator how it ended. After data was opened only codes are told. */
export async function serve(assignment: Assignment, enclave: Enclave): Promise<boolean> {
  const run = assignment.run.id
  const end = await endOf(executeRun(assignment, enclave), enclave)
  enclave.journal('ended', { run, code: end.code })
  // Nobody may be there to hear it; the coordinator notices a silent worker by itself.
  await enclave.channel.end(end).catch(() => undefined)
  return end.code === 'done'
}

async function endOf(execution: Promise<void>, { spent, journal }: Enclave): Promise<WorkerEnd> {
  try {
    await execution
    return { code: 'done', owner: null, detail: '' }
  } catch (error) {
    if (!isCoded(error)) throw error
    journal('ended', { code: error.code })
    const owner = error instanceof EnclaveError ? error.owner : null
    const detail = spent.executed ? error.code : `${error.code}: ${error.message}`.slice(0, 500)
    return { code: endCode(error, spent.executed), owner, detail }
  }
}

function endCode(error: CodedError, executed: boolean): WorkerEnd['code'] {
  if (error.code === 'LEASE_LOST') return 'leaseLost'
  if (error.code === 'OFFER_EXPIRED' || error.code === 'ROUND_LOST') return 'expired'
  return executed ? 'unrecorded' : 'refused'
}

/** A key of this instance's own for its requests. It gives no authority over anything: receipt keys are made for each round. */
async function connect(url: string): Promise<Connection> {
  const { origin } = await fetchLogInfo(url)
  return { url, origin, key: await signingKeyFromSeed(randomBytes(32)), now: hostTime, randomBytes }
}

// For the freshness of request tokens, and for rehearsals; no decision of the enclave goes by it.
function hostTime(): number {
  return Date.now()
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from(random(length))
}
