import type { Command } from 'commander'
import type { Agent } from '../agent.js'
import { openHome, reopenAgent } from '../agent-from-home.js'
import { serveControl } from '../control/control-server.js'
import type { Digest } from '#libs/canonical'
import { runDaemon } from '../daemon/daemon.js'
import type { Frame } from './command-frame.js'
import { printable } from './printable.js'
import type { Session } from './session.js'
import type { Answer } from './world.js'
import { ControlClient } from '../control/control-client.js'
import { AgentError } from '../errors.js'

export function addDaemonCommand(program: Command, frame: Frame): void {
  program
    .command('daemon')
    .summary('run the agent')
    .description(
      'Runs the agent: follows the log, cosigns, answers runs as house rules and people allow, releases keys to enclaves that it\n' +
        'verified itself. Other commands of this home go through it. With a key file it starts without a person.',
    )
    .option('--stop', 'end the daemon that runs on this home')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sealroom daemon\n  $ sealroom --home /var/lib/sealroom --key-file /etc/sealroom/daemon.unlock daemon --json\n  $ sealroom daemon --stop\n',
    )
    .action(
      frame.action<[{ stop?: boolean }]>((session, options) =>
        options.stop === true ? stopDaemon(session) : daemon(session),
      ),
    )
}

/** Runs until a signal. A reload takes the keys and rules that are then on disk; store and socket stay open. */
export async function daemon(session: Session): Promise<Answer> {
  const unlock = await session.daemonUnlock()
  const { world } = session
  const startedAt = world.now()
  const caughtUp = new Map<Digest, number>()
  const report: Agent['report'] = (event) => {
    session.event(event)
  }
  const turns = new Turns(world.signal)
  const surroundings = () => ({ ...world, signal: turns.signal })
  const home = await openHome(session.home, unlock, surroundings(), report, { alone: true })
  try {
    const control = await serveControl(session.home.socket, home.raw, {
      hello: () => ({ version: 1, pid: process.pid, since: new Date(startedAt).toISOString() }),
      nudge: () => {
        turns.nudge()
      },
      reload: () => {
        turns.next()
      },
      stop: () => {
        turns.stop()
      },
    })
    try {
      for (
        let { agent } = home;
        ;
        agent = await reopenAgent(session.home, unlock, surroundings(), report, home.raw)
      ) {
        await runDaemon(agent, turns.signal, { startedAt, caughtUp, onReady: turns.listen })
        if (!turns.begin()) break
      }
    } finally {
      await control.close()
    }
  } finally {
    await home.close()
  }
  return { json: { what: 'daemon stopped' }, text: [] }
}

/** The daemon's turns: each ends by a signal of its own, and another begins unless the daemon was told to stop. */
class Turns {
  private turn = new AbortController()
  private stopped = false
  nudge: () => void = () => undefined

  constructor(private readonly outer: AbortSignal) {}

  get signal(): AbortSignal {
    return AbortSignal.any([this.outer, this.turn.signal])
  }

  readonly listen = (nudge: () => void): void => {
    this.nudge = nudge
  }

  next(): void {
    this.turn.abort()
  }

  stop(): void {
    this.stopped = true
    this.turn.abort()
  }

  /** Whether there is another turn. */
  begin(): boolean {
    if (this.stopped || this.outer.aborted) return false
    this.turn = new AbortController()
    return true
  }
}

async function stopDaemon(session: Session): Promise<Answer> {
  const running = await ControlClient.connect(session.home.socket)
  if (running === null) throw new AgentError('USAGE', `no daemon runs on ${printable(session.home.folder)}`)
  const { pid } = await running.hello()
  await running.tell('stop')
  await running.close()
  return { json: { stopped: pid }, text: [`the daemon (process ${pid}) ends`] }
}
