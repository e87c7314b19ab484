#!/usr/bin/env node
/** The coordinator's command: `serve` runs the server, `invite` asks a running one for a seat. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { loadConfig, serveFlags } from './config.js'
import { StartError } from './errors.js'
import { requestInvitation } from './parties/request-invitation.js'
import { openStorage } from './storage/open-storage.js'

/** What an exit code means: 2 is a mistake that the message says how to mend, 70 a failure while running. */
const exitCodes = { mistake: 2, failure: 70 } as const

const program = new Command('sealroom-coordinator')
  .description(
    'Brings parties and enclaves together, enforces their contracts, keeps the public log. Never holds a key that opens data.',
  )
  .showHelpAfterError()

const serving = program.command('serve').description('run the server')
for (const { flag, takesValue, about } of serveFlags())
  serving.option(takesValue ? `${flag} <value>` : flag, about)
serving
  .option('--json', 'print the ready line as JSON')
  .addHelpText(
    'after',
    `\nEach flag may be given as a variable instead (README.md); DATABASE_URL is one only.\n\nExample:\n  sealroom-coordinator serve --data ./coordinator --port 7400 --origin log.example.org/1`,
  )
  .action(async (flags: Record<string, unknown>) => {
    await serve({ ...flags, dataFolder: flags['data'] }, flags['json'] === true)
  })

program
  .command('invite')
  .description('ask a running server for a single-use invitation')
  .requiredOption('--label <text>', 'whom it is for; only the operator sees it')
  .option('--data <folder>', 'folder of the running server: its address and token are read there')
  .option('--url <address>', 'address of the server, where the folder is not at hand')
  .option('--operator-token-file <file>', "file with the operator's token, where the folder is not at hand")
  .option('--valid-hours <number>', 'hours until it expires', '72')
  .option('--json', 'print JSON')
  .addHelpText(
    'after',
    '\nExample:\n  sealroom-coordinator invite --data ./coordinator --label "North hospital"',
  )
  .action(
    async (flags: {
      label: string
      data?: string
      url?: string
      operatorTokenFile?: string
      validHours: string
      json?: boolean
    }) => {
      const folder = resolve(flags.data ?? '.')
      const { invitation, expiresAt } = await requestInvitation({
        url: flags.url ?? (await readLine(join(folder, 'address'), '--url')),
        token: await readLine(
          flags.operatorTokenFile ?? join(folder, 'operator-token'),
          '--operator-token-file',
        ),
        label: flags.label,
        validHours: Number(flags.validHours),
      })
      process.stdout.write(
        flags.json === true
          ? `${JSON.stringify({ invitation, expiresAt })}\n`
          : `${invitation}\n(valid until ${expiresAt}, for one party)\n`,
      )
    },
  )

async function serve(flags: Record<string, unknown>, json: boolean): Promise<void> {
  const begun = performance.now()
  const config = loadConfig(flags)
  // The database opens in the background while the server's own modules are read: together they are the start.
  const opening = openStorage(config)
  opening.catch(() => undefined)
  const { startCoordinator } = await import('./start-coordinator.js')
  const running = await startCoordinator(config, {}, opening)
  const startMilliseconds = Math.round(performance.now() - begun)
  const ready = {
    event: 'ready',
    url: running.url,
    pid: process.pid,
    database: running.databaseKind,
    migrated: running.migrated,
    startMilliseconds,
  }
  process.stdout.write(
    json
      ? `${JSON.stringify(ready)}\n`
      : `coordinator ready at ${running.url} (${running.databaseKind} database, ${startMilliseconds} ms)\n`,
  )
  const stop = (code: number) => {
    running.close().then(
      () => process.exit(code),
      () => process.exit(exitCodes.failure),
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      stop(0)
    })
  running.failed.then(
    (reason) => {
      process.stderr.write(
        `the database failed, nothing more can be recorded; restart the server (${reason.message.split('\n')[0] ?? ''})\n`,
      )
      stop(exitCodes.failure)
    },
    () => undefined,
  )
}

async function readLine(file: string, flag: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw new StartError(
      'CONFIG_INVALID',
      `${file} cannot be read; give --data of the running server, or ${flag}`,
      { cause },
    )
  }
}

program.parseAsync().catch((error: unknown) => {
  if (error instanceof StartError) {
    process.stderr.write(`${error.code}: ${error.message}\n`)
    process.exit(exitCodes.mistake)
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : 'failed'}\n`)
  process.exit(exitCodes.failure)
})
