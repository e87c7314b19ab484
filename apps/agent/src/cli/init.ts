import { resolve } from 'node:path'
import type { Command } from 'commander'
import { thumbprintOf } from '#libs/canonical'
import { fetchLogInfo, secureUrl } from '#libs/client'
import { isName, nameRule } from '#libs/contract'
import type { LogInfo } from '#libs/protocol'
import { AgentError } from '../errors.js'
import { makeAgentHome } from '../identity/make-home.js'
import { makeKeyFile } from '../keys/unlock.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

interface InitOptions {
  readonly name: string
  readonly coordinator: string
  readonly recoveryFile?: string
  readonly expectLogKey?: string
  readonly expectCoordinatorKey?: string
}

export function addInitCommand(program: Command, frame: Frame): void {
  program
    .command('init')
    .summary('make an agent: its keys, its Identity, and the log it trusts')
    .description(
      'Makes the keys of a new party and pins the log of a coordinator. The consent key and the recovery key are under a\n' +
        'passphrase. The daemon keys are under the same passphrase, or, with --key-file, under a key file that lets the daemon\n' +
        'start without a person; the file is made where there is none.',
    )
    .requiredOption('--name <name>', 'what this party calls itself; a label, no proof')
    .requiredOption('--coordinator <url>', 'address of the coordinator; https, or http on this machine')
    .option('--recovery-file <file>', 'where the recovery key is written (default: recovery.key in the home)')
    .option('--expect-log-key <thumbprint>', 'refuse another log key than this one, compared out of band')
    .option('--expect-coordinator-key <thumbprint>', 'refuse another coordinator key than this one')
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom init --name registry --coordinator https://sealroom.example.org
  $ sealroom init --name lab --coordinator http://127.0.0.1:8480 \\
      --passphrase-file /run/secrets/sealroom --key-file /etc/sealroom/daemon.unlock
`,
    )
    .action(frame.action<[InitOptions]>(init))
}

/** Makes the home. */
export async function init(session: Session, options: InitOptions): Promise<Answer> {
  if (!isName(options.name))
    throw new AgentError('USAGE', `--name: expected ${nameRule}; seen ${JSON.stringify(options.name)}`)
  const coordinator = secureUrl(options.coordinator).origin
  const log = await fetchLogInfo(coordinator)
  const thumbprints = expectLog(log, options)
  const passphrase = await session.newPassphrase('passphrase of the new consent key')
  const keyFile = session.options.keyFile === undefined ? undefined : resolve(session.options.keyFile)
  const daemonUnlock =
    keyFile === undefined ? passphrase : await makeKeyFile(keyFile, session.world.randomBytes)
  const recoveryFile = resolve(options.recoveryFile ?? `${session.home.folder}/recovery.key`)
  const identity = await makeAgentHome(
    session.home,
    {
      name: options.name,
      coordinator,
      log: { origin: log.origin, logKey: log.logKey, coordinatorKey: log.coordinatorKey },
      passphrase,
      daemonUnlock,
      keyFile,
      recoveryFile,
    },
    session.world,
  )
  return {
    json: {
      home: session.home.folder,
      party: identity.payload.by,
      identity: identity.id,
      recoveryFile,
      log: { origin: log.origin, ...thumbprints },
    },
    text: [
      ...facts([
        ['party', identity.payload.by],
        ['home', session.home.folder],
        ['recovery key', recoveryFile],
        ['log', log.origin],
        ['log key', thumbprints.logKey],
        ['coordinator key', thumbprints.coordinatorKey],
      ]),
      '',
      'Compare log key and coordinator key with what the operator tells you by another way than this network, and give the',
      'party line to your partners the same way: they pin it. Take the recovery key off this machine, and make a backup.',
      'Next: sealroom identity join --invitation <from the operator>',
    ],
  }
}

function expectLog(log: LogInfo, options: InitOptions): { logKey: string; coordinatorKey: string } {
  const seen = { logKey: thumbprintOf(log.logKey), coordinatorKey: thumbprintOf(log.coordinatorKey) }
  const expected = [
    ['log key', options.expectLogKey, seen.logKey],
    ['coordinator key', options.expectCoordinatorKey, seen.coordinatorKey],
  ] as const
  for (const [what, wanted, got] of expected)
    if (wanted !== undefined && wanted !== got)
      throw new AgentError(
        'LOG_MISBEHAVED',
        `the ${what} of ${options.coordinator} is ${got}; expected ${wanted}: nothing was made. Ask the operator which is right`,
      )
  return seen
}
