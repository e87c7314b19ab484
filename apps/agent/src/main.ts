#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { askSecret } from './cli/ask-secret.js'
import { runCommandLine } from './cli/program.js'
import { packageVersion } from './cli/version.js'
import { environment } from './config.js'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    stop.abort()
    // A second one ends at once, in case something does not listen.
    process.once(signal, () => process.exit(130))
  })
// A reader that closed its end (`sealroom … | head`) is no fault.
process.stdout.on('error', () => process.exit(0))

process.exitCode = await runCommandLine(
  process.argv.slice(2),
  {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    interactive: process.stderr.isTTY,
    ask: process.stdin.isTTY && process.stderr.isTTY ? askSecret : null,
    now: Date.now,
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    defaultHome: environment().home,
    signal: stop.signal,
    wait: async (milliseconds, signal) => {
      await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    },
  },
  await packageVersion(),
)
