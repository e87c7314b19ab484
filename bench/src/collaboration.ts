/**
 * A whole collaboration on this machine: coordinator, worker pool and three owners' daemons as processes of their own; the
 * requester's commands run in this process, so that starting Node is not what is measured.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { vendorHardware } from '#libs/attestation'
import { runCommandLine } from '../../apps/agent/src/cli/program.js'
import { Stack } from '../../demo/src/stack/stack.js'

export const owners = ['north', 'south', 'west'] as const
export const requester = 'lab'

export interface Collaboration {
  readonly stack: Stack
  /** Runs a `sealroom` command of a party, in this process; its JSON answer. */
  readonly sealroom: (label: string, ...words: readonly string[]) => Promise<Record<string, unknown>>
  readonly keys: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

/** Starts everything up to pinned parties with running daemons and a waiting worker. */
export async function startCollaboration(): Promise<Collaboration> {
  const labels = [...owners, requester]
  const folder = await mkdtemp(join(tmpdir(), 'sealroom-bench-'))
  const stack = await Stack.start({ folder, labels })
  const sealroom = (label: string, ...words: readonly string[]) => command(stack, label, words)
  const keys: Record<string, string> = {}
  for (const label of labels) {
    keys[label] = String(
      (await sealroom(label, 'init', '--name', label, '--coordinator', stack.directUrl))['party'],
    )
    await sealroom(label, 'identity', 'join', '--invitation', await stack.invite(label))
  }
  for (const label of labels) {
    const others = labels.filter((other) => other !== label)
    await sealroom(label, 'pin', '--', ...others.flatMap((other) => [other, keys[other] ?? '']))
    if (label !== requester) await sealroom(label, 'rules', 'allow-simulated', 'on')
    await stack.party(label).startDaemon()
  }
  stack.startWorker()
  const close = async () => {
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { stack, sealroom, keys, close }
}

async function command(
  stack: Stack,
  label: string,
  words: readonly string[],
): Promise<Record<string, unknown>> {
  const party = stack.party(label)
  const out: string[] = []
  const access = [
    '--home',
    party.home,
    '--passphrase-file',
    party.file('passphrase'),
    '--key-file',
    party.file('daemon.unlock'),
  ]
  const exit = await runCommandLine(
    [...access, '--json', ...words],
    {
      stdout: (text) => out.push(text) > 0,
      stderr: (text) => out.push(text) > 0,
      interactive: false,
      ask: null,
      now: Date.now,
      randomBytes: (length) => new Uint8Array(randomBytes(length)),
      defaultHome: party.home,
      signal: new AbortController().signal,
      wait: async (milliseconds, signal) => {
        await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      },
      hardware: vendorHardware,
    },
    'bench',
  )
  const text = out.join('')
  if (exit !== 0)
    throw new Error(`${label}: sealroom ${words.join(' ')} ended with ${exit}: ${text.slice(0, 2000)}`)
  return JSON.parse(text.slice(text.indexOf('{'))) as Record<string, unknown>
}

/** The middle one of some figures. */
export function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}
