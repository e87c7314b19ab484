/** A coordinator in this process, over real HTTP on a free port, with a database in memory and a clock that tests move. */
import { mkdtemp, rm } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Clock } from '../clock.js'
import { loadConfig, type Config } from '../config.js'
import { RunDriver } from '../runs/run-driver.js'
import { startCoordinator, type RunningCoordinator } from '../start-coordinator.js'
import { requestInvitation } from '../parties/request-invitation.js'
import { readFile } from 'node:fs/promises'
import { fetchLogInfo } from '#libs/client'
import type { LogInfo } from '#libs/protocol'
import { makeParty, type TestParty } from './party.js'
import { TestWorker } from './worker.js'

export const testOrigin = 'log.test/1'

export class TestClock extends Clock {
  private offset = 0

  /** Runs with the real time, so that timers and tokens agree, and jumps when told. */
  now(): number {
    return Date.now() + this.offset
  }

  advance(milliseconds: number): void {
    this.offset += milliseconds
  }

  iso(afterMilliseconds = 0): string {
    return new Date(this.now() + afterMilliseconds).toISOString()
  }
}

export interface Stage {
  readonly coordinator: RunningCoordinator
  readonly url: string
  readonly clock: TestClock
  readonly folder: string
  readonly log: LogInfo
  readonly invite: () => Promise<string>
  readonly party: (label: string) => Promise<TestParty>
  readonly worker: () => Promise<TestWorker>
  readonly sweep: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Short waits, so that a test that jumps the clock jumps over all of them. */
export const testSettings: Partial<Record<keyof Config, unknown>> = {
  nonceSeconds: 20,
  offerSeconds: 30,
  maximumRounds: 3,
  logLevel: 'error',
  requestsPerSecond: 5000,
}

export async function aStage(
  settings: Partial<Record<keyof Config, unknown>> = {},
  options: { readonly onDisk?: boolean; readonly folder?: string } = {},
): Promise<Stage> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'sealroom-coordinator-')))
  const clock = new TestClock()
  const config = loadConfig(
    { ...testSettings, dataFolder: folder, port: 0, origin: testOrigin, ...settings },
    {},
  )
  const coordinator = await startCoordinator(config, {
    clock,
    memory: options.onDisk !== true,
    manualSweep: true,
  })
  const { url } = coordinator
  const log = await fetchLogInfo(url)
  const invite = async () => {
    const token = (await readFile(join(folder, 'operator-token'), 'utf8')).trim()
    return (await requestInvitation({ url, token, label: 'test', validHours: 1 })).invitation
  }
  const connection = {
    url,
    origin: testOrigin,
    now: () => clock.now(),
    randomBytes: (length: number) => new Uint8Array(randomBytes(length)),
  }
  return {
    coordinator,
    url,
    clock,
    folder,
    log,
    invite,
    party: async (label) => {
      const party = await makeParty(label, connection)
      await party.join(await invite())
      return party
    },
    worker: async () =>
      TestWorker.register(connection, (await readFile(join(folder, 'enrolment'), 'utf8')).trim()),
    sweep: () => coordinator.app.get(RunDriver).sweep(),
    close: async () => {
      await coordinator.close()
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
