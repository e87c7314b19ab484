import type { Command } from 'commander'
import { thumbprintOf, type Verified } from '#libs/canonical'
import type { Identity } from '#libs/protocol'
import { renewIdentity } from '../identity/renew-identity.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

export function addIdentityCommands(program: Command, frame: Frame): void {
  const identity = program.command('identity').description("this party's keys, and what the log says of them")
  identity
    .command('show')
    .description('Shows the keys that speak for this party. Partners pin the party line.')
    .addHelpText('after', '\nExample:\n  $ sealroom identity show\n')
    .action(frame.action<[object]>(showIdentity))
  identity
    .command('join')
    .description(
      "Records this party's Identity with the coordinator; an invitation gives a seat, never trust.",
    )
    .requiredOption('--invitation <text>', 'the single-use invitation of the operator')
    .addHelpText('after', '\nExample:\n  $ sealroom identity join --invitation aV3…\n')
    .action(frame.action<[{ invitation: string }]>(joinIdentity))
  identity
    .command('renew')
    .description(
      'Makes new daemon and sealing keys under the same consent key; with --sealing or --daemon only those. Older sealing keys\n' +
        'still open what was sealed to them. Repeat the command where it was interrupted.',
    )
    .option('--sealing', 'a new sealing key')
    .option('--daemon', 'a new daemon key')
    .addHelpText('after', '\nExample:\n  $ sealroom identity renew --sealing\n')
    .action(frame.action<[{ sealing?: boolean; daemon?: boolean }]>(renew))
}

export async function showIdentity(session: Session): Promise<Answer> {
  const { agent } = await session.agent()
  return shown(agent.keys.identity)
}

export async function joinIdentity(
  session: Session,
  { invitation }: { invitation: string },
): Promise<Answer> {
  const { agent } = await session.agent()
  const recorded = await agent.client.record(agent.keys.identity.jws, { invitation })
  return {
    json: { party: agent.keys.party, ...recorded },
    text: [
      `joined ${agent.config.log.origin} as ${agent.config.name}; the Identity is entry ${recorded.index ?? '?'} of the log`,
    ],
  }
}

export async function renew(
  session: Session,
  options: { sealing?: boolean; daemon?: boolean },
): Promise<Answer> {
  const { agent, secrets, daemon } = await session.agent()
  const consent = await session.consentKey('sign the new Identity')
  const both = options.sealing !== true && options.daemon !== true
  const identity = await renewIdentity(agent, consent, {
    home: session.home,
    secrets,
    unlock: await session.daemonUnlock(),
    daemon: both || options.daemon === true,
    sealing: both || options.sealing === true,
    scryptCost: session.world.scryptCost,
  })
  await daemon?.tell('reload')
  return shown(identity)
}

function shown(identity: Verified<Identity>): Answer {
  const { by, name, daemonKey, recovery, sequence, log, issuedAt } = identity.payload
  const daemon = thumbprintOf(daemonKey)
  return {
    json: {
      party: by,
      name,
      identity: identity.id,
      sequence,
      daemonKey: daemon,
      recovery,
      log,
      issuedAt,
      statement: identity.jws,
    },
    text: facts([
      ['party', by],
      ['name', name],
      ['Identity', `${identity.id} (number ${sequence}, ${issuedAt})`],
      ['daemon key', daemon],
      ['recovery key', recovery],
      ['log', log],
    ]),
  }
}
