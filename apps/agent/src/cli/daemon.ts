import type { Command } from 'commander'
import { openHome } from '../agent-from-home.js'
import { serveControl } from '../control/control-server.js'
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

/** Runs until a signal. Reload begins again with the keys and rules that are then on disk. */
export async function daemon(session: Session): Promise<Answer> {
  const unlock = await session.daemonUnlock()
  const { world } = session
  const since = new Date(world.now()).toISOString()
  let again = true
  while (again && !world.signal.aborted) {
    again = await runOnce(session, unlock, since)
  }
  return { json: { what: 'daemon stopped' }, text: [] }
}

async function runOnce(
  session: Session,
  unlock: Awaited<ReturnType<Session['daemonUnlock']>>,
  since: string,
): Promise<boolean> {
  const { world } = session
  const turn = new AbortController()
  let reload = false
  let nudge: () => void = () => undefined
  const signal = AbortSignal.any([world.signal, turn.signal])
  const home = await openHome(
    session.home,
    unlock,
    { ...world, signal },
    (event) => {
      session.event(event)
    },
    { alone: true },
  )
  try {
    const control = await serveControl(session.home.socket, home.raw, {
      hello: () => ({ version: 1, pid: process.pid, since }),
      nudge: () => {
        nudge()
      },
      reload: () => {
        reload = true
        turn.abort()
      },
      stop: () => {
        turn.abort()
      },
    })
    try {
      await runDaemon(home.agent, signal, {
        onReady: (look) => {
          nudge = look
        },
      })
    } finally {
      await control.close()
    }
  } finally {
    await home.close()
  }
  return reload
}

async function stopDaemon(session: Session): Promise<Answer> {
  const running = await ControlClient.connect(session.home.socket)
  if (running === null) throw new AgentError('USAGE', `no daemon runs on ${printable(session.home.folder)}`)
  const { pid } = await running.hello()
  await running.tell('stop')
  await running.close()
  return { json: { stopped: pid }, text: [`the daemon (process ${pid}) ends`] }
}
