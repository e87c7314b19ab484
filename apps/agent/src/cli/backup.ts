import { resolve } from 'node:path'
import type { Command } from 'commander'
import { makeBackup, readBackup, restoreBackup } from '../backup/backup-home.js'
import { countByHand } from '../backup/count-by-hand.js'
import { exists, writeDurably } from '../durable-file.js'
import { AgentError } from '../errors.js'
import { makeKeyFile } from '../keys/unlock.js'
import type { Frame } from './command-frame.js'
import type { Session } from './session.js'
import { facts } from './table.js'
import type { Answer } from './world.js'

export function addBackupCommands(program: Command, frame: Frame): void {
  program
    .command('backup <file>')
    .summary('write keys and store into one sealed file')
    .description(
      'Writes this agent, keys and store, into one file sealed under a passphrase. Works while the daemon runs.',
    )
    .addHelpText('after', '\nExample:\n  $ sealroom backup /media/safe/registry-2026-11.backup\n')
    .action(frame.action<[string, object]>(backup))
  program
    .command('restore [file]')
    .summary('make a home from a backup')
    .description(
      'Makes a home from a backup. A restored agent releases nothing until it has caught up with a log that every other owner\n' +
        'has cosigned since; where there is no other owner, its people give the number of runs that they know of, with --count.\n' +
        'Do not let the old home and the restored one both run.',
    )
    .option('--count <runs>', 'runs on this owner’s data that its people know of', wholeCount)
    .addHelpText(
      'after',
      `
Examples:
  $ sealroom --home /var/lib/sealroom restore /media/safe/registry-2026-11.backup
  $ sealroom restore --count 12
`,
    )
    .action(frame.action<[string | undefined, { count?: number }]>(restore))
}

export async function backup(session: Session, path: string): Promise<Answer> {
  const open = await session.agent()
  const unlock = await session.newPassphrase('passphrase of the backup')
  await writeDurably(resolve(path), await makeBackup(session.home, open, unlock, session.world), {
    replace: false,
  })
  return {
    json: { file: resolve(path), party: open.agent.keys.party },
    text: [`wrote ${resolve(path)}: keep it and its passphrase apart from each other`],
  }
}

export async function restore(
  session: Session,
  path: string | undefined,
  { count }: { count?: number },
): Promise<Answer> {
  if (path === undefined && count === undefined)
    throw new AgentError('USAGE', 'expected a backup file, or --count after a restore')
  if (Number.isNaN(count)) throw new AgentError('USAGE', '--count: expected a whole number')
  const restored = path === undefined ? null : await restoreFrom(session, path)
  const counted = count === undefined ? null : await countByHand((await session.agent()).agent, count)
  return {
    json: { home: session.home.folder, restored, counted },
    text: [
      ...(restored === null
        ? []
        : facts([
            ['home', session.home.folder],
            ['party', restored.party],
            ['backup of', restored.madeAt],
          ])),
      ...(counted === null
        ? []
        : [`the record shows ${counted} runs on this owner's data: the agent may work`]),
    ],
  }
}

async function restoreFrom(session: Session, path: string): Promise<{ party: string; madeAt: string }> {
  for (const taken of [
    session.home.config,
    session.home.consentKey,
    session.home.daemonKey,
    session.home.store,
  ])
    if (await exists(taken))
      throw new AgentError(
        'HOME_INVALID',
        `${taken} exists already: restore into another folder with --home, or move it away`,
      )
  const bytes = await readBackup(path)
  const passphrase = await session.passphrase('passphrase of the backup')
  const keyFile = session.options.keyFile === undefined ? undefined : resolve(session.options.keyFile)
  const daemonUnlock =
    keyFile === undefined ? passphrase : await makeKeyFile(keyFile, session.world.randomBytes)
  return await restoreBackup(
    session.home,
    bytes,
    { backup: passphrase, daemonUnlock, keyFile },
    session.world,
  )
}

function wholeCount(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
}
