/** The world of a command that is a process of its own: its terminal, clock, randomness and signals. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TrustedHardware } from '#libs/attestation'
import { environment } from '../config.js'
import { askSecret } from './ask-secret.js'
import type { World } from './world.js'

/** Takes over this process's signals. Whose hardware is believed is the program's to say, in its code. */
export function processWorld(hardware: TrustedHardware): World {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop.abort()
      // A second one ends at once, in case something does not listen.
      process.once(signal, () => process.exit(130))
    })
  // A reader that closed its end (`sealroom … | head`) is no fault.
  process.stdout.on('error', () => process.exit(0))
  return {
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
    hardware,
  }
}
