/** Brings the server up in order, and down in order: nothing is answered before everything recorded is taken up. */
import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { Clock } from './clock.js'
import { isLoopbackAddress, type Config } from './config.js'
import { CoordinatorModule, type Parts } from './coordinator.module.js'
import { StartError } from './errors.js'
import { WakeAdapter } from './events/wake-adapter.js'
import { WakeGateway } from './events/wake.gateway.js'
import { Authenticator } from './http/authenticate.js'
import { RateLimit } from './http/rate-limit.js'
import { fastifyAdapter, prepareServer } from './http/server.js'
import { JsonLines } from './http/json-lines.js'
import { ChangeSignal } from './ledger/change-signal.js'
import { Ledger } from './ledger/ledger.js'
import { PublicLog } from './log/public-log.js'
import { RunDriver } from './runs/run-driver.js'
import { LedgerStore } from './storage/ledger-store.js'
import { openStorage, type Storage } from './storage/open-storage.js'

export interface RunningCoordinator {
  readonly app: NestFastifyApplication
  readonly url: string
  readonly migrated: readonly string[]
  readonly databaseKind: 'embedded' | 'postgresql'
  /** Resolves with the reason when the server can no longer record. */
  readonly failed: Promise<Error>
  readonly close: () => Promise<void>
}

/** Seams for tests. */
export interface StartOptions {
  readonly clock?: Clock
  /** Keeps the embedded database in memory. */
  readonly memory?: boolean
  /** Deadlines are looked at only when the caller says so. */
  readonly manualSweep?: boolean
}

/**
 * Starts the server on storage that is open, or is just being opened; it is closed with the server.
 * @throws StartError; the storage is closed then.
 */
export async function startCoordinator(
  config: Config,
  options: StartOptions = {},
  opening: Promise<Storage> = openStorage(config, options.memory),
): Promise<RunningCoordinator> {
  const { folder, database, close } = await opening
  const undo: (() => Promise<void>)[] = [close]
  try {
    const clock = options.clock === undefined ? {} : { clock: options.clock }
    const app = await createApplication({ config, folder, database, ...clock })
    undo.push(() => app.close())
    const stopSweeping =
      options.manualSweep === true ? () => Promise.resolve() : sweepRegularly(app, config.sweepMilliseconds)
    const url = await listen(app, config)
    await writeFile(join(folder.path, 'address'), `${url}\n`, { mode: 0o600 })
    return {
      app,
      url,
      migrated: database.migrated,
      databaseKind: database.kind,
      failed: Promise.race([app.get(Ledger).failed, database.lost]),
      close: once(() => stop(app, stopSweeping, undo)),
    }
  } catch (error) {
    for (const step of undo.reverse()) await step()
    throw error
  }
}

async function createApplication(parts: Parts): Promise<NestFastifyApplication> {
  const { config, folder } = parts
  const adapter = fastifyAdapter({ trustProxy: config.behindTlsProxy })
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares its options as a class and means their shape
  const app = await NestFactory.create<NestFastifyApplication>(CoordinatorModule.from(parts), adapter, {
    logger: new JsonLines(config.logLevel),
    abortOnError: false,
    bodyParser: false,
  })
  const authenticator = app.get(Authenticator)
  const ledger = app.get(Ledger)
  const closing = app.get(ChangeSignal)
  await prepareServer(adapter, {
    authenticator,
    clock: app.get(Clock),
    perCaller: new RateLimit(config.requestsPerSecond),
    perAddress: new RateLimit(config.requestsPerSecond * 10),
    flushTokens: () => ledger.flushTokens(),
    settled: () => ledger.settled(),
    isStopping: () => closing.isClosed,
  })
  app.useWebSocketAdapter(new WakeAdapter(app, authenticator))
  await app.get(LedgerStore).claim({
    origin: config.origin,
    logKey: folder.logKey.thumbprint,
    coordinatorKey: folder.coordinatorKey.thumbprint,
  })
  await ledger.restore()
  await app.init()
  return app
}

async function listen(app: NestFastifyApplication, { host, port, logLevel }: Config): Promise<string> {
  await app.init()
  // Nest would log a failure beside the one line that says how to mend it.
  app.useLogger(false)
  try {
    await app.listen(port, host)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'EADDRINUSE')
      throw new StartError(
        'PORT_IN_USE',
        `port ${port} on ${host} is in use; stop what listens there, or give another --port`,
        { cause },
      )
    throw new StartError('ADDRESS_UNAVAILABLE', `cannot listen on ${host}:${port} (${code ?? 'unknown'})`, {
      cause,
    })
  } finally {
    app.useLogger(new JsonLines(logLevel))
  }
  const { address, port: bound, family } = (app.getHttpServer() as { address: () => AddressInfo }).address()
  if (!isLoopbackAddress(address) && isLoopbackAddress(host))
    throw new StartError('ADDRESS_UNAVAILABLE', `${host} resolved to ${address}, which is not loopback`)
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
}

function sweepRegularly(app: NestFastifyApplication, milliseconds: number): () => Promise<void> {
  const driver = app.get(RunDriver)
  const log = app.get(PublicLog)
  let running: Promise<void> = Promise.resolve()
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    // A failed write closes the ledger, which says so itself; the next sweep tries again.
    running = Promise.all([driver.sweep(), log.checkpoint()])
      .then(() => undefined)
      .catch(() => undefined)
      .finally(() => {
        busy = false
      })
  }, milliseconds)
  return async () => {
    clearInterval(timer)
    await running
  }
}

// Polls are answered, begun requests finish, what they write is kept, the last checkpoint is signed, then the rest closes.
async function stop(
  app: NestFastifyApplication,
  stopSweeping: () => Promise<void>,
  undo: readonly (() => Promise<void>)[],
): Promise<void> {
  app.get(WakeGateway).closeAll()
  app.get(ChangeSignal).close()
  await stopSweeping()
  await app.get(Ledger).drained()
  await app.get(PublicLog).checkpoint()
  for (const step of [...undo].reverse()) await step()
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= action())
}
